"""How often each choice was made, held against hand counts; of errors also the steps that were not asked."""

import pytest

from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, save_criterion
from deepmedix_review.reviews.models import Criterion, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, RateCriterion, RateStep
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.rated import names_sides
from tests.deepmedix_review.reviews.results.the_figures import figure
from tests.factories.accounts import AdminFactory
from tests.factories.reader_studies import two_versions_running
from tests.factories.reviews import an_open_reading, change, complete, sign

pytestmark = pytest.mark.django_db


def test_regions_that_fit_are_counted_for_each_version() -> None:
    study, older, newer = two_versions_running(num_cases=4)
    for place, reading in enumerate(Reading.objects.filter(assignment__case__reader_study=study)):
        complete(reading)
        of_older = Region.objects.filter(step__completion__model_version=older)
        shown = {reading.completion_a_id, reading.completion_b_id}
        [region] = of_older.filter(step__completion__in=shown)
        if place < 3:
            change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
        sign(reading)
    found = figure(compute(study), "choices-region-verdict")
    rows = {row[:2]: (row[2], row[6:]) for row in found.table.rows}
    assert rows["fits", str(older)] == (0.25, (1, 4, 4))
    assert rows["wrong", str(older)] == (0.75, (3, 4, 4))
    assert rows["fits", str(newer)] == (1.0, (4, 4, 4))
    assert found.value == f"{older} fits 0.25"
    assert (found.n, found.interval[:13]) == ("8 ratings, 4 cases", "95 % interval")
    assert found.note == "Nothing can be told from 4 cases."


def test_an_error_s_share_is_of_all_rated_steps_those_that_were_not_asked_too() -> None:
    asked = ["plausibility", "error-of-finding"]
    reading = an_open_reading(num_completions=1, asked=asked)
    complete(reading, plausibility=5)
    flawed, *others = reading.completion_a.steps.order_by("position")
    change(reading, RateStep(flawed.uid, 2, False, ""))
    error = Criterion.objects.get(key="error-of-finding")
    change(reading, RateCriterion(error.uid, None, flawed.uid, None, "false"))
    sign(reading)
    dashboard = compute(reading.assignment.case.reader_study)
    rows = {row[0]: row[2:] for row in figure(dashboard, "choices-error-of-finding").table.rows}
    assert len(others) == 1
    assert rows["not there"] == (0.5, None, None, None, 1, 2, 1)
    assert rows["denied"][0] == 0.0
    assert "no error" not in rows
    assert dashboard.figure("choices-region-verdict") is None


A, B = Option("A", "A", "output A"), Option("B", "B", "output B")
ALIKE = Option("same", "Same", "no difference")
BY_SIDE = " (A and B are the sides shown, not versions)"


@pytest.mark.parametrize(
    ("labels", "is_of_sides"),
    [
        (("A wins", "B wins"), True),
        (("A", "neither"), True),
        (("Only in A", "In both"), True),
        (("A nodule is missed", "No nodule is missed"), False),
        (("Nothing differs. A nodule is placed otherwise.", "The same"), False),
        (("A-lines are named", "B-lines are named"), False),
    ],
)
def test_an_article_names_no_side(labels: tuple[str, ...], is_of_sides: bool) -> None:
    options = [{"value": str(place), "label": label} for place, label in enumerate(labels)]
    assert names_sides(Criterion(target="vote", kind="choice", options=options)) is is_of_sides


@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("choice", (A, ALIKE, B), None),
        ("choice", (Option("A wins", "A wins", "A"), ALIKE, Option("B wins", "B wins", "B")), BY_SIDE),
        ("choice", (Option("first", "The first", "1"), ALIKE, Option("second", "The second", "2")), ""),
        ("choices", (A, ALIKE, B), BY_SIDE),
    ],
)
def test_an_own_choice_between_the_outputs_is_of_versions_or_said_to_be_of_sides(
    kind: str, options: tuple[Option, ...], names: str | None
) -> None:
    clearer = save_criterion(
        actor=AdminFactory.create(), name="Clearer", question="", target="vote", kind=kind, options=options
    ).criterion
    study, older, newer = two_versions_running(num_cases=4, asked=[*default_criteria(), Asked(clearer)])
    sides = set()
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        # The newer one every time, whichever side it stands on.
        on_a = reading.completion_a.model_version_id == newer.pk
        sides.add(on_a)
        value = str((options[0] if on_a else options[2]).value)
        change(
            reading, RateCriterion(clearer.uid, None, None, None, (value,) if kind == "choices" else value)
        )
        sign(reading)
    assert sides == {True, False}
    found = figure(compute(study), "choices-clearer")
    times = {row[0]: row[-3] for row in found.table.rows}
    if names is None:
        assert times == {str(older): 0, "Same": 0, str(newer): 4}
    else:
        assert times == {option.label: {0: 2, 1: 0, 2: 2}[place] for place, option in enumerate(options)}
    assert found.title == f"Clearer{names or ''}: how often each choice"
