"""What readers find on their worklist of a running study: invitations, cases of a pool, deadlines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import (
    design_reader_study,
    start_reader_study,
)
from deepmedix_review.reviews.worklist.endings import ending_after, ending_of_pool
from tests.deepmedix_review.reviews.conduct.the_page import client_of, readers_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid
from tests.factories.reviews import reader_study

pytestmark = pytest.mark.django_db
POOL = ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True)


def test_an_invitation_is_accepted_or_declined_on_the_worklist() -> None:
    draft = a_draft(num_cases=2, num_readers=2, instructions="Read as in a clinic.")
    study = start_reader_study(reader_study=design_reader_study(draft=draft, actor=None), actor=None)
    for invitation, answer in zip(study.invitations.order_by("pk"), ("accept", "decline"), strict=True):
        client = client_of(invitation.reader)
        page = client.get(reverse("worklist")).content.decode()
        assert f"You are invited to {study.title}" in page
        assert "Read as in a clinic." in page
        assert "Accept an invitation above" in page
        address = reverse("invitation-answer", args=[invitation.uid])
        page = client.post(address, {"answer": answer}, follow=True).content.decode()
        assert "You are invited" not in page
        assert page.count(">Read<span") == (2 if answer == "accept" else 0)
        again = client.post(address, {"answer": "accept"})
        assert again.status_code == 409
        assert "This invitation was" in again.content.decode()
        assert ">Worklist</h1>" in again.content.decode()
        stranger = client_of(ExpertFactory.create()).post(address, {"answer": "accept"})
        assert stranger.status_code == 403


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("In each case you first write down your own findings and lock them", {"first_reads": "on"}),
        ("In some cases, drawn by chance, you", {"first_reads": "share", "first_read_share": 0.5}),
        ("outputs and asks 1 question of each step, 1 of each region", {}),
        ("Each case shows one output and", {"shows": "one"}),
    ],
)
def test_an_invitation_says_what_each_case_asks(said: str, kind: dict[str, Any]) -> None:
    draft = a_draft(num_cases=1, num_readers=1, design=ReaderStudyDesign(**kind))
    study = start_reader_study(reader_study=design_reader_study(draft=draft, actor=None), actor=None)
    page = client_of(study.invitations.get().reader).get(reverse("worklist")).content.decode()
    assert said in page
    assert ("you first" in page) == ("first_reads" in kind)
    assert ("of the two outputs together" in page) == ("shows" not in kind)


@pytest.mark.parametrize(
    ("adjudication", "readers_per_case", "is_told"),
    [("third_reader", 2, True), ("third_reader", 3, False), ("consensus", 2, False), ("off", 2, False)],
)
def test_an_invitation_says_that_cases_of_others_may_come_to_be_settled(
    adjudication: str, readers_per_case: int, is_told: bool
) -> None:
    design = ReaderStudyDesign(shows="one", design="k_readers", readers_per_case=readers_per_case)
    draft = a_draft(num_cases=3, num_readers=3, design=design, adjudication=adjudication)
    study = start_reader_study(reader_study=design_reader_study(draft=draft, actor=None), actor=None)
    reader = study.invitations.earliest("pk").reader
    page = client_of(reader).get(reverse("worklist")).content.decode()
    said = "Where two others disagree on a case that is not yours, you may be asked to settle it, on top."
    assert (said in page) == is_told


def test_a_case_of_a_pool_is_taken_held_and_given_back() -> None:
    study = running(a_draft(num_cases=1, num_readers=2, design=replace(POOL, shows="one")))
    first, second = (client_of(reader) for reader in readers_of(study))
    take, worklist = reverse("take-case", args=[study.uid]), reverse("worklist")
    assert "Take the first case" in first.get(worklist).content.decode()
    taken = first.post(take)
    reading = Reading.objects.get()
    assert taken.headers["Location"] == reverse("reading", args=[reading.uid])
    page = first.get(worklist).content.decode()
    assert "Go on with your case" in page
    assert "held for you until" in page
    waiting = second.get(worklist).content.decode()
    assert "No case is free at the moment." in waiting
    assert "Come back in a while" in waiting
    assert "All is read." not in waiting
    assert "No case is free at the moment." in second.post(take, follow=True).content.decode()
    back = reverse("give-case-back", args=[reading.assignment.uid])
    assert second.post(back).status_code == 403
    assert "The case is free for others." in first.post(back, follow=True).content.decode()
    assert "Take the first case" in second.get(worklist).content.decode()
    assert client_of(ExpertFactory.create()).post(take).status_code == 403


def test_the_end_of_a_pool_is_said_as_it_is(admin: Client) -> None:
    """Its planned places are what it is measured by, in the room and on the admin's pages."""
    design = replace(POOL, shows="one", readers_per_case=2)
    study = running(a_draft(num_cases=2, num_readers=3, design=design))
    page, listed = reverse("reader-study-detail", args=[study.uid]), reverse("reader-study-list")
    assert "0 of 4" in admin.get(page).content.decode()
    take, worklist = reverse("take-case", args=[study.uid]), reverse("worklist")
    *able, late = (client_of(reader) for reader in readers_of(study))
    for number in (1, 2):
        for client in able:
            uid = client.post(take).headers["Location"].split("/")[2]
            shown = client.get(reverse("api-reading", args=[uid])).json()
            assert (shown["position"], shown["num_cases"]) == (number, 2)
            sign_unsaid(Reading.objects.get(uid=uid).assignment)
            ending = ending_after(Reading.objects.get(uid=uid))
            assert ending.may_take == (number == 1)
    assert ending.sentence == "You have read every case of this pool."
    Case.objects.filter(reader_study=study).update(num_free=1)
    third = study.invitations.order_by("pk")[2].reader_id
    assert ending_of_pool(study, third).sentence == "2 cases are free for you in this pool at the moment."
    assert '0<span class="quiet">, 2 free</span>' in late.get(worklist).content.decode()
    Case.objects.filter(reader_study=study, position=1).update(num_free=0)
    uid = late.post(take).headers["Location"].split("/")[2]
    # One case is left for this reader, however many the pool has.
    assert late.get(reverse("api-reading", args=[uid])).json()["num_cases"] == 1
    late.post(reverse("give-case-back", args=[Reading.objects.get(uid=uid).assignment.uid]))
    Case.objects.filter(reader_study=study).update(num_free=0)
    assert ending.sentence in able[0].post(take, follow=True).content.decode()
    assert "Every case of this pool has all its readers" in late.get(worklist).content.decode()
    for address in (page, listed):
        assert "4 of 4" in admin.get(address).content.decode()


def test_deadlines_are_told_in_days() -> None:
    study = reader_study(num_cases=1)
    [reader] = readers_of(study)
    client = client_of(reader)
    for days, said in (
        (30, "in 30 days"),
        (2, 'chip warn">in 2 days'),
        (0, "today"),
        (-1, "passed yesterday"),
    ):
        ReaderStudy.objects.filter(pk=study.pk).update(deadline=timezone.localdate() + timedelta(days=days))
        page = client.get(reverse("worklist")).content.decode()
        assert (timezone.localdate() + timedelta(days=days)).isoformat() in page
        assert said in page
    Invitation.objects.update(deadline=timezone.localdate() + timedelta(days=2))
    assert 'chip warn">in 2 days' in client.get(reverse("worklist")).content.decode()
