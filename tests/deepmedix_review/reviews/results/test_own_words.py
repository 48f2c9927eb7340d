"""Own questions with several choices or a text: what was answered stands in the results."""

import pytest

from deepmedix_review.reasoning.selectors import region_labels
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, save_criterion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.designs.design import Shows
from deepmedix_review.reviews.models import Criterion, Reading
from deepmedix_review.reviews.reading.changes import RateCriterion
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.designed import say_design
from tests.deepmedix_review.reviews.results.the_figures import figure
from tests.factories.accounts import AdminFactory
from tests.factories.reader_studies import a_draft, running, two_versions_running
from tests.factories.reasoning import CompletionFactory
from tests.factories.reviews import change, complete, sign

pytestmark = pytest.mark.django_db


def own(name: str, *, target: str, kind: str, options: tuple[str, ...] = ()) -> Criterion:
    return save_criterion(
        actor=AdminFactory.create(),
        name=name,
        question="",
        target=target,
        kind=kind,
        options=[Option(value, value, f"it is {value}") for value in options],
    ).criterion


def test_several_choices_are_counted_and_texts_listed_with_what_they_are_of() -> None:
    flaws = own("Film flaws", target="case", kind="choices", options=("rotated", "blurred"))
    remark = own("Remark", target="step", kind="text")
    silent = own("Unasked", target="case", kind="text")
    asked = [
        *default_criteria(),
        Asked(flaws),
        Asked(remark, is_required=False),
        Asked(silent, is_required=False),
    ]
    design = ReaderStudyDesign(shows="one")
    study = running(a_draft(num_cases=2, num_readers=2, design=design, asked=asked))
    assert say_design(study).endswith("2 cases.")
    readings = Reading.objects.filter(assignment__case__reader_study=study)
    for place, reading in enumerate(readings.order_by("assignment__case__position", "pk")):
        complete(reading)
        named = ("rotated",) if place else ("rotated", "blurred")
        change(reading, RateCriterion(flaws.uid, None, None, None, named))
        if place == 3:
            step = reading.completion_a.steps.get(position=2)
            change(reading, RateCriterion(remark.uid, None, step.uid, None, "Says what is there."))
        sign(reading)
    dashboard = compute(study)
    shares = {row[0]: (row[1], row[5:]) for row in figure(dashboard, "choices-film-flaws").table.rows}
    assert shares == {"rotated": (1.0, (4, 4, 2)), "blurred": (0.25, (1, 4, 2))}
    texts = figure(dashboard, "texts-remark")
    [row] = texts.table.rows
    assert row[:3] == (2, "the output", "step 2")
    assert row[4] == "Says what is there."
    assert texts.n == "1 text in 1 case by 1 reader"
    assert figure(dashboard, "texts-unasked").note == "Nobody has answered it yet."


@pytest.mark.parametrize("shows", ["two_versions", "one_of_two"])
@pytest.mark.parametrize("target", ["answer", "step", "region"])
def test_several_choices_of_two_versions_are_counted_for_each(shows: Shows, target: str) -> None:
    lacks = own("Lacks", target=target, kind="choices", options=("place", "degree"))
    study, older, newer = two_versions_running(
        num_cases=2, num_readers=2, shows=shows, asked=[*default_criteria(), Asked(lacks)]
    )
    times = {str(older): 0, str(newer): 0}
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        for shown in filter(None, (reading.completion_a, reading.completion_b)):
            times[str(shown.model_version)] += 1
            step = shown.steps.get()
            region = step.regions.get()
            of = {
                "answer": (shown.uid, None, None),
                "step": (None, step.uid, None),
                "region": (None, None, region.uid),
            }[target]
            named = ("place",) if shown.model_version == older else ("place", "degree")
            change(reading, RateCriterion(lacks.uid, *of, named))
        sign(reading)
    found = figure(compute(study), "choices-lacks")
    rows = {row[:2]: (row[2], row[6:8]) for row in found.table.rows}
    assert rows == {
        ("place", str(older)): (1.0, (times[str(older)],) * 2),
        ("place", str(newer)): (1.0, (times[str(newer)],) * 2),
        ("degree", str(older)): (0.0, (0, times[str(older)])),
        ("degree", str(newer)): (1.0, (times[str(newer)],) * 2),
    }
    assert found.n == f"{sum(times.values())} answers, 2 cases"


def test_a_region_is_called_as_on_the_film() -> None:
    step = CompletionFactory.create().steps.create(position=2, text="Nodules")
    edges = {"x_min": 1, "y_min": 1, "x_max": 5, "y_max": 5, "model_box": [1, 1, 5, 5]}
    first = step.regions.create(position=1, **edges)
    assert region_labels([first.pk]) == {first.pk: "2"}
    second = step.regions.create(position=2, **edges)
    assert region_labels([first.pk, second.pk]) == {first.pk: "2a", second.pk: "2b"}
