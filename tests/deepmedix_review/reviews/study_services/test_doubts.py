"""Of a case in doubt a judge is asked everything anew, and whether the finding is there."""

import pytest

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.conduct.disputes import disputes_of
from deepmedix_review.reviews.criteria.versions import default_criteria, library
from deepmedix_review.reviews.models import (
    Assignment,
    Reading,
)
from deepmedix_review.reviews.reading.changes import (
    RateCriterion,
)
from deepmedix_review.reviews.reading.completeness import find_missing
from deepmedix_review.reviews.reading.view import show_reading
from deepmedix_review.reviews.results.rows import row_files
from deepmedix_review.reviews.selectors import reading_for
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    adjudicate_doubts,
    queue_adjudications,
    start_adjudication,
)
from tests.deepmedix_review.reviews.study_services.a_dispute import (
    dispute,
    disputed_study,
    readings_of,
    say_alike,
    spare_reader,
    the_case,
)
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import an_open_reading, change, complete, sign

pytestmark = pytest.mark.django_db
EFFUSION = "Pleural Effusion"


def test_a_case_read_once_more_for_a_doubt_alone_needs_a_word_on_everything() -> None:
    reader_study = disputed_study()
    case = the_case(reader_study)
    for reading in say_alike(case):
        sign(reading)
    start_adjudication(case=case, reader=spare_reader(reader_study), actor=None, doubts=[EFFUSION])
    reading = Reading.objects.get(assignment__kind="adjudication")
    assert "4 steps have no rating yet" in " ".join(find_missing(reading).sentences)


def test_who_was_given_the_disputes_and_has_not_begun_is_asked_everything_for_a_doubt() -> None:
    reader_study = disputed_study()
    case = dispute(reader_study)
    assert queue_adjudications(reader_study=reader_study) == 1
    reading = Reading.objects.get(assignment__kind="adjudication")
    assert len(find_missing(reading).sentences) == 1
    assert adjudicate_doubts({case: [EFFUSION]}) == 1
    reading = Reading.objects.get(assignment__kind="adjudication")
    assert "4 steps have no rating yet" in " ".join(find_missing(reading).sentences)
    (row,) = disputes_of(reader_study, shows_reasons=True)
    assert row.reasons[1:] == (
        "A signed word is in doubt besides: everything is asked anew.",
        "Asked outright, whether it is there: Pleural Effusion.",
    )
    shown = show_reading(reading).adjudication
    assert shown is not None
    assert shown.disputed == ()
    assert adjudicate_doubts({case: [EFFUSION]}) == 0
    event = AuditEvent.objects.get(action="ask_everything")
    assert event.subject_uid == str(reading.assignment.uid)


def test_a_judge_at_work_is_asked_nothing_more_and_after_the_signature_somebody_else_is() -> None:
    reader_study = disputed_study(num_readers=4)
    case = dispute(reader_study)
    queue_adjudications(reader_study=reader_study)
    reading = Reading.objects.get(assignment__kind="adjudication")
    judge = reading.assignment.reader
    mark_opened(reading=reading, reader=judge)
    assert adjudicate_doubts({case: [EFFUSION]}) == 0
    complete(reading)
    sign(reading)
    assert adjudicate_doubts({case: [EFFUSION]}) == 1
    further = Assignment.objects.get(kind="adjudication", signed_at=None)
    assert further.asks_everything
    assert further.reader not in {one.assignment.reader for one in readings_of(case)[:2]} | {judge}
    (row,) = disputes_of(reader_study, shows_reasons=True)
    assert (row.adjudicator, row.is_signed) == (further.reader, False)
    with pytest.raises(RefusedByRule, match="being adjudicated already"):
        start_adjudication(case=case, reader=ExpertFactory.create(), actor=None, doubts=[EFFUSION])
    asked = Reading.objects.get(assignment=further)
    complete(asked)
    with pytest.raises(RefusedByRule, match="“Pleural Effusion there\\?” has no answer yet"):
        sign(asked)
    answer(asked, "cannot_tell")
    sign(asked)
    # Whoever was asked everything has left it open: nobody is asked again.
    assert adjudicate_doubts({case: [EFFUSION]}) == 0


def answer(reading: Reading, value: str) -> tuple[str, ...]:
    doubt = reading.assignment.doubts.get()
    return change(reading, RateCriterion(doubt.uid, None, None, None, value))


def test_a_finding_in_doubt_is_asked_outright_of_its_judge_alone() -> None:
    reader_study = disputed_study()
    case = the_case(reader_study)
    earlier = say_alike(case)
    for reading in earlier:
        sign(reading)
    assert adjudicate_doubts({case: [EFFUSION]}) == 1
    reading = Reading.objects.get(assignment__kind="adjudication")
    judge = reading.assignment.reader
    mark_opened(reading, reader=judge)
    shown = show_reading(reading_for(judge, reading.uid))
    (doubt,) = [one for one in shown.criteria if one.finding]
    assert (doubt.name, doubt.finding, doubt.is_required) == ("Pleural Effusion there?", EFFUSION, True)
    assert [(option.value, option.label) for option in doubt.options] == [
        ("yes", "yes"),
        ("no", "no"),
        ("cannot_tell", "can't tell"),
    ]
    assert doubt.uid not in {one.criterion.uid for one in default_criteria()}
    assert EFFUSION not in {criterion.finding for criterion in library()}
    reader = earlier[0].assignment.reader
    assert not [one for one in show_reading(reading_for(reader, earlier[0].uid)).criteria if one.finding]
    complete(reading)
    assert find_missing(reading).sentences == ("“Pleural Effusion there?” has no answer yet.",)
    with pytest.raises(RefusedByRule, match="no such value"):
        answer(reading, "perhaps")
    assert answer(reading, "no") == ()
    assert answer(reading, "yes") == ()
    sign(reading)
    (file,) = [one for one in row_files(reader_study) if one.name == "ratings.csv"]
    said = [row for row in file.rows() if "Pleural Effusion there?" in row]
    assert [row[file.columns.index("value")] for row in said] == ["yes"]
    other = an_open_reading()
    with pytest.raises(RefusedByRule, match="does not ask that question"):
        change(other, RateCriterion(doubt.uid, None, None, None, "yes"))
