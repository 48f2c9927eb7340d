"""A case whose study an admin took out of use shows its reader nothing, keeps nothing, and counts nowhere."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import Reading, Vote
from deepmedix_review.reviews.reading.changes import CastVote
from deepmedix_review.reviews.selectors import next_reading, signed_readings
from deepmedix_review.studies.holding import decide_held, hold_study
from deepmedix_review.studies.models import Study
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import a_signed_reading, an_open_reading, change, reader_of, reader_study

pytestmark = pytest.mark.django_db


def _withdraw(study: Study, *, reject: bool) -> None:
    admin = AdminFactory.create()
    hold_study(study, reason="A name is burned into the film.", actor=admin)
    if reject:
        decide_held(study, accept=False, actor=admin)


@pytest.mark.parametrize("reject", [False, True])
def test_a_reader_gets_neither_film_nor_reading_of_a_withdrawn_case_and_reads_on_once_it_is_back(
    reject: bool,
) -> None:
    reading = an_open_reading()
    study, film = reading.assignment.case.study, reading.completion_a.instance
    said = reading.completion_a.steps.get(position=1).text
    client = Client()
    client.force_login(reader_of(reading))
    pages = [
        reverse("reading", args=[reading.uid]),
        reverse("api-reading", args=[reading.uid]),
        reverse("amend-reading", args=[reading.uid]),
    ]
    films = [reverse(name, args=[film.uid]) for name in ("film", "film-picture")]
    _withdraw(study, reject=reject)

    for address in pages:
        answer = client.get(address)
        assert (answer.status_code, said in answer.content.decode()) == (409, False)
        assert "An admin withdrew this case" in answer.content.decode()
    assert client.post(reverse("open-reading", args=[reading.assignment.uid])).status_code == 409
    assert [client.get(address).status_code for address in films] == [404, 404]
    sent = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": film.sop_instance_uid,
        "kind": "cast_vote",
        "payload": {"side": "a"},
    }
    changes = reverse("api-reading-changes", args=[reading.uid])
    assert client.post(changes, sent, content_type="application/json").status_code == 409
    sign = {"change_id": str(uuid.uuid4()), "sop_instance_uid": film.sop_instance_uid}
    answer = client.post(
        reverse("api-reading-sign", args=[reading.uid]), sign, content_type="application/json"
    )
    assert (answer.status_code, "withdrew" in answer.json()["detail"]) == (409, True)
    worklist = client.get(reverse("worklist")).content.decode()
    assert ("withdrawn" in worklist, reverse("open-reading", args=[reading.assignment.uid]) in worklist) == (
        True,
        False,
    )

    decide_held(study, accept=True, has_looked=True, actor=AdminFactory.create())
    assert said in client.get(pages[1]).content.decode()
    assert client.post(changes, sent, content_type="application/json").status_code == 200


def test_the_next_case_is_never_a_withdrawn_one() -> None:
    reader = ExpertFactory.create()
    reader_study(num_cases=3, readers=[reader])
    first, second, third = Reading.objects.filter(assignment__reader=reader).order_by("pk")
    _withdraw(second.assignment.case.study, reject=False)
    assert next_reading(first) == third


def test_what_was_signed_of_a_withdrawn_study_is_learned_from_by_nobody() -> None:
    reading = a_signed_reading()
    study = reading.assignment.case.study
    client = Client()
    client.force_login(reader_of(reading))
    assert list(signed_readings()) == [reading]
    _withdraw(study, reject=False)
    assert list(signed_readings()) == []
    signed = client.get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert ("withdrawn" in signed, reverse("amend-reading", args=[reading.uid]) in signed) == (True, False)
    with pytest.raises(RefusedByRule):
        change(reading, CastVote(Vote.Side.A))
