"""A model is measured on the same held-out films each time, and every case can be read again from JSON."""

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from inference.engines import Done, Event, Failed, GenerationRequest, load_engine
from inference.engines.requests import EngineSettings
from inference.grounding import parse_completion
from inference.phantoms import draw_phantom, ideal_reasoning
from inference.regions import Preparation
from rl_feedback.evaluation.phantoms import (
    AskedHow,
    CaseResult,
    EvaluationFailed,
    PhantomBenchmark,
    case_as_json,
    case_from_json,
    evaluate_phantoms,
)
from rl_feedback.phantom_figures import aggregate, case_scores
from tests.factories.models import write_untrained_model

BENCHMARK = PhantomBenchmark(first_seed=1_000_100, num_phantoms=20, site="second")
ASKED = AskedHow(prompt="Report.", box_frame="processed", max_new_tokens=8)


class Oracle:
    """An engine that knows the truth and writes it in the given frame; answers come in any order."""

    def __init__(self, *, scale: float = 1.0, silent_on: str = "") -> None:
        self.scale, self.silent_on = scale, silent_on

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        for request in reversed(requests):
            if request.key == self.silent_on:
                yield Failed(request.key, "The film is too large.")
                continue
            text = ideal_reasoning(draw_phantom(seed=int(request.key), site=BENCHMARK.site).truth)
            for step in parse_completion(text).steps:
                for box in step.boxes:
                    written = "[" + ", ".join(str(round(value)) for value in box) + "]"
                    scaled = "[" + ", ".join(f"{value * self.scale:.4f}" for value in box) + "]"
                    text = text.replace(written, scaled, 1)
            yield Done(request.key, text, request.prompt, 8, 0.1, (112, 112), "stop")


@pytest.mark.parametrize(
    ("box_frame", "scale"),
    [("processed", 1.0), ("norm1000", 1000 / 112), ("norm100", 100 / 112), ("norm1", 1 / 112)],
)
def test_what_is_true_scores_full_marks_in_whatever_frame_it_is_written(box_frame: str, scale: float) -> None:
    asked = AskedHow(prompt="Report.", box_frame=box_frame, max_new_tokens=8)
    told: list[int] = []
    results = evaluate_phantoms(
        Oracle(scale=scale), BENCHMARK, asked=asked, on_round=lambda so_far: told.append(len(so_far))
    )
    figures = aggregate([result.score for result in results])
    assert [result.seed for result in results] == list(range(1_000_100, 1_000_120))
    assert figures["exact_answer"].mean == figures["lesion_recall"].mean == 1.0
    assert figures["heart_iou"].mean > 0.95
    assert figures["lesion_iou"].mean > 0.85
    assert told == [16, 20]


def test_films_that_an_earlier_attempt_answered_are_not_asked_again() -> None:
    kept: list[CaseResult] = []

    def stop(so_far: Sequence[CaseResult]) -> None:
        kept.extend(so_far)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate_phantoms(Oracle(), BENCHMARK, asked=ASKED, on_round=stop)
    assert len(kept) == 16
    asked_again = Oracle(silent_on="1000115")
    assert evaluate_phantoms(asked_again, BENCHMARK, asked=ASKED, known=kept) == evaluate_phantoms(
        Oracle(), BENCHMARK, asked=ASKED
    )


def test_an_unanswered_film_ends_the_evaluation_with_its_reason() -> None:
    with pytest.raises(EvaluationFailed, match=r"1000103: The film is too large\."):
        evaluate_phantoms(Oracle(silent_on="1000103"), BENCHMARK, asked=ASKED)


def test_what_on_round_raises_ends_the_evaluation() -> None:
    def stop(results: Sequence[CaseResult]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate_phantoms(Oracle(), BENCHMARK, asked=ASKED, on_round=stop)


def test_a_case_survives_json_and_one_of_another_version_is_refused() -> None:
    result = evaluate_phantoms(Oracle(), BENCHMARK, asked=ASKED)[0]
    row = json.loads(json.dumps(case_as_json(result)))
    assert case_from_json(row) == result
    assert result.score.found_by_kind is not None
    del row["score"]["found_by_kind"]
    earlier = case_from_json(row)
    assert replace(earlier.score, found_by_kind=result.score.found_by_kind) == result.score
    with pytest.raises(ValueError, match="before findings were counted by kind"):
        case_scores([earlier.score])
    del row["score"]["heart_iou"]
    with pytest.raises(ValueError, match="heart_iou"):
        case_from_json(row)


def test_a_real_model_gives_the_same_answers_twice(tmp_path: Path) -> None:
    folder = write_untrained_model(tmp_path / "model")
    settings = EngineSettings(
        folder=folder, min_pixels=12544, max_pixels=12544, preparation=Preparation.SQUARE
    )
    few = PhantomBenchmark(first_seed=1_000_100, num_phantoms=3, site="first")
    first, second = (evaluate_phantoms(load_engine(settings), few, asked=ASKED) for _ in range(2))
    assert first == second
