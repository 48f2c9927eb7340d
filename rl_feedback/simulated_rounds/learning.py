"""What is learned from the readings of all rounds so far: a data folder, and a recipe's run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

from rl_feedback.preferences import GROUNDING, OVERALL, PLAUSIBILITY, Preferences, gather_preferences
from rl_feedback.preferences.following import texts_to_follow
from rl_feedback.readings import JudgedCompletion, SignedReading
from rl_feedback.rewards.truth import case_told_by
from rl_feedback.simulated_rounds.collecting import PRESET
from rl_feedback.training.examples import (
    Example,
    RatedStep,
    RewardedCase,
    TaughtText,
    TrainingPair,
    write_examples,
)
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.recipe import Recipe, run_recipe
from rl_feedback.training.view import FilmView

# As the platform takes completions for examples to follow.
_GOOD_FROM, _MIDDLE = 0.8, 0.5


def write_data(data: Path, readings: Sequence[SignedReading]) -> dict[str, int]:
    """Write what the readings of the train side teach; returns how many examples there are of each kind."""
    found = gather_preferences(readings)
    films = {one.uid: reading.film for reading in readings for one in reading.completions}
    texts_of = {one.uid: one.text for reading in readings for one in reading.completions}
    prompts = {one.uid: one.prompt for reading in readings for one in reading.completions}
    learned = [pair for pair in found.pairs if pair.split == "train"]
    pairs = [
        TrainingPair(
            films[pair.completion],
            pair.prompt,
            pair.weight,
            pair.origin,
            pair.chosen,
            pair.rejected,
            pair.prefix,
        )
        for pair in learned
    ]
    corrected = texts_to_follow((pair.completion, pair) for pair in learned)
    changed = {pair.completion for pair in corrected}
    texts = [
        TaughtText(films[pair.completion], pair.prompt, 1.0, pair.origin, pair.chosen) for pair in corrected
    ]
    texts += [
        TaughtText(films[uid], prompts[uid], 1.0, "kept", texts_of[uid])
        for uid in _good(found)
        if uid not in changed
    ]
    unique = list({(text.film, text.text): text for text in texts}.values())
    cases = _cases(unique, of={reading.film: reading.completion_a for reading in readings})
    every: dict[type[Example], Sequence[Example]] = {
        TrainingPair: pairs,
        TaughtText: unique,
        RewardedCase: cases,
        RatedStep: _rated_steps(found, readings),
    }
    for kind, examples in every.items():
        write_examples(data, examples, kind=kind)
    counted: dict[str, int] = {}
    for example in (*pairs, *unique):
        name = f"{example.noun}: {example.origin}"
        counted[name] = counted.get(name, 0) + 1
    counted["films with a strike in doubt"] = len(found.struck.doubtful)
    return counted


def _cases(texts: Sequence[TaughtText], *, of: Mapping[str, JudgedCompletion]) -> list[RewardedCase]:
    """Of each film what the first text to follow says of it, as the platform takes it."""
    first = {text.film: text for text in reversed(texts)}
    return [
        RewardedCase.of(
            case_told_by(
                text.text,
                image_size=of[film].image_size,
                model_size=of[film].model_size,
                box_frame=of[film].box_frame,
            ),
            film=film,
            prompt=text.prompt,
            weight=1.0,
            origin=text.origin,
        )
        for film, text in first.items()
    ]


def _rated_steps(found: Preferences, readings: Sequence[SignedReading]) -> list[RatedStep]:
    """Each rating of the train side that a label rests on, as the platform takes them."""
    by_uid = {reading.uid: reading for reading in readings}
    told = []
    for label in found.labels:
        if label.split != "train" or label.criterion != PLAUSIBILITY or label.step is None:
            continue
        for reading in (by_uid[uid] for uid in label.readings):
            [completion] = (one for one in reading.completions if one.uid == label.completion)
            number = [step.uid for step in completion.steps].index(label.step)
            rating = completion.steps[number].plausibility
            if rating is None:
                continue
            told.append(
                RatedStep(
                    film=reading.film,
                    prompt=completion.prompt,
                    weight=1.0,
                    origin="rating",
                    text=completion.text,
                    step=number,
                    rating=rating,
                    reader=reading.reader,
                    patient=reading.patient,
                )
            )
    return told


def _good(found: Preferences) -> list[str]:
    """Completions of the train side in which nothing was found wrong, by any criterion; where readers judged
    regions alone, by those."""
    sure: dict[str, dict[str, list[float]]] = {}
    for label in found.labels:
        if label.split == "train":
            spread = label.variance**0.5
            likelihood = (
                NormalDist(label.value, spread).cdf(2 * label.value - _MIDDLE)
                if spread
                else float(label.value > _MIDDLE)
            )
            sure.setdefault(label.completion, {}).setdefault(label.criterion, []).append(likelihood)
    return [
        uid
        for uid, criteria in sorted(sure.items())
        if (OVERALL in criteria or set(criteria) == {GROUNDING})
        and min(one for every in criteria.values() for one in every) >= _GOOD_FROM
    ]


def learn(
    recipe: Recipe,
    *,
    parent: Path,
    data: Path,
    folder: Path,
    on_step: Callable[[StepFigures], None] = lambda figures: None,
    on_begin: Callable[[Mapping[str, Any]], None] = lambda about: None,
) -> Path:
    """The candidate's folder; a run that was stopped goes on. See `run_recipe` for what is told."""
    run_recipe(
        recipe,
        parent=parent,
        data=data,
        view=FilmView.of(PRESET),
        work=folder / "checkpoints",
        out=folder / "candidate",
        on_step=on_step,
        on_begin=on_begin,
    )
    return folder / "candidate"
