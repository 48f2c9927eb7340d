"""A hidden repeat waits until its reader has forgotten the case: in days, and in cases read since."""

import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.common.dates import say_moment
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, ReaderStudy, Reading
from deepmedix_review.reviews.selectors import place_of, reading_for, worklist
from deepmedix_review.reviews.services import mark_opened, sign_reading
from deepmedix_review.reviews.study_services import (
    lock_reader_study,
    pause_reader_study,
    release_due_repeats,
    resume_reader_study,
)
from deepmedix_review.reviews.tasks import tend_reader_studies
from deepmedix_review.reviews.worklist.endings import ending_after
from tests.deepmedix_review.reviews.conduct.the_page import client_of
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid
from tests.factories.reviews import complete, reader_study

pytestmark = pytest.mark.django_db

Kind = Assignment.Kind


def with_one_repeat(*, days: int, cases: int) -> tuple[ReaderStudy, list[Assignment], Assignment]:
    """The study, the first readings in order, and the repeat."""
    design = ReaderStudyDesign(shows="one", repeat_share=0.1, washout_days=days, washout_cases=cases)
    reader_study = running(a_draft(num_cases=10, num_readers=1, design=design))
    reader = Assignment.objects.filter(case__reader_study=reader_study)[0].reader
    mine = list_of(reader_study, reader)
    [repeat] = [item for item in mine if item.kind == Kind.REPEAT]
    return reader_study, [item for item in mine if item.kind == Kind.FIRST], repeat


def words_of(page: str) -> str:
    """As they are read: no tags, one space between words."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split()).replace(" .", ".")


def available_at(repeat: Assignment) -> object:
    return Assignment.objects.get(pk=repeat.pk).available_at


def test_it_comes_due_after_so_many_cases() -> None:
    _, firsts, repeat = with_one_repeat(days=0, cases=3)
    repeated = next(item for item in firsts if item.pk == repeat.repeat_of_id)
    others = [item for item in firsts if item != repeated]
    sign_unsaid(others.pop())
    sign_unsaid(repeated)
    for _ in range(3):
        assert available_at(repeat) is None
        sign_unsaid(others.pop())
    assert available_at(repeat) is not None
    for item in (item for item in others if item.position < repeat.position):
        assert [row.reading for row in worklist(repeat.reader).rows] != [repeat.uid]
        sign_unsaid(item)
    [shown] = worklist(repeat.reader).rows
    assert shown.assignment == repeat.uid


def test_the_last_one_follows_the_very_signature_that_lets_it_come_due() -> None:
    _, firsts, repeat = with_one_repeat(days=0, cases=9)
    for item in firsts[:-1]:
        sign_unsaid(item)
    assert available_at(repeat) is None
    [last] = Reading.objects.filter(assignment=firsts[-1])
    mark_opened(last, reader=repeat.reader)
    complete(last)
    signed = sign_reading(
        reading_uid=last.uid,
        reader=repeat.reader,
        change_id=uuid.uuid4(),
        sop_instance_uid=last.completion_a.instance.sop_instance_uid,
    )
    assert signed.next_reading == Reading.objects.get(assignment=repeat).uid
    assert available_at(repeat) is not None


def test_it_comes_due_after_so_many_days_and_cannot_be_opened_before() -> None:
    _, firsts, repeat = with_one_repeat(days=28, cases=1)
    repeated = next(item for item in firsts if item.pk == repeat.repeat_of_id)
    sign_unsaid(repeated)
    for item in firsts:
        if item != repeated:
            sign_unsaid(item)
    due = available_at(repeat)
    assert isinstance(due, datetime)
    assert due == Assignment.objects.get(pk=repeated.pk).signed_at + timedelta(days=28)  # type: ignore[operator]
    reading = Reading.objects.get(assignment=repeat)
    assert worklist(repeat.reader).rows == ()
    moment = say_moment(due)
    page = words_of(client_of(repeat.reader).get(reverse("worklist")).content.decode())
    assert f"nothing opens until {moment}" in page
    assert f"Nothing opens until {moment}. Then it goes on by itself." in page
    # What is left is the repeat: nothing of the page or of what a program is answered counts it.
    assert "To read Signed 10" in page
    assert not re.search(r"\b(1|one) (more |case |of them )?(open|wait|is left)", page, re.IGNORECASE)
    last = firsts[-1].readings.get()
    assert ending_after(last).sentence == f"Nothing more opens until {moment}. Then it goes on by itself."
    with pytest.raises(RefusedByRule, match="not open yet"):
        mark_opened(reading, reader=repeat.reader)
    with pytest.raises(RefusedByRule, match="not open yet"):
        reading_for(repeat.reader, reading.uid)
    Assignment.objects.filter(pk=repeat.pk).update(available_at=timezone.now())
    assert [row.reading for row in worklist(repeat.reader).rows] == [reading.uid]
    mark_opened(reading, reader=repeat.reader)


def test_no_number_tells_how_many_wait_once_nothing_else_is_left_to_read() -> None:
    study, firsts, repeat = with_one_repeat(days=28, cases=1)
    reader, client = repeat.reader, client_of(repeat.reader)

    def page(address: str = reverse("worklist")) -> str:
        # A moment's hour and day are numbers too, and count nothing.
        return re.sub(r"<time.*?</time>", "", client.get(address).content.decode())

    *before, last = firsts
    for item in before:
        sign_unsaid(item)
    assert {"To read 2", "9 of 11"} <= set(re.findall(r"To read \d+|\d+ of 11", words_of(page())))
    assert place_of(Assignment.objects.get(pk=before[0].pk)).num_cases == 11
    sign_unsaid(last)
    accepted = f"{reverse('worklist')}?accepted={study.uid}"
    reading = client.get(reverse("api-reading", args=[last.readings.get().uid])).json()
    assert (reading["position"], reading["num_cases"]) == (10, None)
    for shown in (page(), page(accepted)):
        assert re.findall(r'data-of="Signed">([^<]*)<', shown) == ["10"]
        assert not re.search(r"\b11\b|<progress|\b1 case waits", shown)
    assert "You read in" in page(accepted)
    reader_study(num_cases=3, readers=[reader])
    assert "To read 3 " in words_of(page())
    pause_reader_study(reader_study=study, actor=None)
    ending = ending_after(last.readings.get()).sentence
    assert ending.startswith(
        "You have read 10 cases. The reader study is paused: nothing opens before it goes on. Nothing "
    )
    assert "of 11" not in page()
    resume_reader_study(reader_study=study, actor=None)
    Assignment.objects.filter(pk=repeat.pk).update(available_at=timezone.now())
    assert "10 of 11" in page()
    assert "To read 4 " in words_of(page())
    Assignment.objects.filter(pk=repeat.pk).update(available_at=None)
    lock_reader_study(reader_study=study, actor=None)
    assert "of 11" not in page()


def test_the_sweep_does_what_a_lost_signature_left_and_nothing_twice() -> None:
    _, firsts, repeat = with_one_repeat(days=0, cases=1)
    now = timezone.now()
    # As if the signatures came without a word to the repeats.
    for minutes, item in enumerate(firsts):
        Reading.objects.filter(assignment=item).update(
            opened_at=now, signed_at=now + timedelta(minutes=minutes)
        )
    assert available_at(repeat) is None
    tend_reader_studies()
    released = available_at(repeat)
    assert released is not None
    assert release_due_repeats() == 0
    assert available_at(repeat) == released
