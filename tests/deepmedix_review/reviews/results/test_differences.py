"""How far two versions differ where both were rated, held against hand counts."""

import numpy as np
import pytest

from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.models import ReaderStudy, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion
from deepmedix_review.reviews.results import differences
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.downloads import csv_lines
from deepmedix_review.reviews.study_services import lock_reader_study
from tests.deepmedix_review.reviews.results.the_figures import figure, rows_of
from tests.factories.reader_studies import two_versions_running
from tests.factories.reviews import change, complete, sign

pytestmark = pytest.mark.django_db


def test_the_share_of_regions_that_fit_is_compared_within_each_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study, older, newer = two_versions_running(num_cases=12, num_readers=2)
    empty = figure(compute(study), "differences")
    assert (empty.table.rows, empty.title) == ((), "The two versions against each other")
    assert empty.note == "No reading has ratings of both versions on a scale, or of regions of both, yet."
    for reading in Reading.objects.filter(assignment__case__reader_study=study).select_related(
        "assignment__case"
    ):
        complete(reading)
        # The earlier version's one region is wrong on 6 of 12 cases, the later one's never.
        if reading.assignment.case.position <= 6:
            [region] = Region.objects.filter(
                step__completion__in=[reading.completion_a_id, reading.completion_b_id],
                step__completion__model_version=older,
            )
            change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
        sign(reading)
    dashboard = compute(study)
    found = figure(dashboard, "differences")
    row = rows_of(found)["Regions that fit"]
    # 12 cases of a difference of 1 or 0, alike within a case: 0.5 with t(11) = 2.201 times sqrt(3 / 11 / 12).
    assert row["difference"] == 0.5
    assert (row["low"], row["high"]) == pytest.approx(
        (0.5 - 2.201 * (3 / 11 / 12) ** 0.5, 0.5 + 2.201 * (3 / 11 / 12) ** 0.5), abs=1e-3
    )
    assert (row["cases"], row["readings"], row["readers"]) == (12, 24, 2)
    assert row["verdict"] == f"{newer}'s fit more often"
    # The bootstrap of the mean of six zeros and six ones is a binomial of 12 by a half.
    binomial = np.quantile(np.random.default_rng(0).binomial(12, 0.5, 100_000) / 12, [0.025, 0.975])
    assert (row["bootstrap low"], row["bootstrap high"]) == pytest.approx(binomial, abs=1 / 12)
    assert found.n == "24 readings, 12 cases, 2 readers"
    assert "1,000 bootstrap draws of cases, where at most 2,000" in found.method
    assert "Student's t, the test that the plan counts with;" in found.method
    assert found.method.endswith("both hold for these readers, who rated in a reading that has both")
    assert found.plot is not None
    words = [label.text for label in found.plot.labels]
    assert f"Share of regions, higher is better; right: {newer} higher" in words
    assert {"Regions that fit", "-1", "0.50", "share"} <= set(words)
    assert f"Regions that fit +0.50 ± 0.33: {newer}'s fit more often" in dashboard.head[0].said
    lines = list(csv_lines(found.table))
    assert lines[0].startswith("question,difference,low,high,half width,verdict,scale,better,cases,readings")
    assert any(line.startswith("Regions that fit,0.5,") for line in lines)
    monkeypatch.setattr(differences, "MOST_DRAWN_CASES", 11)
    row = rows_of(figure(compute(study), "differences"))["Regions that fit"]
    assert (row["difference"], row["bootstrap low"]) == (0.5, None)


def test_where_a_reading_shows_one_of_two_the_difference_is_within_a_case() -> None:
    study, _, newer = two_versions_running(num_cases=2, num_readers=4, shows="one_of_two")
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        if reading.completion_a.model_version_id == newer.pk:
            region = Region.objects.get(step__completion=reading.completion_a)
            change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
        sign(reading)
    found = figure(compute(study), "differences")
    row = rows_of(found)["Regions that fit"]
    assert (row["difference"], row["cases"], row["readers"]) == (-1.0, 2, 4)
    assert (row["bootstrap low"], row["verdict"]) == (None, "nothing can be told from 2 cases")
    assert found.n == "2 cases, 4 readers"
    assert "the plan counts with" not in found.method
    assert found.method.endswith("who rated in a case that has both")


def test_what_can_come_to_be_compared_is_told_apart_from_what_never_will() -> None:
    def note(study: ReaderStudy) -> str:
        return figure(compute(study), "differences").note

    none = "No case has ratings of both versions on a scale, or of regions of both"
    study, _, _ = two_versions_running(num_cases=2, num_readers=2, shows="one_of_two")
    assert note(study) == f"{none}, yet."
    alone, _, _ = two_versions_running(num_cases=4, shows="one_of_two")
    assert note(alone) == f"{none}."
    for reading in Reading.objects.filter(assignment__case__reader_study=alone):
        complete(reading)
        sign(reading)
    assert note(alone) == f"{none}."
    lock_reader_study(reader_study=study, actor=None)
    study.refresh_from_db()
    assert note(study) == f"{none}."
