"""The whole loop with SIMULATED readers by real workers: a few films, a few steps, and a report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.simulated_loop.rounds import run_loop
from deepmedix_review.feedback.simulated_loop.state import LoopPlan
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model
from deepmedix_review.reviews.models import ReaderStudy, Reading, ReadingChange, Vote
from deepmedix_review.studies.models import Study
from inference.presets import PRESETS
from rl_feedback.choosing import difference
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL
from tests.workers import Workers

FEW = {"num_steps": 2, "examples_per_step": 2, "replay_per_step": 1}
ATTEMPTS = {**FEW, "examples_per_step": 1, "num_rollouts": 2, "max_new_tokens": 8}
RECIPE = {
    "stages": [{"kind": "sft", "lora_rank": 0, **FEW}, {"kind": "dpo", **FEW}, {"kind": "grpo", **ATTEMPTS}]
}
PLAN = LoopPlan(seed=3, num_rounds=1, num_readings=6, drawn_per_film=2, recipe=RECIPE)


def test_simulated_readings_become_a_candidate_a_word_of_the_gate_and_a_report(
    celery_workers: Workers, tmp_path: Path
) -> None:
    version = register_model(folder=SHIPPED_MODEL, preset=PRESETS["phantom"], card={}, actor=None)
    promote(version, actor=None)
    told: list[str] = []
    page = run_loop(PLAN, tell=told.append, folder=tmp_path)

    reader_study = ReaderStudy.objects.get()
    assert reader_study.title.startswith("SIMULATED readers")
    readings = Reading.objects.filter(assignment__case__reader_study=reader_study)
    assert readings.count() == readings.exclude(signed_at=None).count() == PLAN.num_readings
    assert Study.objects.count() == 2 * PLAN.num_readings
    apart = {
        study: difference(*texts)
        for study in Study.objects.all()
        for texts in [study.completions.filter(model_version=version).values_list("text", flat=True)]
    }
    is_read = set(readings.values_list("assignment__case__study", flat=True))
    assert min(apart[study] for study in apart if study.pk in is_read) >= max(
        apart[study] for study in apart if study.pk not in is_read
    )
    assert set(readings.values_list("assignment__reader__username", flat=True)) <= {
        f"simulated-reader-{number}" for number in range(1, 7)
    }
    assert Vote.objects.count() == 2 * PLAN.num_readings
    said = set(ReadingChange.objects.values_list("kind", flat=True))
    assert said >= {"rate_step", "annotate_region", "rate_answer", "cast_vote", "sign"}

    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    start, after = report["rounds"]
    run = TrainingRun.objects.get()
    assert (after["model"], after["num_readings"]) == (str(run.candidate), PLAN.num_readings)
    assert after["gate"].startswith(("Passed.", "Held."))
    assert after["promoted"] is (ModelVersion.objects.get(state="serving") == run.candidate)
    # So few readings are no ground to judge a scorer on: the reward goes without it.
    assert after["step_scorer"].startswith("Not used: steps of ")
    assert after["step_scorer"] == run.about["step_scorer"]["sentence"]
    assert "reward_steps" not in run.metrics.latest("step").values
    assert set(start["figures"]) == set(after["figures"]) == {"first", "second"}
    text = page.read_text("utf-8")
    assert "SIMULATED readers." in text
    assert all((page.parent / name).is_file() for name in ("exact_answer.svg", "lesion_recall.svg"))
    assert any("left" in line for line in told) or len(told) > 3

    num_changes = ReadingChange.objects.count()
    again = run_loop(PLAN, tell=told.append, folder=tmp_path)
    assert again == page
    assert ReadingChange.objects.count() == num_changes
    assert PreferenceDataset.objects.count() == TrainingRun.objects.count() == 1

    with pytest.raises(RefusedByRule, match="A run was begun here with seed 3"):
        run_loop(replace(PLAN, seed=4), tell=told.append, folder=tmp_path)
    with pytest.raises(RefusedByRule, match="and a recipe of its own"):
        run_loop(replace(PLAN, recipe=None), tell=told.append, folder=tmp_path)
