"""The library of criteria on its pages: an own question with anchors, its versions, and its preview."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.reviews.models import Criterion
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import reader_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(AdminFactory.create())
    return client


def form(*options: tuple[str, str, str], **said: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "name": "Sign it?",
        "question": "Would you sign this answer?",
        "target": "answer",
        "kind": "choice",
        "action": "save",
        "options-TOTAL_FORMS": str(len(options)),
        "options-INITIAL_FORMS": "0",
    }
    for number, option in enumerate(options):
        for name, value in zip(("value", "label", "anchor"), option, strict=True):
            sent[f"options-{number}-{name}"] = value
    return sent | said


YES, NO = ("yes", "yes", "as it stands"), ("no", "no", "not even with changes")


def values_on(page: str) -> list[str]:
    return re.findall(r'name="options-\d+-value" value="(.*?)"', page)


def address(criterion: Criterion) -> str:
    return reverse("criterion-detail", args=[criterion.uid])


def test_the_library_lists_every_criterion_with_its_anchors(admin: Client) -> None:
    page = admin.get(reverse("criterion-list")).content.decode()
    for said in ("Plausibility", "Omission", "lasting harm or death could follow"):
        assert said in page
    page = admin.get(address(Criterion.objects.get(key="harm"))).content.decode()
    assert "comes with the product and stays as it is" in page
    assert "Keep it" not in page


def test_an_own_criterion_is_made_shown_and_changed_in_place_while_nobody_asks_it(admin: Client) -> None:
    made = admin.post(reverse("criterion-create"), form(YES, NO, ("", "", "")), follow=True)
    criterion = Criterion.objects.get(name="Sign it?")
    assert [option["value"] for option in criterion.options] == ["yes", "no"]
    page = made.content.decode()
    assert "Sign it?, version 1, is kept." in page
    assert "it is changed in place, without a new version" in page
    admin.post(address(criterion), form(YES, NO, name="Sign?"))
    criterion.refresh_from_db()
    assert (criterion.name, criterion.version) == ("Sign?", 1)


def test_a_criterion_that_is_asked_gets_a_new_version_and_the_page_says_so_before(admin: Client) -> None:
    admin.post(reverse("criterion-create"), form(YES, NO))
    criterion = Criterion.objects.get(name="Sign it?")
    reader_study(asked=[criterion.key])
    page = admin.get(address(criterion)).content.decode()
    assert "A reader study asks this version" in page
    page = admin.post(address(criterion), form(YES, NO, name="Sign?"), follow=True).content.decode()
    assert "Sign?, version 2, is kept. Version 1 stays as it is" in page
    criterion.refresh_from_db()
    assert criterion.name == "Sign it?"
    assert "Version 1</a>" in page


def test_another_kind_brings_its_own_first_values_and_takes_nothing_that_was_typed(admin: Client) -> None:
    def chosen(*options: tuple[str, str, str], kind: str) -> list[str]:
        sent = form(*options, kind=kind, action="first-options")
        return values_on(admin.post(reverse("criterion-create"), sent).content.decode())

    points = [(str(value), str(value), "") for value in range(1, 6)]
    assert chosen(*points, ("", "", ""), kind="choice") == ["", "", "", ""]
    assert chosen(("", "", ""), kind="scale") == ["1", "2", "3", "4", "5", "", ""]
    assert chosen(YES, NO, kind="choices") == ["yes", "no"]
    assert chosen(*points[:4], ("5", "5", "agree"), kind="choice") == ["1", "2", "3", "4", "5"]
    assert not Criterion.objects.filter(name="Sign it?").exists()


def test_a_scale_has_numbers_and_every_value_an_anchor(admin: Client) -> None:
    create = reverse("criterion-create")
    page = admin.get(create).content.decode()
    assert page.count('aria-label="Anchor') == 7
    assert values_on(page) == ["1", "2", "3", "4", "5", "", ""]
    scale = form(("1", "", "bad"), ("2", "", "good"), kind="scale")
    admin.post(create, scale)
    made = Criterion.objects.get(name="Sign it?")
    assert made.options[0] == {"value": 1, "label": "1", "anchor": "bad"}
    for wrong, sentence in (
        (form(("1", "", ""), ("2", "", "good"), kind="scale"), "1 has no anchor."),
        (form(YES), "Give readers 2 to 20 options; there are 1."),
        (form(YES, NO, name=""), "This field is required."),
    ):
        page = admin.post(create, wrong).content.decode()
        assert sentence in page
        assert "Would you sign this answer?" in page
    assert Criterion.objects.filter(is_library=False).count() == 1


def test_a_text_needs_no_values_and_the_ones_in_the_form_are_left_out(admin: Client) -> None:
    admin.post(reverse("criterion-create"), form(YES, NO, kind="text"))
    assert Criterion.objects.get(name="Sign it?").options == []


def test_more_rows_keep_what_was_written(admin: Client) -> None:
    page = admin.post(reverse("criterion-create"), form(YES, action="add-option")).content.decode()
    assert page.count('aria-label="Anchor') == 3
    assert "as it stands" in page
    assert not Criterion.objects.filter(is_library=False).exists()


def test_the_preview_shows_what_readers_will_see(admin: Client) -> None:
    preview = reverse("criterion-preview")
    page = admin.post(preview, form(YES, NO, kind="choices")).content.decode()
    assert page.count('type="checkbox"') == 2
    assert "not even with changes" in page
    assert "Asked of each answer." in page
    assert "<textarea" in admin.post(preview, form(kind="text")).content.decode()
    assert admin.post(preview, {}).status_code == 200


def test_a_retired_criterion_is_offered_no_more(admin: Client) -> None:
    admin.post(reverse("criterion-create"), form(YES, NO))
    criterion = Criterion.objects.get(name="Sign it?")
    page = admin.post(reverse("criterion-retire", args=[criterion.uid]), follow=True).content.decode()
    assert "Sign it? is asked in no new reader study." in page
    assert "Retired: no new reader study asks them" in page
    assert "Sign it?" not in admin.get(reverse("reader-study-create")).content.decode()
    harm = Criterion.objects.get(key="harm")
    assert admin.post(reverse("criterion-retire", args=[harm.uid])).status_code == 409


def test_only_those_who_design_reader_studies_come_here() -> None:
    client = Client()
    client.force_login(ExpertFactory.create())
    for name in ("criterion-list", "criterion-create"):
        assert client.get(reverse(name)).status_code == 403
