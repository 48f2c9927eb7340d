"""Measures a model on drawn films that it never learned from: the same films, greedily answered, every
time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.dialects import Dialect
from inference.engines import Done, Engine, Failed, GenerationRequest
from inference.grounding import ParsedCompletion, parse_completion
from inference.phantoms import Phantom, draw_phantom
from inference.regions import Frame
from rl_feedback.phantom_figures import PhantomScore, score_phantom

# Films asked at once: progress is told and a cancel obeyed at least this often.
FILMS_PER_ROUND = 16
FILM_SIDE_PX = 112


class EvaluationFailed(Exception):
    """The model gave no answer to a film; the message says why."""


class MeasuredOtherwise(ValueError):
    """A stored result holds other figures than are measured now."""


@dataclass(frozen=True)
class PhantomBenchmark:
    """Which held-out films: `num_phantoms` seeds from `first_seed` on, drawn as at `site`."""

    first_seed: int
    num_phantoms: int
    site: str


@dataclass(frozen=True)
class AskedHow:
    """How a model version is asked and read: `prompt` follows the film and `reasons` is whether it asks for
    reasoning; `box_frame` as in inference.regions."""

    prompt: str
    box_frame: str
    max_new_tokens: int
    dialect: Dialect = Dialect.DEEPMEDIX
    reasons: bool = True

    def read(self, text: str) -> ParsedCompletion:
        return parse_completion(text, reasons=self.reasons, dialect=self.dialect)


@dataclass(frozen=True)
class CaseResult:
    """What the model said of one held-out film, and how it scored."""

    seed: int
    text: str
    score: PhantomScore


def evaluate_phantoms(
    engine: Engine,
    benchmark: PhantomBenchmark,
    *,
    asked: AskedHow,
    known: Sequence[CaseResult] = (),
    on_round: Callable[[Sequence[CaseResult]], None] = lambda results: None,
) -> tuple[CaseResult, ...]:
    """Ask the engine about every film of the benchmark, in order of seeds. `known` are the first results, of
    an attempt that ended early: these films are not asked again. `on_round` gets all results so far; what it
    raises ends the evaluation. Raises EvaluationFailed where the model gives no answer."""
    results: list[CaseResult] = list(known)
    seeds = range(benchmark.first_seed, benchmark.first_seed + benchmark.num_phantoms)
    for start in range(len(results), len(seeds), FILMS_PER_ROUND):
        films = [
            draw_phantom(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=benchmark.site)
            for seed in seeds[start : start + FILMS_PER_ROUND]
        ]
        results.extend(_ask(engine, films, asked))
        on_round(results)
    return tuple(results)


def _ask(engine: Engine, films: Sequence[Phantom], asked: AskedHow) -> Iterator[CaseResult]:
    answers = answers_of(engine, [(str(film.seed), film.to_uint8()) for film in films], asked)
    for film, answer in zip(films, answers, strict=True):
        units = _frame_size(asked.box_frame, model_size=answer.model_size, film=film)
        score = score_phantom(answer.text, film.truth, model_size=units, parsed=asked.read(answer.text))
        yield CaseResult(film.seed, answer.text, score)


def answers_of(
    engine: Engine, films: Sequence[tuple[str, NDArray[np.uint8]]], asked: AskedHow
) -> tuple[Done, ...]:
    """The greedy answer to each film, given by the key it is asked under. Raises EvaluationFailed."""
    requests = [
        GenerationRequest(
            key=key,
            film=film,
            prompt=asked.prompt,
            temperature=0.0,
            seed=0,
            max_new_tokens=asked.max_new_tokens,
        )
        for key, film in films
    ]
    answers: dict[str, Done] = {}
    for event in engine.generate(requests):
        if isinstance(event, Failed):
            raise EvaluationFailed(f"Film {event.key}: {event.reason}")
        if isinstance(event, Done):
            # No row of a database holds a NUL.
            text = event.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
            answers[event.key] = replace(event, text=text)
    return tuple(answers[key] for key, _ in films)


def _frame_size(box_frame: str, *, model_size: tuple[int, int], film: Phantom) -> tuple[int, int]:
    """The film's width and height in the units in which the model writes its boxes."""
    sizes = {
        Frame.PROCESSED: model_size,
        Frame.INPUT: (film.width, film.height),
        Frame.NORM1000: (1000, 1000),
        Frame.NORM100: (100, 100),
        Frame.NORM1: (1, 1),
    }
    return sizes[Frame(box_frame)]


def case_as_json(result: CaseResult) -> dict[str, Any]:
    return {"seed": result.seed, "text": result.text, "score": asdict(result.score)}


def case_from_json(row: Mapping[str, Any]) -> CaseResult:
    """Raises MeasuredOtherwise, naming what is missing, for a row that another version wrote. One from before
    findings were counted by kind is read, without them."""
    score = {"found_by_kind": None, **row["score"]}
    missing = {field.name for field in fields(PhantomScore)} ^ set(score)
    if missing:
        raise MeasuredOtherwise(
            f"This result lacks or has too much of {', '.join(sorted(missing))}: evaluate the model again."
        )
    score = {name: tuple(value) if isinstance(value, list) else value for name, value in score.items()}
    score["boxes"] = tuple(map(tuple, score["boxes"]))
    if score["found_by_kind"] is not None:
        score["found_by_kind"] = tuple(map(tuple, score["found_by_kind"]))
    return CaseResult(seed=int(row["seed"]), text=str(row["text"]), score=PhantomScore(**score))
