"""Who may see and do what: each role at each address, and no reader at another's."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import ReaderStudy, Reading, WorklistNotice
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reviews import reader_of, reader_study

pytestmark = pytest.mark.django_db

READER, OTHER_READER, ADMIN, RESEARCHER, NOBODY = "reader", "other reader", "admin", "researcher", "nobody"
READER_ONLY = {READER: 200, OTHER_READER: 403, ADMIN: 403, RESEARCHER: 403, NOBODY: 401}
ANY_READER = {READER: 200, OTHER_READER: 200, ADMIN: 403, RESEARCHER: 403, NOBODY: 302}
ADMIN_ONLY = {READER: 403, OTHER_READER: 403, ADMIN: 200, RESEARCHER: 403, NOBODY: 302}
PAGE = {NOBODY: 302}


@pytest.fixture
def study() -> ReaderStudy:
    return reader_study()


@pytest.fixture
def reading(study: ReaderStudy) -> Reading:
    return Reading.objects.get(assignment__case__reader_study=study)


@pytest.fixture
def people(reading: Reading) -> dict[str, User | None]:
    return {
        READER: reader_of(reading),
        OTHER_READER: ExpertFactory.create(),
        ADMIN: AdminFactory.create(),
        RESEARCHER: ResearcherFactory.create(),
        NOBODY: None,
    }


def _change(reading: Reading) -> dict[str, Any]:
    return {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
        "film": str(reading.completion_a.instance.uid),
        "kind": "cast_vote",
        "payload": {"side": "a"},
    }


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        ("get", "worklist", ANY_READER),
        ("post", "open-reading", READER_ONLY | {READER: 302} | PAGE),
        ("get", "reading", READER_ONLY | PAGE),
        ("get", "amend-reading", READER_ONLY | PAGE),
        ("post", "discard-amendment", READER_ONLY | {READER: 409} | PAGE),
        ("get", "reader-study-list", ADMIN_ONLY | {RESEARCHER: 200}),
        ("get", "reader-study-create", ADMIN_ONLY),
        ("post", "reader-study-create", ADMIN_ONLY),
        ("get", "reader-study-detail", ADMIN_ONLY),
        ("get", "reader-study-design", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-plan", ADMIN_ONLY),
        ("get", "reader-study-example", ADMIN_ONLY),
        ("post", "reader-study-delete", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-duplicate", ADMIN_ONLY | {ADMIN: 302}),
        ("get", "reader-study-lists", ADMIN_ONLY),
        ("post", "reader-study-move", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-invite", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-remove", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-extend", ADMIN_ONLY | {ADMIN: 409}),
        ("post", "reader-study-adjudicate", ADMIN_ONLY | {ADMIN: 409}),
        ("get", "criterion-list", ADMIN_ONLY),
        ("get", "criterion-create", ADMIN_ONLY),
        ("post", "criterion-preview", ADMIN_ONLY),
        ("post", "notice-dismiss", READER_ONLY | {READER: 302} | PAGE),
        ("post", "take-case", ANY_READER | {READER: 409, OTHER_READER: 403}),
        ("post", "give-case-back", READER_ONLY | {READER: 409} | PAGE),
        ("get", "api-reading", READER_ONLY),
        ("post", "api-reading-changes", READER_ONLY),
        ("post", "api-reading-sign", READER_ONLY | {READER: 409}),
        ("post", "api-reading-name-on-film", READER_ONLY),
        ("post", "api-reading-discard", READER_ONLY | {READER: 409}),
    ],
)
@pytest.mark.parametrize("person", [READER, OTHER_READER, ADMIN, RESEARCHER, NOBODY])
def test_each_role_at_each_address(
    method: str,
    name: str,
    expected: dict[str, int],
    person: str,
    people: dict[str, User | None],
    reading: Reading,
    study: ReaderStudy,
) -> None:
    subjects: dict[str, list[uuid.UUID]] = {
        "worklist": [],
        "reader-study-list": [],
        "reader-study-create": [],
        "reader-study-plan": [],
        "reader-study-example": [],
        "criterion-list": [],
        "criterion-create": [],
        "criterion-preview": [],
        "give-case-back": [reading.assignment.uid],
        "notice-dismiss": [
            WorklistNotice.objects.create(reader_study=study, reader=reader_of(reading), num_gone=1).uid
        ],
        "open-reading": [reading.assignment.uid],
    }
    client, user = Client(), people[person]
    if user is not None:
        client.force_login(user)
    of_study = name.startswith("reader-study-") or name == "take-case"
    address = reverse(name, args=subjects.get(name, [study.uid if of_study else reading.uid]))
    json = {"data": _change(reading), "content_type": "application/json"} if name.startswith("api-") else {}
    answer = client.get(address) if method == "get" else client.post(address, **json)  # type: ignore[arg-type]
    assert answer.status_code == expected[person]


def test_an_unknown_reading_looks_like_one_of_another_reader() -> None:
    client = Client()
    client.force_login(ExpertFactory.create())
    stranger = client.get(
        reverse("api-reading", args=[Reading.objects.get(assignment__case__reader_study=reader_study()).uid])
    )
    unknown = client.get(reverse("api-reading", args=[uuid.uuid4()]))
    assert (stranger.status_code, stranger.json()) == (unknown.status_code, unknown.json())


def test_a_reader_never_sees_what_another_said_of_the_same_case() -> None:
    first, second = ExpertFactory.create(), ExpertFactory.create()
    study = reader_study(readers=[first, second])
    mine = Reading.objects.get(assignment__case__reader_study=study, assignment__reader=first)
    theirs = Reading.objects.get(assignment__case__reader_study=study, assignment__reader=second)
    client = Client()
    client.force_login(second)
    client.post(
        reverse("api-reading-changes", args=[theirs.uid]), _change(theirs), content_type="application/json"
    )
    client.force_login(first)
    shown = client.get(reverse("api-reading", args=[mine.uid])).json()
    assert (shown["votes"], shown["step_ratings"], shown["saved_at"]) == ([], [], None)
    assert client.get(reverse("api-reading", args=[theirs.uid])).status_code == 403
    assert second.pseudonym not in client.get(reverse("worklist")).content.decode()
