"""Simulated readers say what their committed numbers tell, and models of readers find those numbers again."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

import pytest

from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback import simulated_readers
from rl_feedback.corrections import rewritten_text
from rl_feedback.phantom_figures import score_phantom
from rl_feedback.raters import fit_ratings
from rl_feedback.simulated_readers import (
    KINDS,
    PANEL,
    SimulatedReader,
    as_signed_reading,
    read_case,
)

NUM_FILMS = 40
SEEDS = range(2_000_000, 2_000_000 + NUM_FILMS)
MODULES = [
    importlib.import_module(f"{simulated_readers.__name__}.{module.name}")
    for module in pkgutil.iter_modules(simulated_readers.__path__)
]
# Nobody reads like this; it shows what the words alone are worth.
FAULTLESS = SimulatedReader("SIMULATED, faultless", 0, 0, 0, 0, 0, 0.9, 0, 0, 0)


def truth_of(seed: int):
    return draw_phantom(seed=seed, width=56, height=56, site="second").truth.resized(width=112, height=112)


def true_and_foreign(seed: int) -> tuple[str, str]:
    """What is on the film, and what is on another one."""
    return ideal_reasoning(truth_of(seed)), ideal_reasoning(truth_of(seed + 100))


def ratings() -> Iterator[tuple[str, str, int]]:
    for seed in SEEDS:
        for reader in PANEL:
            said = read_case(reader, truth_of(seed), true_and_foreign(seed), seed=seed)
            for side, completion in enumerate(said.completions):
                for number, step in enumerate(completion.steps):
                    assert step.plausibility is not None
                    yield f"{seed} {side} {number}", reader.name, step.plausibility


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_examples_in_the_docstrings_run(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_severity_and_noise_come_back_from_the_ratings() -> None:
    model = fit_ratings(*zip(*ratings(), strict=True))
    found = {reader.reader: reader for reader in model.readers}
    by_severity = sorted(PANEL, key=lambda reader: reader.severity)
    severities = {reader.name: found[reader.name].severity or 0.0 for reader in PANEL}
    assert min(severities, key=severities.__getitem__) == by_severity[0].name
    assert max(severities, key=severities.__getitem__) == by_severity[-1].name
    noisiest = max(PANEL, key=lambda reader: reader.noise)
    assert min(PANEL, key=lambda reader: found[reader.name].discrimination) == noisiest


def test_every_reader_is_called_simulated_and_named_once() -> None:
    assert all(reader.name.startswith("SIMULATED ") for reader in PANEL)
    assert len({reader.name for reader in PANEL}) == len(PANEL)


def test_the_same_seed_says_the_same_words_and_another_one_others() -> None:
    one, again, other = (
        read_case(PANEL[3], truth_of(SEEDS[0]), true_and_foreign(SEEDS[0]), seed=seed) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_as_many_findings_are_overlooked_as_the_reader_overlooks() -> None:
    careless = replace(PANEL[0], overlooks=0.5)
    shown = [len(truth_of(seed).findings) for seed in SEEDS]
    seen = [len(read_case(careless, truth_of(seed), [], seed=seed).seen) for seed in SEEDS]
    assert 0.35 < 1 - sum(seen) / sum(shown) < 0.65
    assert all(some <= every for some, every in zip(seen, shown, strict=True))


def corrected(reader: SimulatedReader, seed: int) -> str:
    """The foreign completion as this reader would have it."""
    texts = true_and_foreign(seed)[::-1]
    signed = as_signed_reading(
        read_case(reader, truth_of(seed), texts, seed=seed),
        uid="r",
        patient="p",
        prompt="q",
        texts=texts,
        film="film",
        film_side_px=224,
    )
    return rewritten_text(signed.completion_a)


def test_what_a_faultless_reader_makes_of_a_foreign_completion_is_the_truth() -> None:
    scores = [score_phantom(corrected(FAULTLESS, seed), truth_of(seed)) for seed in SEEDS]
    assert all(score.exact_answer and not score.num_hallucinated for score in scores)
    assert fmean(overlap for score in scores for overlap in score.lesion_ious) > 0.9


def test_a_readers_corrections_are_off_by_as_much_as_the_reader() -> None:
    scores = [score_phantom(corrected(PANEL[5], seed), truth_of(seed)) for seed in SEEDS]
    assert 0.5 < fmean(score.exact_answer for score in scores) < 1
    assert 0.4 < fmean(overlap for score in scores for overlap in score.lesion_ious) < 0.85


def test_readers_prefer_the_truth_and_a_hasty_one_prefers_side_a() -> None:
    foreign_first = [read_case(FAULTLESS, truth_of(s), true_and_foreign(s)[::-1], seed=s).vote for s in SEEDS]
    assert [vote and vote.overall for vote in foreign_first].count("b") >= NUM_FILMS - 2
    hasty = replace(FAULTLESS, favours_a=1.0)
    votes = [read_case(hasty, truth_of(s), true_and_foreign(s)[::-1], seed=s).vote for s in SEEDS]
    assert {vote and vote.overall for vote in votes} == {"a"}


def test_readers_say_only_what_they_are_asked_for_and_take_the_longer_the_more_that_is() -> None:
    said = {
        kind: read_case(PANEL[1], truth_of(SEEDS[1]), true_and_foreign(SEEDS[1]), kind=kind, seed=3)
        for kind in KINDS
    }
    assert {kind for kind, reading in said.items() if reading.vote} == {"votes", "all"}
    rated = {
        kind
        for kind, reading in said.items()
        if any(step.plausibility for completion in reading.completions for step in completion.steps)
    }
    assert rated == {"steps", "all"}
    corrects = {
        kind
        for kind, reading in said.items()
        if any(completion.rewrite or completion.missed for completion in reading.completions)
    }
    assert corrects == {"regions", "all"}
    assert said["votes"].seconds < said["steps"].seconds < said["regions"].seconds < said["all"].seconds
