"""The pages on collections: made by a filter or of ticked studies, looked at, changed and deleted."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies import selectors as study_selectors
from deepmedix_review.studies.collecting import selectors, services
from deepmedix_review.studies.collecting.contents import Contents
from deepmedix_review.studies.collecting.filters import StudyFilter
from deepmedix_review.studies.collecting.split import Shares
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.models import Collection, CollectionVersion, Study
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.collections import filtered, picked
from tests.factories.studies import InstanceFactory, StudyFactory

pytestmark = pytest.mark.django_db

LIST, NEW, PREVIEW, PICK = "/collections/", "/collections/new/", "/collections/preview/", "/collections/pick/"


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def form(**said: Any) -> dict[str, Any]:
    """What the page sends of a new collection."""
    return {"name": "Winter films", "train": "70", "tune": "10", "test": "20", "action": "create"} | said


def film(view: str = "PA", **study: Any) -> Study:
    fields = {f"series__study__{name}": value for name, value in study.items()}
    return InstanceFactory.create(view_position=view, **fields).study


def detail(version: CollectionVersion) -> str:
    return reverse("collection-detail", args=[version.collection.uid])


def text(client: Client, address: str, **asked: str) -> str:
    return client.get(address, asked).content.decode()


def test_an_empty_list_says_what_a_collection_is_and_how_to_begin(desk: Client) -> None:
    page = text(desk, LIST)
    assert "A collection is a named set of studies" in page
    assert NEW in page


def test_a_collection_is_made_by_a_filter_and_shown(desk: Client) -> None:
    pa, ap = film(), film("AP")
    page = text(desk, NEW)
    assert "2 studies" in page
    assert "every ready study" in page
    answer = desk.post(NEW, form(views=["PA"]), follow=True)
    page = answer.content.decode()
    assert "Version 1 of Winter films has 1 study of 1 patient." in page
    assert "view PA" in page
    assert pa.label in page
    assert ap.label not in page
    assert CollectionVersion.objects.get().studies_sha256 in page
    assert "Winter films" in text(desk, LIST)
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.details) == ("view_collection", {"version": 1})


def test_what_fits_is_shown_as_the_form_changes_and_nothing_is_kept(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, hidden = film(), film("AP")
    page = desk.post(PREVIEW, form(name="", views=["PA"])).content.decode()
    assert "1 study" in page
    assert shown.label in page
    assert hidden.label not in page
    page = desk.post(PREVIEW, form(views=["PA"], since="2002-02-01", until="2001-02-01")).content.decode()
    assert "Shifted date to: It lies before the first date." in page
    page = desk.post(PREVIEW, form(since="no date")).content.decode()
    assert "Shifted date from: Enter a valid date." in page
    assert "Name" not in re.sub(r"[Nn]ame begins", "", page)
    assert "No ready study fits." in desk.post(PREVIEW, form(label="S-nothing")).content.decode()
    monkeypatch.setattr(selectors, "MAX_LIVE_COUNT", 1)
    assert "more than 1 studies" in desk.post(PREVIEW, form()).content.decode()
    assert not Collection.objects.exists()


def test_an_error_is_said_at_its_field_and_all_else_stays(desk: Client) -> None:
    film()
    page = desk.post(NEW, form(name="", train="60", views=["PA"])).content.decode()
    assert "Nothing was kept yet." in page
    assert "Name</a>: This field is required." in page
    assert "The three come to 90 %, not to 100 %." in page
    assert re.search(r'name="views" value="PA"[^>]* checked', page)
    page = desk.post(NEW, form(label="S-nothing")).content.decode()
    assert "No ready study is in it." in page
    assert not Collection.objects.exists()
    page = desk.post(NEW, form(action="show", name="Kept", views=["PA"])).content.decode()
    assert 'value="Kept"' in page
    assert "Nothing was kept yet." not in page


def test_a_list_of_studies_becomes_a_collection_with_its_search(desk: Client) -> None:
    study, other = film(), film()
    page = text(desk, reverse("study-list"), search=study.label)
    address = f"{NEW}?label={study.label}"
    assert f'form="filter" formaction="{NEW}" name="label" value="{study.label}"' in page
    page = text(desk, address)
    assert f'value="{study.label}"' in page
    assert "1 study" in page
    assert other.label not in page


def test_the_list_is_filtered_and_the_collection_begins_with_the_same(desk: Client) -> None:
    pa, ap = film(is_phantom=False), film("AP", is_phantom=False)
    held = film(state=Study.State.HELD, is_phantom=False)
    film(is_phantom=True)
    query = "views=PA&views=AP&phantom=no"
    page = text(desk, f"{reverse('study-list')}?{query}&state=ready")
    assert "view PA or AP; no drawn phantoms." in page
    labels = re.findall(r'<th scope="row" class="mono"><a[^>]*>(S-\w+)', page)
    assert labels == [ap.label, pa.label]
    kept = query.replace("&", "&amp;")
    for address in (f"?{kept}", f"?state=held&amp;{kept}"):
        assert f'href="{address}"' in page, address
    # Of the form's own values, so that a choice counts before the list has shown what fits it.
    assert f'<button class="button quiet" form="filter" formaction="{NEW}">' in page
    held_page = text(desk, f"{reverse('study-list')}?{query}&state=held")
    assert held.label in held_page
    assert "Make a collection of these" not in held_page
    page = text(desk, f"{NEW}?{query}")
    assert re.search(r'name="views" value="AP"[^>]* checked', page)
    assert re.search(r'name="phantom" value="no"[^>]* checked', page)
    assert "2 studies" in page
    nothing = text(desk, f"{reverse('study-list')}?views=AP&search={pa.label}")
    assert "No study fits the filter." in nothing
    assert "Make a collection of these" not in nothing
    wrong = text(desk, f"{reverse('study-list')}?views=XX&since=never")
    assert "Enter a valid date." in wrong
    assert pa.label in wrong


def test_older_pages_of_a_filtered_list_keep_the_filter(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_selectors, "PAGE_SIZE", 2)
    wanted = [film() for _ in range(3)]
    film("AP")
    page = text(desk, f"{reverse('study-list')}?views=PA")
    older = re.search(r'href="(\?before=\d+&amp;views=PA)"', page)
    assert older
    page = text(desk, reverse("study-list") + older[1].replace("&amp;", "&"))
    assert re.findall(r'<th scope="row" class="mono"><a[^>]*>(S-\w+)', page) == [wanted[0].label]


def test_ticked_studies_go_to_a_new_collection_or_to_one_that_is_there(desk: Client) -> None:
    studies, held = [film() for _ in range(3)], film(state=Study.State.HELD)
    page = text(desk, reverse("study-list"))
    assert page.count('type="checkbox" name="study"') == 3
    chosen = {"study": [str(study.uid) for study in (*studies[:2], held)]}
    page = desk.get(PICK, chosen).content.decode()
    assert "Add 2 studies to a collection" in page
    assert "Studies that are on hold, unseen or rejected are left out." in page
    assert "No collection is picked by hand yet." in page
    page = desk.post(PICK, chosen | form(train="10")).content.decode()
    assert "The three come to 40 %, not to 100 %." in page
    page = desk.post(PICK, chosen | form(), follow=True).content.decode()
    assert "Version 1 of Winter films has 2 studies of 2 patients." in page
    collection = Collection.objects.get()
    more = {"study": [str(studies[2].uid)], "action": "add", "collection": str(collection.uid)}
    assert "Winter films" in desk.get(PICK, more).content.decode()
    page = desk.post(PICK, more, follow=True).content.decode()
    assert "Version 2 of Winter films has 3 studies of 3 patients." in page
    again = desk.post(PICK, more).content.decode()
    assert "Nothing has changed: version 2 has the same 3 studies." in again
    assert re.search(rf'value="{collection.uid}" selected', again)
    page = desk.post(PICK, {**more, "collection": ""}).content.decode()
    assert "No collection was chosen." in page
    page = desk.get(PICK, {"study": "nonsense"}, follow=True).content.decode()
    assert "No study was ticked." in page
    assert collection.versions.count() == 2


def test_ticked_members_are_taken_out_into_the_next_version(desk: Client) -> None:
    studies = [film() for _ in range(3)]
    version = picked(studies)
    address = reverse("collection-take-out", args=[version.collection.uid])
    page = desk.post(address, {"study": [str(studies[0].uid)]}, follow=True).content.decode()
    assert "Version 2 of Picked films has 2 studies of 2 patients." in page
    assert studies[0].label not in page
    older = text(desk, detail(version), version="1")
    assert "This is an older version." in older
    assert studies[0].label in older
    assert 'type="checkbox"' not in older
    assert "No study was ticked." in desk.post(address, follow=True).content.decode()
    followed = filtered(name="Followed")
    assert 'type="checkbox"' not in text(desk, detail(followed))


def test_a_filter_is_refreshed_and_a_collection_renamed(desk: Client) -> None:
    film()
    version = filtered()
    refresh = reverse("collection-refresh", args=[version.collection.uid])
    assert "Nothing has changed" in desk.post(refresh, follow=True).content.decode()
    film()
    assert "Version 2 of All films has 2 studies" in desk.post(refresh, follow=True).content.decode()
    rename = reverse("collection-rename", args=[version.collection.uid])
    page = desk.post(rename, {"name": "<b>Films</b>"}, follow=True).content.decode()
    assert "It is named &lt;b&gt;Films&lt;/b&gt; now." in page
    assert "has no name" in desk.post(rename, {"name": " "}, follow=True).content.decode()


def test_deletions_are_asked_first_and_tell_what_stays(desk: Client, admin: User) -> None:
    studies = [film(), film()]
    version = picked(studies[:1])
    collection = version.collection
    services.change_picks(collection=collection, add=[studies[1].uid], actor=admin)
    page = text(desk, detail(version))
    assert "Version 1 goes for good" in page
    assert "Picked films goes with all its versions. The studies stay." in page
    delete = reverse("collection-version-delete", args=[collection.uid, 1])
    page = desk.post(delete, follow=True).content.decode()
    assert "Version 1 is deleted; its studies stay." in page
    assert desk.post(delete).status_code == 404
    only = reverse("collection-version-delete", args=[collection.uid, 2])
    assert "It is the only version." in desk.post(only, follow=True).content.decode()
    page = desk.post(reverse("collection-delete", args=[collection.uid]), follow=True).content.decode()
    assert "Picked films is deleted; its studies stay." in page
    assert not Collection.objects.exists()


def test_members_are_listed_by_side_page_by_page_without_gap_or_repeat(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE_SIZE", 4)
    for number in range(30):
        film(patient_pseudonym=f"P-{number:06d}")
    version = filtered()
    for side in ("", "train", "test"):
        expected = [
            member.study.label
            for member in version.members.select_related("study").order_by("-study_id")
            if side in ("", member.split)
        ]
        seen, address = [], f"{detail(version)}?version=1&side={side}"
        while address:
            page = desk.get(address).content.decode()
            seen += re.findall(r'<th scope="row" class="mono"><a[^>]*>(S-\w+)', page)
            older = re.search(r'href="(\?version=1&amp;side=\w*&amp;before=\d+)"', page)
            address = detail(version) + older[1].replace("&amp;", "&") if older else ""
        assert seen == expected
    assert (
        text(desk, detail(version), side="nonsense", before="x").count('<th scope="row" class="mono">') == 4
    )
    for wrong in ("7", "x", "99999999999"):
        assert desk.get(detail(version), {"version": wrong}).status_code == 404


def test_a_side_without_a_patient_says_so(desk: Client) -> None:
    film()
    version = filtered(shares=Shares(100, 0, 0))
    assert "No study is on this side." in text(desk, detail(version), side="test")


def test_a_withdrawn_member_is_counted_for_admins_and_hidden_from_researchers(
    desk: Client, admin: User
) -> None:
    study, other = film(), film()
    version = filtered()
    hold_study(study, actor=admin, reason="text in the corner")
    page = text(desk, detail(version))
    assert re.search(r'Withdrawn since</dt><dd><span class="mono">1<', page)
    assert study.label in page
    researcher = Client()
    researcher.force_login(ResearcherFactory.create())
    page = text(researcher, detail(version))
    assert study.label not in page
    assert other.label in page
    for change in ("Rename", "Delete", "Refresh", "New collection"):
        assert change not in page
    assert "New collection" not in text(researcher, LIST)
    assert 'type="checkbox" name="study"' not in text(researcher, reverse("study-list"))
    api = reverse("api-collection-version", args=[version.collection.uid, 1])
    shown = researcher.get(api).json()
    assert [member["study"] for member in shown["members"]] == [str(other.uid)]


def test_films_are_shown_by_view_and_side_as_bars_and_as_a_table(desk: Client) -> None:
    for number in range(12):
        film("PA" if number < 9 else "", patient_pseudonym=f"P-{number}")
    StudyFactory.create()
    version = filtered()
    page = text(desk, detail(version))
    bars = re.findall(r"<title>([\w ]+), (\w+): (\d+)</title>", page)
    drawn = {(view, side): int(number) for view, side, number in bars}
    counted = {
        (view.name, str(count.side)): number
        for view in Contents.of(version).views
        for count, number in zip(Contents.of(version).sides, view.num_films, strict=True)
        if number
    }
    assert drawn == counted
    assert sum(drawn.values()) == 12
    bare = filtered(StudyFilter(label=Study.objects.latest("pk").label), name="Bare")
    assert "Its studies had no film when it was frozen." in text(desk, detail(bare))


def test_collections_are_read_by_json(desk: Client) -> None:
    study = film()
    version = filtered(StudyFilter(views=("PA",)))
    row = desk.get(reverse("api-collection-list")).json()["results"][0]
    assert (row["collection"]["name"], row["collection"]["filter"]) == ("All films", {"views": ["PA"]})
    assert (row["newest"]["num_studies"], row["num_versions"]) == (1, 1)
    shown = desk.get(reverse("api-collection-detail", args=[version.collection.uid])).json()
    assert [found["studies_sha256"] for found in shown["versions"]] == [version.studies_sha256]
    address = reverse("api-collection-version", args=[version.collection.uid, 1])
    shown = desk.get(address).json()
    [member] = shown["members"]
    assert (member["study"], member["label"]) == (str(study.uid), study.label)
    assert shown["version"]["sides"][("train", "tune", "test").index(member["split"])]["num_studies"] == 1
    others = [side for side in ("train", "tune", "test") if side != member["split"]]
    assert desk.get(address, {"side": others[0]}).json()["members"] == []


def test_lists_need_as_many_queries_for_sixty_rows_as_for_two(
    desk: Client, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(2):
        film()
    versions = [picked(list(Study.objects.all()), name=f"Films {number}") for number in range(2)]
    addresses = [
        LIST,
        detail(versions[0]),
        NEW,
        f"{PICK}?study={Study.objects.latest('pk').uid}",
        reverse("api-collection-list"),
        reverse("api-collection-version", args=[versions[0].collection.uid, 1]),
    ]
    numbers = []
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            desk.get(address)
        numbers.append(len(captured))
    more = [film() for _ in range(60)]
    for number in range(2, 6):
        picked(more, name=f"Films {number}")
    for study in more:
        services.change_picks(collection=versions[0].collection, add=[study.uid], actor=admin)
    for address, number in zip(addresses, numbers, strict=True):
        with django_assert_num_queries(number):
            desk.get(address)
    assert max(numbers) <= 20
