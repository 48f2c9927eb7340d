"""A paused reader study says to its readers since when, that nothing is lost, and whom to ask."""

import pytest
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.dates import say_moment
from deepmedix_review.reviews.models import Assignment, Invitation, Reading
from deepmedix_review.reviews.services import open_reading
from deepmedix_review.reviews.study_services import pause_reader_study, resume_reader_study
from deepmedix_review.reviews.worklist.endings import ending_after
from tests.deepmedix_review.reviews.worklist.the_worklist import client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import complete, reader_study, sign

pytestmark = pytest.mark.django_db


def test_a_paused_study_says_since_when_that_nothing_is_lost_and_whom_to_ask() -> None:
    reader, admin = ExpertFactory.create(), AdminFactory.create()
    study = reader_study(num_cases=2, readers=[reader])
    first, second = Assignment.objects.order_by("position")
    reading = open_reading(assignment=first, reader=reader)
    client = client_of(reader)
    pause_reader_study(reader_study=study, actor=None)
    assert "Ask an admin when it goes on." in client.get(reverse("worklist")).content.decode()
    resume_reader_study(reader_study=study, actor=None)
    pause_reader_study(reader_study=study, actor=admin)
    since = AuditEvent.objects.filter(action="pause_reader_study").latest("sequence").at
    comfort = f"Nothing that you said is lost. Ask the admin {admin.pseudonym} when it goes on."
    page = client.get(reverse("worklist")).content.decode()
    assert (
        f"{say_moment(since)}</time>: no new case opens, and one that you have begun can be finished" in page
    )
    assert comfort in page
    told = client.get(reverse("api-reading", args=[reading.uid])).json()
    assert told["pause"] == {"since": since.isoformat().replace("+00:00", "Z"), "comfort": comfort}
    refused = client.post(reverse("open-reading", args=[second.uid])).content.decode()
    assert f"This reader study is paused since {say_moment(since)}, so no new case opens." in refused
    assert comfort in refused
    complete(reading)
    assert ending_after(sign(reading)).sentence.endswith(
        "the last one opens when it goes on. Nothing that you said is lost. "
        f"Ask the admin {admin.pseudonym} when that is."
    )
    Invitation.objects.update(state=Invitation.State.INVITED)
    accept = reverse("invitation-answer", args=[study.invitations.get().uid])
    accepted = client.post(accept, {"answer": "accept"}, follow=True).content.decode()
    assert f"cases open when it goes on. Ask the admin {admin.pseudonym} when that is." in accepted
    resume_reader_study(reader_study=study, actor=admin)
    assert client.get(reverse("api-reading", args=[reading.uid])).json()["pause"] is None
    assert "Paused since" not in client.get(reverse("worklist")).content.decode()
    assert Reading.objects.filter(signed_at=None).exists()
