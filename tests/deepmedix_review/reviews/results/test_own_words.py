"""Own questions with several choices or a text: what was answered stands in the results."""

import pytest

from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, save_criterion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Criterion, Reading
from deepmedix_review.reviews.reading.changes import RateCriterion
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.designed import say_design
from tests.deepmedix_review.reviews.results.the_figures import figure
from tests.factories.accounts import AdminFactory
from tests.factories.reader_studies import a_draft, running
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
