"""Cases taken from a collection: a version of it, one side of its split, and so many of them by the seed."""

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.reviews.study_services import (
    Collected,
    StudyDraft,
    design_reader_study,
    extend_reader_study,
)
from deepmedix_review.studies.collecting import services
from deepmedix_review.studies.collecting.split import Shares
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.models import CollectionVersion, Split, Study
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.collections import filtered, move_patient, picked
from tests.factories.reviews import completed_study
from tests.factories.studies import InstanceFactory

from .a_form import form, uids

pytestmark = pytest.mark.django_db

NEW = "/reader-studies/new/"


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def collected_form(version: CollectionVersion, **said: Any) -> dict[str, Any]:
    return form(cases_from="collection", collection=str(version.uid), **said)


def cases_of(study: ReaderStudy) -> list[Study]:
    rows = Case.objects.filter(reader_study=study, role=Case.Role.DATA).select_related("study")
    return [case.study for case in rows.order_by("position")]


def test_a_new_study_begins_with_collections_where_there_are_any(desk: Client) -> None:
    completed_study()
    chosen = r'name="cases_from" value="chosen"[^>]* checked'
    assert re.search(chosen, desk.get(NEW).content.decode())
    version = picked([Study.objects.get()], name="Winter films")
    page = desk.get(NEW).content.decode()
    assert re.search(r'name="cases_from" value="collection"[^>]* checked', page)
    assert "Winter films, version 1 · 1 study" in page
    assert not re.search(rf'value="{version.uid}" selected', page)


def test_cases_of_one_side_are_taken_and_the_study_says_from_where(desk: Client) -> None:
    half = Shares(50, 0, 50)
    wanted = [move_patient(completed_study(), to=Split.TEST, shares=half) for _ in range(2)]
    move_patient(completed_study(), to=Split.TRAIN, shares=half)
    move_patient(InstanceFactory.create().study, to=Split.TEST, shares=half)
    version = filtered(name="Winter films", shares=half)
    said = collected_form(version, collection_split="test", readers=uids(ExpertFactory.create()))
    plan = desk.post(reverse("reader-study-plan"), said).content.decode()
    assert "Winter films, version 1, test side: 2 studies have what is to be shown" in plan
    desk.post(NEW, said | {"action": "start"})
    made = ReaderStudy.objects.get()
    assert made.state == ReaderStudy.State.RUNNING
    assert (made.collection_version, made.collection_split, made.collection_most) == (version, "test", None)
    assert cases_of(made) == wanted
    page = desk.get(reverse("reader-study-detail", args=[made.uid])).content.decode()
    address = reverse("collection-detail", args=[version.collection.uid])
    assert f'<a href="{address}?version=1&amp;side=test">Winter films, version 1</a>, test side' in page
    assert "from elsewhere" not in page


def test_an_older_version_can_be_taken_and_its_address_begins_the_form(desk: Client, admin: User) -> None:
    first, second = completed_study(), completed_study()
    older = picked([first])
    services.change_picks(collection=older.collection, add=[second.uid], actor=admin)
    page = desk.get(
        reverse("collection-detail", args=[older.collection.uid]), {"version": 1}
    ).content.decode()
    address = f"{NEW}?collection={older.uid}"
    assert f'href="{address}"' in page
    page = desk.get(f"{address}&side=test").content.decode()
    assert re.search(rf'value="{older.uid}" selected', page)
    assert re.search(r'value="test" selected', page)
    assert "Picked films, version 2 · 2 studies" in page
    desk.post(NEW, collected_form(older, action="save"))
    assert cases_of(ReaderStudy.objects.get()) == [first]


def test_so_many_are_drawn_by_the_seed_and_a_draft_remembers_it(desk: Client) -> None:
    for _ in range(8):
        completed_study()
    version = filtered()
    said = collected_form(version, collection_most="3", action="save")
    plan = desk.post(reverse("reader-study-plan"), said).content.decode()
    assert "8 studies have what is to be shown, 3 are drawn by the seed" in plan
    desk.post(NEW, said)
    draft = ReaderStudy.objects.get()
    drawn = cases_of(draft)
    assert (len(drawn), draft.collection_most) == (3, 3)
    address = reverse("reader-study-design", args=[draft.uid])
    page = desk.get(address).content.decode()
    assert re.search(rf'value="{version.uid}" selected', page)
    assert re.search(r'name="collection_most" value="3"', page)
    assert not re.search(r'name="studies"[^>]* checked', page)
    desk.post(address, said)
    assert cases_of(draft) == drawn
    others = set()
    for seed in range(5, 12):
        desk.post(address, said | {"seed": str(seed)})
        others.add(tuple(study.pk for study in cases_of(draft)))
    assert len(others) > 1
    desk.post(address, form(studies=uids(drawn[0]), action="save"))
    draft.refresh_from_db()
    assert (draft.collection_version, draft.collection_most, cases_of(draft)) == (None, None, drawn[:1])


def test_counting_stops_beyond_what_a_study_takes(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MOST_COUNTED", 2)
    monkeypatch.setattr(choices, "MOST_CASES", 2)
    for _ in range(4):
        completed_study()
    version = filtered()
    page = desk.get(NEW).content.decode()
    assert "2+ ready studies have what is to be shown." in page
    assert f"{serving_model()} · 2+ studies" in page
    plan = desk.post(reverse("reader-study-plan"), collected_form(version)).content.decode()
    assert "2+ studies have what is to be shown, 2 are drawn by the seed" in plan
    # The line at the choice follows with the plan.
    assert 'hx-swap-oob="true">2+ of them are in this collection.' in plan
    desk.post(NEW, collected_form(version, action="save"))
    assert len(cases_of(ReaderStudy.objects.get())) == 2


def test_a_draw_of_more_studies_keeps_most_of_the_one_before() -> None:
    for _ in range(40):
        InstanceFactory.create()
    before = choices.drawn(Study.objects.all(), number=10, seed=7)
    for _ in range(4):
        InstanceFactory.create()
    after = choices.drawn(Study.objects.all(), number=10, seed=7)
    assert len(set(before) & set(after)) >= 6


def test_a_case_that_teaches_is_not_data_as_well(desk: Client) -> None:
    studies = [completed_study() for _ in range(3)]
    taught = {
        "taught-TOTAL_FORMS": "1",
        "taught-0-study": str(studies[0].uid),
        "taught-0-findings": ["Cardiomegaly"],
    }
    version = filtered()
    plan = desk.post("/reader-studies/plan/", collected_form(version) | taught).content.decode()
    assert "3 studies have what is to be shown, 2 are cases of data" in plan
    desk.post(NEW, collected_form(version, action="save") | taught)
    assert cases_of(ReaderStudy.objects.get()) == studies[1:]
    # As many as were asked for, since there are so many beside it.
    desk.post(NEW, collected_form(version, collection_most="2", action="save") | taught)
    assert cases_of(ReaderStudy.objects.latest("pk")) == studies[1:]


def test_withdrawn_members_and_those_without_an_output_are_no_cases(desk: Client, admin: User) -> None:
    kept, held, bare = completed_study(), completed_study(), InstanceFactory.create().study
    version = picked([kept, held, bare])
    hold_study(held, actor=admin, reason="text in the corner")
    desk.post(NEW, collected_form(version, readers=uids(ExpertFactory.create()), action="start"))
    assert cases_of(ReaderStudy.objects.get()) == [kept]


def test_no_collection_chosen_is_a_draft_without_cases(desk: Client) -> None:
    completed_study()
    desk.post(NEW, form(cases_from="collection", action="save"))
    assert cases_of(ReaderStudy.objects.get()) == []
    page = desk.post(
        NEW, form(cases_from="collection", collection="nonsense", action="save")
    ).content.decode()
    assert "Nothing was kept yet." in page


def test_a_version_in_use_stays_and_its_page_names_the_study(desk: Client, admin: User) -> None:
    version = picked([completed_study()])
    desk.post(NEW, collected_form(version, title="Winter readers", action="save"))
    draft = ReaderStudy.objects.get()
    address = reverse("collection-detail", args=[version.collection.uid])
    page = desk.get(address).content.decode()
    assert f'<a href="{reverse("reader-study-detail", args=[draft.uid])}">Winter readers</a>' in page
    assert "Delete it for good" not in page
    refused = desk.post(reverse("collection-delete", args=[version.collection.uid]), follow=True)
    assert "in use by Winter readers" in refused.content.decode()
    with pytest.raises(ProtectedError):
        version.delete()
    researcher = Client()
    researcher.force_login(ResearcherFactory.create())
    page = researcher.get(address).content.decode()
    assert "Winter readers" in page
    assert str(draft.uid) not in page


def test_a_version_that_was_deleted_meanwhile_is_refused(admin: User) -> None:
    version = picked([completed_study()])
    services.delete_collection(collection=version.collection, actor=admin)
    draft = StudyDraft(title="Winter readers", collected=Collected(version))
    with pytest.raises(RefusedByRule, match="was deleted meanwhile"):
        design_reader_study(draft=draft, actor=admin)
    assert not ReaderStudy.objects.exists()


def test_cases_added_later_from_elsewhere_are_told_apart(desk: Client, admin: User) -> None:
    version = picked([completed_study()])
    desk.post(NEW, collected_form(version, readers=uids(ExpertFactory.create()), action="start"))
    made = ReaderStudy.objects.get()
    extend_reader_study(reader_study=made, actor=admin, cases=[completed_study()])
    page = desk.get(reverse("reader-study-detail", args=[made.uid])).content.decode()
    assert "1 from elsewhere, added later" in page


def test_the_database_keeps_no_side_without_a_collection() -> None:
    with (
        pytest.raises(IntegrityError, match="only_of_a_collection_is_a_side_taken"),
        transaction.atomic(),
    ):
        ReaderStudy.objects.create(title="Broken", collection_split="test")
