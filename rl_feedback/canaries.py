"""Films that unmask a model which does not look: on a blank film, a hand or a chest in pieces nothing can be
found, on a mirrored film sides change over, and an answer must fit the film that was shown, not the one that
was due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from inference.canary_films import Grey, draw_blank, draw_hand, shuffle_film
from inference.engines import Engine
from inference.grounding import ParsedCompletion, parse_completion
from inference.phantoms import SIDES, Phantom, PhantomTruth, draw_phantom
from rl_feedback.evaluation.phantoms import FILM_SIDE_PX, FILMS_PER_ROUND, AskedHow, answers_of
from rl_feedback.gate.policy import CaseScores
from rl_feedback.phantom_figures import claims, named_findings

LABELS = {
    "blank_cited": "Findings cited on blank films",
    "other_part_cited": "Findings cited on hands",
    "shuffled_cited": "Findings cited on chests in pieces",
    "mirrored_sides": "Sides that follow a mirrored film",
    "image_dependence": "Fit to the film shown",
}


class CanaryKind(StrEnum):
    BLANK = "blank"
    HAND = "hand"
    MIRRORED = "mirrored"
    SWAPPED = "swapped"
    SHUFFLED = "shuffled"


@dataclass(frozen=True)
class CanaryBenchmark:
    """`num_films` canaries, of each kind a fifth; chests are those of seeds from `first_seed` on."""

    first_seed: int
    num_films: int
    site: str


@dataclass(frozen=True)
class Canary:
    """One film to be shown. `truth` is of the chest that is shown, as drawn before any mirroring; `due` of
    the one whose name the request bears; both None where no chest is."""

    place: int
    kind: CanaryKind
    film: Grey
    truth: PhantomTruth | None = None
    due: PhantomTruth | None = None
    due_seed: int = 0


@dataclass(frozen=True)
class CanaryResult:
    """What the model said of a canary. `num_cited` findings; of a mirrored film `num_placed` lesions named
    on some side and `num_followed` on the mirrored one; of a swapped film how its findings fit (F1) the film
    that was shown and the one that was due."""

    place: int
    kind: CanaryKind
    text: str
    num_cited: int
    num_placed: int
    num_followed: int
    fit_to_shown: float
    fit_to_due: float


def draw_canaries(benchmark: CanaryBenchmark) -> tuple[Canary, ...]:
    """The same benchmark always gives the same films."""
    chests = _one_sided_chests(benchmark)
    return tuple(_draw(place, benchmark, chests) for place in range(benchmark.num_films))


def evaluate_canaries(
    engine: Engine,
    benchmark: CanaryBenchmark,
    *,
    asked: AskedHow,
    known: Sequence[CanaryResult] = (),
    on_round: Callable[[Sequence[CanaryResult]], None] = lambda results: None,
) -> tuple[CanaryResult, ...]:
    """As `evaluation.evaluate_phantoms`."""
    canaries = draw_canaries(benchmark)
    results: list[CanaryResult] = list(known)
    for start in range(len(results), len(canaries), FILMS_PER_ROUND):
        shown = canaries[start : start + FILMS_PER_ROUND]
        answers = answers_of(engine, [(_key(canary), canary.film) for canary in shown], asked)
        results.extend(
            score_canary(canary, answer.text, parsed=asked.read(answer.text))
            for canary, answer in zip(shown, answers, strict=True)
        )
        on_round(results)
    return tuple(results)


def score_canary(canary: Canary, text: str, *, parsed: ParsedCompletion | None = None) -> CanaryResult:
    """See CanaryResult. `parsed`: the text as its dialect reads it, where that is not DeepMedix's."""
    parsed = parsed or parse_completion(text)
    said = named_findings(parsed.answer) | {name for step in parsed.steps for name in claims(step.text)}
    placed = followed = 0
    if canary.kind is CanaryKind.MIRRORED and canary.truth is not None:
        for lesion in canary.truth.lesions:
            own, other = f"{lesion.side} {lesion.kind}", f"{_other(str(lesion.side))} {lesion.kind}"
            placed += own in said or other in said
            followed += other in said and own not in said
    return CanaryResult(
        place=canary.place,
        kind=canary.kind,
        text=text,
        num_cited=len(said),
        num_placed=placed,
        num_followed=followed,
        fit_to_shown=_fit(said, canary.truth),
        fit_to_due=_fit(said, canary.due),
    )


def canary_scores(results: Sequence[CanaryResult]) -> dict[str, CaseScores]:
    """Each figure canary by canary; a canary of another kind weighs nothing."""
    rows: dict[str, list[tuple[float, float]]] = {
        "blank_cited": [(r.num_cited, r.kind is CanaryKind.BLANK) for r in results],
        "other_part_cited": [(r.num_cited, r.kind is CanaryKind.HAND) for r in results],
        "shuffled_cited": [(r.num_cited, r.kind is CanaryKind.SHUFFLED) for r in results],
        "mirrored_sides": [(r.num_followed / max(1, r.num_placed), r.num_placed) for r in results],
        "image_dependence": [(r.fit_to_shown - r.fit_to_due, r.kind is CanaryKind.SWAPPED) for r in results],
    }
    return {
        name: CaseScores(tuple(float(v) for v, _ in pairs), tuple(float(w) for _, w in pairs))
        for name, pairs in rows.items()
    }


def canary_as_json(result: CanaryResult) -> dict[str, Any]:
    return asdict(result)


def canary_from_json(row: Mapping[str, Any]) -> CanaryResult:
    return CanaryResult(**{**row, "kind": CanaryKind(row["kind"])})


def _key(canary: Canary) -> str:
    """A swapped film comes under the name of the one that was due."""
    return str(canary.due_seed) if canary.due else f"canary {canary.place}"


def _draw(place: int, benchmark: CanaryBenchmark, chests: Iterator[Phantom]) -> Canary:
    kind = tuple(CanaryKind)[place % len(CanaryKind)]
    seed = benchmark.first_seed + place
    if kind is CanaryKind.BLANK:
        return Canary(place, kind, draw_blank(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX))
    if kind is CanaryKind.HAND:
        return Canary(place, kind, draw_hand(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX))
    shown = next(chests)
    if kind is CanaryKind.SHUFFLED:
        return Canary(place, kind, shuffle_film(shown.to_uint8(), seed=seed))
    if kind is CanaryKind.MIRRORED:
        return Canary(place, kind, shown.to_uint8()[:, ::-1].copy(), shown.truth)
    due = next(chest for chest in chests if chest.truth.answer != shown.truth.answer)
    return Canary(place, kind, shown.to_uint8(), shown.truth, due.truth, due.seed)


def _one_sided_chests(benchmark: CanaryBenchmark) -> Iterator[Phantom]:
    """Films with a lesion, none of whose kinds is on both sides: of these a mirror changes every name."""
    for seed in count(benchmark.first_seed):
        film = draw_phantom(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=benchmark.site)
        kinds = [lesion.kind for lesion in film.truth.lesions]
        if kinds and len(set(kinds)) == len(kinds):
            yield film


def _other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]


def _fit(said: set[str], truth: PhantomTruth | None) -> float:
    """F1 of the findings; 0 where no chest was shown."""
    if truth is None:
        return 0.0
    present = {finding.name for finding in truth.findings}
    whole = len(said) + len(present)
    return 2 * len(said & present) / whole if whole else 1.0
