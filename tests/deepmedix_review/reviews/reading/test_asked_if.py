"""Errors are asked of steps that have one: the server's rule, by the table that tests the room's."""

import json
from pathlib import Path
from typing import Any

import pytest

from deepmedix_review.reasoning.models import ReasoningStep
from deepmedix_review.reviews.criteria.versions import Asked, ask, ensure_library, library
from deepmedix_review.reviews.models import Criterion, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, RateCriterion, RateStep
from deepmedix_review.reviews.reading.completeness import find_missing
from tests.factories.reviews import an_open_reading, change

pytestmark = pytest.mark.django_db

CASES = json.loads(Path(__file__).with_name("errors_asked.json").read_text())
ERRORS = {f"Error of {what}": what for what in ("finding", "location", "severity")}


def say(reading: Reading, step: ReasoningStep, case: dict[str, Any]) -> None:
    change(reading, RateStep(step.uid, case["plausibility"], case.get("cannot_judge", False), ""))
    for region, verdict in zip(step.regions.all(), case["verdicts"], strict=True):
        box = (10.0, 10.0, 90.0, 90.0) if verdict == "adjusted" else None
        said = RegionAnnotation.Verdict(verdict) if verdict else None
        change(reading, AnnotateRegion(region.uid, said, box))
    finding = Criterion.objects.get(key="error-of-finding", version=1)
    change(reading, RateCriterion(finding.uid, None, step.uid, None, case["finding"]))


def open_errors(reading: Reading, step: ReasoningStep) -> list[str]:
    return [
        ERRORS[name]
        for name, items in find_missing(reading).own
        if name in ERRORS and str(step.position) in items
    ]


def test_an_error_is_asked_of_a_step_that_has_one_as_the_table_says() -> None:
    keys = ("plausibility", "region-verdict", *(f"error-of-{what}" for what in ERRORS.values()))
    reading = an_open_reading(num_completions=1, asked=keys)
    asked = {criterion.key: Asked(criterion) for criterion in library().filter(key__in=keys)}
    completion = reading.completion_a
    ReasoningStep.objects.create(completion=completion, position=3, text="No effusion.")
    by_regions = {step.regions.count(): step for step in completion.steps.all()}
    for case in CASES:
        left_out = [
            key
            for key, is_asked in (
                ("plausibility", case.get("asks_plausibility", True)),
                ("region-verdict", case.get("asks_verdict", True)),
            )
            if not is_asked
        ]
        ask(reading.assignment.case.reader_study, [asked[key] for key in keys if key not in left_out])
        step = by_regions[len(case["verdicts"])]
        say(reading, step, case)
        assert open_errors(reading, step) == case["open"], case["says"]


def test_a_reader_study_that_began_before_the_rule_goes_on_asking_all() -> None:
    Criterion.objects.filter(key__startswith="error-of").update(asked_if="")
    keys = ("plausibility", "region-verdict", *(f"error-of-{what}" for what in ERRORS.values()))
    reading = an_open_reading(num_completions=1, asked=keys)
    ensure_library()
    assert {one.version for one in library().filter(key__startswith="error-of")} == {2}
    step = reading.completion_a.steps.get(position=1)
    say(reading, step, next(case for case in CASES if case["says"] == "right, and its region fits"))
    assert open_errors(reading, step) == list(ERRORS.values())
