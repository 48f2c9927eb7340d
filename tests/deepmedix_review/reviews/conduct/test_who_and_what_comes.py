"""Readers and cases that come or leave in the middle: what moves is shown before, and refusals in place."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment
from tests.deepmedix_review.reviews.conduct.the_page import address, detail, readers_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid
from tests.factories.reviews import completed_study, reader_study

pytestmark = pytest.mark.django_db
ROTATION = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")
DAY = (timezone.localdate() + timedelta(days=9)).isoformat()


def agreed(admin: Client, where: str, said: dict[str, str], *, to: str) -> str:
    """The page after what was asked back was agreed to: the button with these words was pressed."""
    page = admin.post(where, said).content.decode()
    [shown] = re.findall(rf'name="shown" value="(\w+)">{to}<', page)
    return admin.post(where, {**said, "shown": shown}, follow=True).content.decode()


def rows_of(page: str, *, within: str) -> list[list[str]]:
    """The cells of the table in the block of this class, without the names beside pseudonyms."""
    [table] = re.findall(rf'class="banner {within}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return [
        [
            re.sub(r"<span.*?</span>|<[^>]+>", "", cell).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row)
        ]
        for row in table.split("</tr>")[:-1]
    ]


def test_a_reader_is_invited_into_the_middle_and_taken_out_again(admin: Client) -> None:
    study = reader_study(num_cases=2)
    newcomer = ExpertFactory.create(pseudonym="E-NEW")
    assert "E-NEW" in admin.get(detail(study)).content.decode()
    said = {"invite-reader": str(newcomer.uid), "invite-deadline": DAY}
    page = agreed(admin, address(study, "invite"), said, to="Invite E-NEW")
    assert "E-NEW is invited." in page
    assert DAY in page
    assert Assignment.objects.filter(reader=newcomer, withdrawn_at=None).count() == 2
    page = agreed(admin, address(study, "remove"), {"reader": str(newcomer.uid)}, to="Remove E-NEW")
    assert "E-NEW reads here no more." in page
    assert not Assignment.objects.filter(reader=newcomer, withdrawn_at=None).exists()


def test_before_a_reader_comes_or_leaves_the_page_shows_whose_unread_cases_move(admin: Client) -> None:
    study = running(a_draft(num_cases=12, num_readers=3, design=ROTATION))
    first, *others = sorted(readers_of(study), key=lambda reader: reader.pseudonym)
    sign_unsaid(list_of(study, first)[0])
    newcomer = ExpertFactory.create(pseudonym="A-NEW")
    page = admin.post(address(study, "invite"), {"invite-reader": str(newcomer.uid)}).content.decode()
    assert rows_of(page, within="asked") == [
        ["A-NEW", "0", "0", "+5", "5"],
        [first.pseudonym, "1", "7", "−1", "6"],
        *([reader.pseudonym, "0", "8", "−2", "6"] for reader in others),
    ]
    assert "Then readers have 5 to 6 cases to read." in page
    assert not Assignment.objects.filter(reader=newcomer).exists()
    page = admin.post(address(study, "remove"), {"reader": str(first.uid)}).content.decode()
    assert rows_of(page, within="asked")[0] == [first.pseudonym, "1", "7", "−7", "0"]
    assert "1 signed reading stays and counts." in page
    assert len(list_of(study, first)) == 8


def test_a_move_that_is_no_longer_the_one_that_was_shown_is_shown_anew(admin: Client) -> None:
    study = running(a_draft(num_cases=4, num_readers=2, design=ROTATION))
    said = {"invite-reader": str(ExpertFactory.create().uid), "shown": "of an hour ago"}
    answer = admin.post(address(study, "invite"), said)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Meanwhile somebody read on" in page
    assert len(rows_of(page, within="asked")) == 3
    assert study.invitations.count() == 2
    said = {"reader": str(readers_of(study)[0].uid), "shown": "of an hour ago"}
    answer = admin.post(address(study, "remove"), said)
    assert answer.status_code == 409
    assert len(rows_of(answer.content.decode(), within="asked")) == 2


@pytest.mark.parametrize(
    ("word", "said", "sentence", "kept"),
    [
        ("invite", {}, "Choose a reader.", None),
        (
            "invite",
            {"invite-reader": "x", "invite-deadline": DAY},
            "Choose somebody from the list",
            f'"{DAY}"',
        ),
        ("invite", {"invite-deadline": "soon"}, "This is no day.", 'value="soon"'),
        ("remove", {"reader": "x"}, "No reader was named.", None),
        ("extend", {}, "Nothing was added.", None),
        ("extend", {"extend-deadline": "soon"}, "This is no day.", 'value="soon"'),
        ("extend", {"extend-deadline": "2020-01-01"}, "That deadline has passed.", 'value="2020-01-01"'),
        ("extend", {"extend-studies": "x"}, "One of the studies is no longer offered.", None),
        ("adjudicate", {}, "No case was named.", None),
        ("move", {"move": "explode"}, "Say what to do", None),
    ],
)
def test_what_is_refused_is_said_in_place_and_keeps_what_was_entered(
    admin: Client, word: str, said: dict[str, str], sentence: str, kept: str | None
) -> None:
    study = reader_study()
    ExpertFactory.create()
    completed_study()
    answer = admin.post(address(study, word), said)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert sentence in page
    assert "Invite a reader</h2>" in page
    assert page.count(" autofocus") == 1
    assert kept is None or kept in page


def test_studies_that_were_ticked_stay_ticked_where_the_extension_is_refused(admin: Client) -> None:
    study, more = reader_study(), completed_study()
    said = {"extend-studies": str(more.uid), "extend-deadline": "2020-01-01"}
    page = admin.post(address(study, "extend"), said).content.decode()
    assert f'value="{more.uid}" checked' in page
    assert "<details open><summary>Add cases" in page


def test_one_form_of_the_page_leaves_alone_what_is_typed_in_the_other(admin: Client) -> None:
    study, more, newcomer = reader_study(num_cases=1), completed_study(), ExpertFactory.create()
    page = admin.get(detail(study)).content.decode()
    for section in ("#invite .fields", "#extend .fields"):
        assert f'hx-include="{section}' in page
    typed = {"invite-reader": str(newcomer.uid), "invite-deadline": DAY, "extend-studies": [str(more.uid)]}
    for word, asked in (("extend", "Add 1 case?"), ("invite", "put on the worklist")):
        page = admin.post(address(study, word), typed).content.decode()
        assert asked in page
        assert f'name="invite-deadline" value="{DAY}"' in page
        assert re.search(rf'value="{newcomer.uid}" selected', page)
        assert re.search(rf'value="{more.uid}" checked', page)


def test_an_admin_sees_whom_a_pseudonym_stands_for(admin: Client) -> None:
    study = reader_study(readers=[ExpertFactory.create(pseudonym="E-WINTER", username="dr.winter")])
    ExpertFactory.create(pseudonym="E-SPRING", username="dr.spring")
    page = admin.get(detail(study)).content.decode()
    assert 'E-WINTER <span class="quiet">dr.winter</span>' in page
    assert ">E-SPRING · dr.spring</option>" in page


def test_a_study_gets_more_cases_and_more_time(admin: Client) -> None:
    study = reader_study(num_cases=1)
    more = completed_study()
    assert more.label in admin.get(detail(study)).content.decode()
    extend = reverse("reader-study-extend", args=[study.uid])
    day = timezone.localdate() + timedelta(days=9)
    said = {"extend-studies": [str(more.uid)], "extend-deadline": day.isoformat()}
    page = admin.post(extend, said).content.decode()
    [reader] = readers_of(study)
    assert "Add 1 case?" in page
    assert re.search(rf"{reader.pseudonym}.*>1</td>.*\+1.*>2</td>", page)
    [shown] = re.findall(r'name="shown" value="(\w+)">Add 1 case<', page)
    study.refresh_from_db()
    assert (study.deadline, study.cases.count()) == (None, 1)
    others = admin.post(extend, {**said, "shown": "others"})
    assert (others.status_code, study.cases.count()) == (409, 1)
    assert "Nothing was changed: look at it again." in others.content.decode()
    page = admin.post(extend, {**said, "shown": shown}, follow=True).content.decode()
    assert "is extended." in page
    study.refresh_from_db()
    assert (study.deadline, study.cases.count()) == (day, 2)


def test_before_cases_are_added_the_page_says_which_readers_know_them(admin: Client) -> None:
    elsewhere = running(a_draft(num_cases=2, num_readers=1))
    [reader] = readers_of(elsewhere)
    first, second = list_of(elsewhere, reader)
    sign_unsaid(first)
    study = running(replace(a_draft(num_cases=1, num_readers=1), readers=[reader]))
    known, unread = first.case.study, second.case.study
    where = address(study, "extend")
    page = admin.post(where, {"extend-studies": [str(known.uid), str(unread.uid)]}).content.decode()
    assert f"{reader.pseudonym} has seen 1 of these films in another reader study." in page
    assert (
        "another reader study" not in admin.post(where, {"extend-studies": str(unread.uid)}).content.decode()
    )
