"""Every reading and every rating, a row each: the page's own figures can be computed from them again."""

import csv
import uuid
from collections import Counter
from collections.abc import Mapping
from statistics import mean

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.reviews.criteria.library import DEFAULT_KEYS
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Criterion,
    ReaderStudy,
    ReaderStudyCriterion,
    Reading,
    RegionAnnotation,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
    AnnotateRegion,
    DrawRegion,
    RateCriterion,
    RateStep,
)
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.readings import load_readings
from deepmedix_review.reviews.results.rows import row_files
from deepmedix_review.reviews.services import amend_reading
from tests.deepmedix_review.reviews.results.test_downloads import unpacked
from tests.deepmedix_review.reviews.results.the_figures import figure
from tests.factories.accounts import ResearcherFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import an_open_reading, change, complete, reader_of, sign
from tests.factories.simulated_readers import eight_readers, simulated_reader_study

pytestmark = pytest.mark.django_db


def rows_in_the_zip(study: ReaderStudy, name: str) -> list[Mapping[str, str]]:
    client = Client()
    client.force_login(ResearcherFactory.create())
    files = unpacked(b"".join(client.get(reverse("reader-study-results-all", args=[study.uid]))))
    return list(csv.DictReader(files[name].decode().splitlines()))


def test_the_page_s_means_votes_and_counts_follow_from_the_rows_and_no_control_or_repeat_is_among_them() -> (
    None
):
    design = ReaderStudyDesign(control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = simulated_reader_study(num_cases=6, readers=eight_readers()[:2], design=design)
    every = Assignment.objects.filter(case__reader_study=study)
    data = every.filter(kind=Assignment.Kind.FIRST, case__role=Case.Role.DATA)
    assert 0 < data.count() < every.count()
    assert {*every.values_list("case__role", flat=True)} == {Case.Role.DATA, Case.Role.CONTROL}

    readings = rows_in_the_zip(study, "readings.csv")
    assert {row["reading"] for row in readings} == {
        str(uid) for uid in data.values_list("readings__uid", flat=True)
    }
    assert {row["kind"] for row in readings} == {"first"}
    ratings = rows_in_the_zip(study, "ratings.csv")
    assert {row["reading"] for row in ratings} == {row["reading"] for row in readings}
    dashboard = compute(study)
    means = {row[:2]: row for row in figure(dashboard, "means").table.rows}
    for question in ("Plausibility", "Correctness"):
        said = [int(row["value"]) for row in ratings if row["question"] == question]
        _, _, shown, *_ = means[question, "every output"]
        assert mean(said) == pytest.approx(shown, abs=1e-3)
    votes = Counter(row["value"] for row in ratings if row["question"] == "Better overall")
    of_data = Vote.objects.filter(kind=Vote.Kind.OVERALL, reading__assignment__in=data)
    assert votes == Counter(of_data.values_list("side", flat=True))
    assert {row["output"] for row in ratings if row["question"] == "Plausibility"} == {"A", "B"}
    assert all(row["version"] == "" for row in ratings if row["question"] == "Better overall")
    # What each row is of is told by its completion, whichever side it stood on.
    sides = {(row["reading"], side): row[f"completion {side}"] for row in readings for side in "AB"}
    assert all(row["completion"] == sides.get((row["reading"], row["output"]), "") for row in ratings)
    cases = {row["case"]: row for row in rows_in_the_zip(study, "cases.csv")}
    for row in readings:
        case = cases[row["case"]]
        written = {case["completion written first"], case["completion written later"]}
        assert {row["completion A"], row["completion B"]} == written
    moved = [row for row in ratings if row["value"] == "adjusted"]
    assert moved
    assert all(float(row["x_min"]) < float(row["x_max"]) and row["region"] for row in moved)
    fitting = [row for row in ratings if row["value"] == "fits"]
    assert {row["x_min"] for row in fitting} == {""}


def test_repeats_and_controls_have_files_of_their_own_that_join_by_reader_and_case() -> None:
    design = ReaderStudyDesign(control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = simulated_reader_study(num_cases=6, readers=eight_readers()[:2], design=design)
    other = rows_in_the_zip(study, "readings-of-repeats-and-controls.csv")
    assert {row["kind"] for row in other} == {"repeat", "control"}
    signed = Assignment.objects.filter(case__reader_study=study, signed_at__isnull=False)
    assert len(other) + len(rows_in_the_zip(study, "readings.csv")) == signed.count()
    first = {(row["reader"], row["case"]) for row in rows_in_the_zip(study, "readings.csv")}
    assert {(row["reader"], row["case"]) for row in other if row["kind"] == "repeat"} <= first
    ratings = rows_in_the_zip(study, "ratings-of-repeats-and-controls.csv")
    assert {row["reading"] for row in ratings} == {row["reading"] for row in other}
    roles = {row["case"]: row["role"] for row in rows_in_the_zip(study, "cases.csv")}
    assert {roles[row["case"]] for row in other if row["kind"] == "control"} == {"control"}


def test_what_is_signed_while_the_rows_are_made_is_in_none_of_their_files() -> None:
    study = running(a_draft(num_cases=2, num_readers=1))
    first, later = Reading.objects.filter(assignment__case__reader_study=study).order_by("pk")
    for reading in (first, later):
        complete(reading)
    sign(first)
    files = {file.name: file for file in row_files(study)}
    assert {row[0] for row in files["readings.csv"].rows()} == {str(first.uid)}
    sign(later)
    assert {row[0] for row in files["ratings.csv"].rows()} == {str(first.uid)}


def test_the_codebook_says_what_each_value_means() -> None:
    reading = an_open_reading(num_completions=1)
    complete(reading, plausibility=4)
    unsure = reading.completion_a.steps.earliest("position")
    change(reading, RateStep(unsure.uid, None, True, ""))
    sign(reading)
    study = reading.assignment.case.reader_study
    meaning = {
        (row["question"], row["value"]): row["meaning"] for row in rows_in_the_zip(study, "questions.csv")
    }
    rated = [row for row in rows_in_the_zip(study, "ratings.csv") if row["question"] == "Plausibility"]
    assert {row["value"] for row in rated} == {"4", "can't judge"}
    assert all(meaning[row["question"], row["value"]] for row in rated)
    [case] = rows_in_the_zip(study, "cases.csv")
    film = reading.completion_a.instance
    assert (case["study"], case["film width"]) == (reading.assignment.case.study.label, str(film.columns))


def test_own_choices_drawn_regions_and_what_an_amendment_changed_have_their_rows() -> None:
    reading = an_open_reading(num_completions=1, asked=DEFAULT_KEYS)
    study = reading.assignment.case.reader_study
    kinds = Criterion.objects.create(
        key="own",
        name="What is wrong",
        target=Criterion.Target.STEP,
        kind=Criterion.Kind.CHOICES,
        options=[
            {"value": value, "label": value.upper(), "anchor": "…"} for value in ("side", "zone", "size")
        ],
    )
    words = Criterion.objects.create(
        key="words", name="In words", target=Criterion.Target.CASE, kind=Criterion.Kind.TEXT
    )
    for place, criterion in enumerate((kinds, words)):
        ReaderStudyCriterion.objects.create(
            reader_study=study, criterion=criterion, position=50 + place, is_required=False
        )
    complete(reading, plausibility=4)
    first, *_, last = reading.completion_a.steps.order_by("position")
    change(reading, RateCriterion(kinds.uid, None, last.uid, None, ("zone", "size")))
    change(reading, RateCriterion(words.uid, None, None, None, "seen by Dr Example"))
    change(reading, RateStep(first.uid, None, True, "a note"))
    change(reading, DrawRegion(uuid.uuid4(), first.uid, None, None, (10.0, 20.0, 110.0, 220.5)))
    Reading.objects.filter(pk=reading.pk).update(active_seconds=41)
    sign(reading)
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="Looked again.")
    region = last.regions.earliest("position")
    change(amendment, AnnotateRegion(region.uid, RegionAnnotation.Verdict.ADJUSTED, (1.0, 2.0, 3.0, 4.5)))
    sign(amendment)

    # It was read in as many seconds as it was first read in.
    assert load_readings(study).seconds.tolist() == [41.0]
    [whole] = rows_in_the_zip(study, "readings.csv")
    assert (whole["reading"], whole["completion B"]) == (str(amendment.uid), "")
    assert whole["version A"] == str(reading.completion_a.model_version).split()[-1]
    rows = rows_in_the_zip(study, "ratings.csv")
    assert {row["reading"] for row in rows} == {str(amendment.uid)}
    of_step = [row for row in rows if row["step"] == str(last.position)]
    own = [(row["value"], row["label"]) for row in of_step if row["question"] == "What is wrong"]
    assert own == [("zone", "ZONE"), ("size", "SIZE")]
    [redrawn] = [row for row in rows if row["value"] == "adjusted"]
    edges = [redrawn[edge] for edge in ("x_min", "y_min", "x_max", "y_max")]
    assert (redrawn["step"], redrawn["region"], edges) == (
        str(last.position), str(region.position), ["1.0", "2.0", "3.0", "4.5"],
    )  # fmt: skip
    [drawn] = [row for row in rows if row["question"] == "Drawn region"]
    assert (drawn["value"], drawn["step"], drawn["y_max"]) == ("step", str(first.position), "220.5")
    unsure = [row["value"] for row in rows if row["step"] == "1" and row["question"] == "Plausibility"]
    assert unsure == ["can't judge"]
    assert not any("Example" in str(row) or "a note" in str(row) for row in rows)
