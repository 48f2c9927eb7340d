"""Who may see and do what with studies and films: each role at each address."""

import uuid
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.studies import selectors
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.storage import store_film
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.collections import picked
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

READER, EXPERT, ADMIN, RESEARCHER, NOBODY = "reader", "expert", "admin", "researcher", "nobody"
READY, HELD, REJECTED = Study.State.READY, Study.State.HELD, Study.State.REJECTED
UNSEEN = Study.State.UNSEEN


@pytest.fixture
def people() -> dict[str, User | None]:
    return {
        READER: ExpertFactory.create(),
        EXPERT: ExpertFactory.create(),
        ADMIN: AdminFactory.create(),
        RESEARCHER: ResearcherFactory.create(),
        NOBODY: None,
    }


@pytest.fixture(autouse=True)
def reader_is_assigned(people: dict[str, User | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is granted every study, as an app above grants assigned ones."""
    monkeypatch.setattr(selectors, "READER_ACCESS", [lambda user: Q(pk__isnull=user != people[READER])])


def _film(state: str) -> Instance:
    with NamedTemporaryFile(suffix=".png") as picture:
        stored = store_film(lambda path: path.touch(), picture=Path(picture.name))
    return InstanceFactory.create(
        series__study__state=state, file_path=stored.path, file_sha256=stored.sha256, file_bytes=0
    )


def _client(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


PAGES = {READER: 403, EXPERT: 403, ADMIN: 200, RESEARCHER: 200, NOBODY: 302}
ADMIN_PAGES = {**PAGES, RESEARCHER: 403}
API = {**PAGES, NOBODY: 401}
ADMIN_API = {**ADMIN_PAGES, NOBODY: 401}


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        ("get", "study-list", PAGES),
        ("get", "study-import", ADMIN_PAGES),
        ("post", "study-import", {**ADMIN_PAGES, ADMIN: 302}),
        ("get", "study-held", ADMIN_PAGES),
        ("post", "study-held", {**ADMIN_PAGES, ADMIN: 302}),
        ("get", "api-held-studies", ADMIN_API),
        ("post", "api-held-studies", {**ADMIN_API, ADMIN: 400}),
        ("get", "pacs-search", ADMIN_PAGES),
        ("post", "pacs-search", ADMIN_PAGES),
        ("get", "pacs-pull-live", ADMIN_PAGES),
        ("get", "api-pacs-source-list", ADMIN_API),
        ("get", "api-pacs-pull-list", ADMIN_API),
        ("post", "api-pacs-pull-list", {**ADMIN_API, ADMIN: 400}),
        ("get", "study-look", ADMIN_PAGES),
        ("post", "study-look", {**ADMIN_PAGES, ADMIN: 302}),
        ("get", "api-study-list", API),
        ("post", "api-study-list", {**ADMIN_API, ADMIN: 400}),
        ("get", "collection-list", PAGES),
        ("get", "collection-create", ADMIN_PAGES),
        ("post", "collection-create", ADMIN_PAGES),
        ("post", "collection-preview", ADMIN_PAGES),
        ("get", "collection-pick", {**ADMIN_PAGES, ADMIN: 302}),
        ("post", "collection-pick", {**ADMIN_PAGES, ADMIN: 302}),
        ("get", "api-collection-list", API),
    ],
)
@pytest.mark.parametrize("role", list(PAGES))
def test_pages_of_all_studies(
    people: dict[str, User | None], role: str, method: str, name: str, expected: dict[str, int]
) -> None:
    client = _client(people[role])
    answer = client.post(reverse(name), {}) if method == "post" else client.get(reverse(name))
    assert answer.status_code == expected[role]


@pytest.mark.parametrize(
    ("name", "state", "expected"),
    [
        ("study-detail", READY, PAGES),
        ("study-detail", HELD, {**PAGES, RESEARCHER: 404}),
        ("study-detail", REJECTED, {**PAGES, RESEARCHER: 404}),
        ("api-study-detail", READY, API),
        ("api-study-detail", HELD, {**API, RESEARCHER: 404}),
        ("film", READY, {**API, READER: 200, EXPERT: 404}),
        ("film", HELD, {**API, READER: 404, EXPERT: 404, RESEARCHER: 404}),
        ("film", UNSEEN, {**API, READER: 404, EXPERT: 404, RESEARCHER: 404}),
        ("film", REJECTED, {**API, READER: 404, EXPERT: 404, RESEARCHER: 404}),
        ("film-picture", READY, {**API, READER: 200, EXPERT: 404}),
        ("film-picture", HELD, {**API, READER: 404, EXPERT: 404, RESEARCHER: 404}),
    ],
)
@pytest.mark.parametrize("role", list(PAGES))
def test_one_study_and_its_films(
    people: dict[str, User | None], role: str, name: str, state: str, expected: dict[str, int]
) -> None:
    film = _film(state)
    uid = film.uid if name.startswith("film") else film.study.uid
    answer = _client(people[role]).get(reverse(name, args=[uid]))
    assert answer.status_code == expected[role]
    if not name.startswith("film"):
        assert str(film.study.label) not in answer.content.decode() or answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "expected"),
    [("study-hold", {**ADMIN_PAGES, ADMIN: 302}), ("study-tick-name", {**ADMIN_PAGES, ADMIN: 302})],
)
@pytest.mark.parametrize("role", list(PAGES))
def test_what_takes_a_study_out_of_use(
    people: dict[str, User | None], role: str, name: str, expected: dict[str, int]
) -> None:
    study = _film(READY).study
    sent = {"reason": "odd", "marked": f"{study.uid}:1"}
    answer = _client(people[role]).post(reverse(name, args=[study.uid]), sent)
    assert answer.status_code == expected[role]
    study.refresh_from_db()
    assert study.state == (HELD if role == ADMIN else READY)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("study-decide", {**ADMIN_PAGES, ADMIN: 302}), ("api-study-decision", ADMIN_API)],
)
@pytest.mark.parametrize("role", list(PAGES))
def test_the_decision_on_a_held_study(
    people: dict[str, User | None], role: str, name: str, expected: dict[str, int]
) -> None:
    study = _film(HELD).study
    url = reverse(name, args=[study.uid])
    kind = "application/json" if name.startswith("api") else "application/x-www-form-urlencoded"
    of_page = "decision=accept&looked=yes"
    body = '{"decision": "accept", "looked": true}' if name.startswith("api") else of_page
    answer = _client(people[role]).post(url, body, content_type=kind)
    assert answer.status_code == expected[role]
    study.refresh_from_db()
    assert (study.state == READY) is (role == ADMIN)


CHANGES = {**ADMIN_PAGES, ADMIN: 302}


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        ("get", "collection-detail", PAGES),
        ("post", "collection-rename", CHANGES),
        ("post", "collection-refresh", CHANGES),
        ("post", "collection-take-out", CHANGES),
        ("post", "collection-version-delete", CHANGES),
        ("post", "collection-delete", CHANGES),
        ("get", "api-collection-detail", API),
        ("get", "api-collection-version", API),
    ],
)
@pytest.mark.parametrize("role", list(PAGES))
def test_one_collection(
    people: dict[str, User | None], role: str, method: str, name: str, expected: dict[str, int]
) -> None:
    study = _film(READY).study
    collection = picked([study]).collection
    numbered = name in ("collection-version-delete", "api-collection-version")
    address = reverse(name, args=[collection.uid, *([1] if numbered else [])])
    client = _client(people[role])
    answer = client.get(address) if method == "get" else client.post(address, {"name": "Renamed"})
    assert answer.status_code == expected[role]
    if expected[role] != 200:
        assert study.label not in answer.content.decode()
    if role != ADMIN:
        collection.refresh_from_db()
        assert (collection.name, collection.versions.count()) == ("Picked films", 1)


def test_an_absent_collection_is_not_found(people: dict[str, User | None]) -> None:
    for name in ("collection-detail", "api-collection-detail"):
        assert _client(people[ADMIN]).get(reverse(name, args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["study-detail", "api-study-detail", "film", "film-picture"])
def test_what_is_absent_is_not_found(people: dict[str, User | None], name: str) -> None:
    assert _client(people[ADMIN]).get(reverse(name, args=[uuid.uuid4()])).status_code == 404
