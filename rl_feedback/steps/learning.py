"""Learns a step scorer from readers' ratings of steps, and judges it on readers and patients it never met.

Half of the readers rate what the other half's scorer is judged by, and the other way round, on patients in
fifths: each judged score comes from a scorer that met neither the reader's word nor the patient. (How strict
each reader is, is told from all ratings.) What may be used then is the scorer of all ratings together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_feedback.steps.judging import Judgement, judge, straight_line
from rl_feedback.steps.rated import lengths_and_places
from rl_feedback.steps.scorer import StepScorer, fit_step_scorer
from rl_feedback.training.examples import RatedStep

Numbers = NDArray[np.float64]
States = NDArray[np.float32]

NUM_FOLDS = 5
# Of fewer patients no interval says anything.
LEAST_PATIENTS = 10
LEAST_READERS = 2
# As many ratings pull a reader's lenience halfway to none.
PULLING_RATINGS = 5
ROUNDS = 20
BASELINES = ("length", "place")


@dataclass(frozen=True)
class LearnedScorer:
    """`scorer` of all ratings, None where there are too few; `sentence` says whether it may be used, and why
    not."""

    scorer: StepScorer | None
    judgement: Judgement | None
    sentence: str
    num_ratings: int
    num_patients: int
    num_readers: int

    @property
    def may_be_used(self) -> bool:
        return self.judgement is not None and self.judgement.may_be_used

    def as_json(self) -> dict[str, Any]:
        """Without the scorer's own numbers."""
        return {
            "may_be_used": self.may_be_used,
            "sentence": self.sentence,
            "num_ratings": self.num_ratings,
            "num_patients": self.num_patients,
            "num_readers": self.num_readers,
            "judgement": asdict(self.judgement) if self.judgement else None,
        }


@dataclass(frozen=True)
class _Steps:
    """Distinct steps: what the model knows of each, whose film it is of, and the baselines' numbers."""

    states: States
    patients: tuple[str, ...]
    baselines: dict[str, Numbers]


@dataclass(frozen=True)
class _Labels:
    """What some readers together say: places of the steps, what each deserves, and how much that weighs."""

    places: NDArray[np.int64]
    values: Numbers
    weights: Numbers

    def only(self, kept: NDArray[np.bool_]) -> _Labels:
        return _Labels(self.places[kept], self.values[kept], self.weights[kept])


def step_of(rated: RatedStep) -> tuple[str, str, str, int]:
    """What ratings of one step have in common."""
    return rated.film, rated.prompt, rated.text, rated.step


def learn_step_scorer(
    rated: Sequence[RatedStep],
    states: dict[tuple[str, str, str, int], States],
    *,
    parent_sha256: str,
    seed: int,
) -> LearnedScorer:
    """`states` holds one row for each `step_of` a rating, of the model that the scorer shall read by."""
    found = {
        "num_ratings": len(rated),
        "num_patients": len({one.patient for one in rated}),
        "num_readers": len({one.reader for one in rated}),
    }
    too_few = lacking(rated)
    if too_few:
        return LearnedScorer(None, None, f"Not used: {too_few}", **found)
    place_of = {step: place for place, step in enumerate(sorted(states))}
    first = {place_of[step_of(one)]: one for one in reversed(rated)}
    ordered = [first[place] for place in range(len(place_of))]
    steps = _Steps(
        states=np.stack([states[step] for step in sorted(states)]),
        patients=tuple(one.patient for one in ordered),
        baselines=dict(zip(BASELINES, map(np.asarray, lengths_and_places(ordered)), strict=True)),
    )
    lenience = _leniences(rated)
    halves = [
        _labels([one for one in rated if one.reader in half], place_of, lenience)
        for half in _halves(rated, seed=seed)
    ]
    try:
        judgement = _judge(steps, halves, parent_sha256=parent_sha256, seed=seed)
        scorer = _fit(steps, _labels(rated, place_of, lenience), parent_sha256=parent_sha256, seed=seed)
    except ValueError as error:
        return LearnedScorer(None, None, f"Not used: {error}", **found)
    return LearnedScorer(scorer, judgement, judgement.sentence, **found)


def lacking(rated: Sequence[RatedStep]) -> str:
    """Why nothing could be judged by these ratings, before any film is looked at; empty where much could."""
    num_readers, num_patients = len({one.reader for one in rated}), len({one.patient for one in rated})
    if not num_readers:
        return "no reader rated steps that this model can read."
    if num_readers < LEAST_READERS:
        return "one reader alone rated steps, so no reader is left to judge the scorer by."
    if num_patients < LEAST_PATIENTS:
        return (
            f"steps of {num_patients} patients were rated, and it takes {LEAST_PATIENTS} to learn from some "
            "and be judged on others."
        )
    return ""


def _halves(rated: Sequence[RatedStep], *, seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Two halves of the readers with about as many ratings."""
    counts = Counter(one.reader for one in rated)
    rng = np.random.default_rng(seed)
    drawn = {reader: float(rng.random()) for reader in sorted(counts)}
    halves: tuple[list[str], list[str]] = ([], [])
    for reader in sorted(counts, key=lambda one: (-counts[one], drawn[one])):
        min(halves, key=lambda half: sum(counts[one] for one in half)).append(reader)
    return frozenset(halves[0]), frozenset(halves[1])


def _leniences(rated: Sequence[RatedStep]) -> dict[str, float]:
    """By how many points each reader rates above what the step is given on the mean, pulled towards none the
    fewer ratings there are: step and reader in turn, until they stay."""
    steps: dict[tuple[str, str, str, int], list[RatedStep]] = defaultdict(list)
    readers: dict[str, list[RatedStep]] = defaultdict(list)
    for one in rated:
        steps[step_of(one)].append(one)
        readers[one.reader].append(one)
    lenience = dict.fromkeys(readers, 0.0)
    for _ in range(ROUNDS):
        means = {
            step: fmean(one.rating - lenience[one.reader] for one in said) for step, said in steps.items()
        }
        lenience = {
            reader: sum(one.rating - means[step_of(one)] for one in said) / (len(said) + PULLING_RATINGS)
            for reader, said in readers.items()
        }
    return lenience


def _labels(
    rated: Sequence[RatedStep],
    place_of: Mapping[tuple[str, str, str, int], int],
    lenience: Mapping[str, float],
) -> _Labels:
    """What these readers say of each step on the mean, each one's lenience taken off; a step weighs as many
    readers as rated it."""
    said: dict[int, list[float]] = defaultdict(list)
    for one in rated:
        points = one.rating - lenience[one.reader]
        said[place_of[step_of(one)]].append(min(1.0, max(0.0, (points - 1) / 4)))
    places = sorted(said)
    return _Labels(
        np.array(places, dtype=np.int64),
        np.array([fmean(said[place]) for place in places]),
        np.array([float(len(said[place])) for place in places]),
    )


def _fit(steps: _Steps, labels: _Labels, *, parent_sha256: str, seed: int) -> StepScorer:
    return fit_step_scorer(
        steps.states[labels.places],
        labels.values.tolist(),
        labels.weights.tolist(),
        [steps.patients[place] for place in labels.places],
        parent_sha256=parent_sha256,
        seed=seed,
    )


def _judge(steps: _Steps, halves: Sequence[_Labels], *, parent_sha256: str, seed: int) -> Judgement:
    patients, patient = np.unique(np.asarray(steps.patients), return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(patients))[patient] % NUM_FOLDS
    scores: list[float] = []
    ratings: list[float] = []
    weights: list[float] = []
    cases: list[str] = []
    by_baseline: dict[str, list[float]] = {name: [] for name in BASELINES}
    for learned, held_out in ((halves[0], halves[1]), (halves[1], halves[0])):
        for number in range(NUM_FOLDS):
            met = learned.only(fold[learned.places] != number)
            unmet = held_out.only(fold[held_out.places] == number)
            if not len(unmet.places):
                continue
            scorer = _fit(steps, met, parent_sha256=parent_sha256, seed=seed)
            scores += scorer.score(steps.states[unmet.places]).mean.tolist()
            ratings += unmet.values.tolist()
            weights += unmet.weights.tolist()
            cases += [steps.patients[place] for place in unmet.places]
            for name, x in steps.baselines.items():
                by_baseline[name] += straight_line(x[met.places], met.values, x[unmet.places])
    return judge(
        scores=scores, ratings=ratings, weights=weights, cases=cases, baselines=by_baseline, seed=seed
    )
