"""A paused reader study says to its readers since when, that nothing is lost, and whom to ask."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.services import change_contact, change_role
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.dates import say_moment
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.services import open_reading
from deepmedix_review.reviews.study_services import pause_reader_study, resume_reader_study
from deepmedix_review.reviews.worklist.endings import ending_after
from tests.deepmedix_review.reviews.worklist.the_worklist import client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import complete, reader_study, sign

pytestmark = pytest.mark.django_db


def test_readers_are_told_how_to_reach_the_admin_who_made_or_paused_a_study() -> None:
    reader, admin = ExpertFactory.create(), AdminFactory.create(contact="ward 3, tel. 4711")
    study = reader_study(num_cases=2, readers=[reader])
    ReaderStudy.objects.update(created_by=admin)
    client, asked = client_of(reader), f"Ask the admin {admin.pseudonym} (ward 3, tel. 4711)"

    def worklist() -> str:
        return client.get(reverse("worklist")).content.decode()

    assert "4711" not in worklist()
    Invitation.objects.update(state=Invitation.State.INVITED)
    assert f"Questions before you answer? {asked}." in worklist()
    Invitation.objects.update(state=Invitation.State.ACCEPTED)
    pause_reader_study(reader_study=study, actor=admin)
    assert f"{asked} when it goes on." in worklist()
    resume_reader_study(reader_study=study, actor=admin)
    ReaderStudy.objects.update(deadline=timezone.localdate() + timedelta(days=1))
    assert f"Too soon? {asked}." in worklist()
    ReaderStudy.objects.update(deadline=timezone.localdate() - timedelta(days=1))
    assert f"The deadline is over. {asked} for more time." in worklist()
    refused = client.post(reverse("open-reading", args=[Assignment.objects.earliest("pk").uid]))
    assert f"{asked} for more time." in refused.content.decode()
    # Who has left, or said nothing, is not to be reached.
    User.objects.filter(pk=admin.pk).update(contact="")
    assert f"Ask the admin {admin.pseudonym} for more time." in worklist()
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert "Ask an admin for more time." in worklist()


def test_who_is_no_admin_any_more_is_not_named_as_one_to_ask() -> None:
    reader, admin, other = ExpertFactory.create(), AdminFactory.create(), AdminFactory.create()
    change_contact(admin, contact="tel. 4711", actor=admin)
    study = reader_study(num_cases=2, readers=[reader])
    ReaderStudy.objects.update(created_by=admin)
    pause_reader_study(reader_study=study, actor=admin)
    client = client_of(reader)

    def is_asked() -> bool:
        page = client.get(reverse("worklist")).content.decode()
        assert ("4711" in page) == (admin.pseudonym in page)
        return "4711" in page

    assert is_asked()
    change_role(admin, role=Role.RESEARCHER, actor=other)
    assert User.objects.get(pk=admin.pk).contact == ""
    # What an account keeps of a former role is told to nobody either, and can be taken back.
    User.objects.filter(pk=admin.pk).update(contact="tel. 4711")
    assert not is_asked()
    resume_reader_study(reader_study=study, actor=other)
    ReaderStudy.objects.update(deadline=timezone.localdate() - timedelta(days=1))
    assert not is_asked()
    Invitation.objects.update(state=Invitation.State.INVITED)
    assert not is_asked()
    assert "Questions before you answer?" not in client.get(reverse("worklist")).content.decode()
    change_contact(admin, contact="", actor=other)
    assert User.objects.get(pk=admin.pk).contact == ""


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
