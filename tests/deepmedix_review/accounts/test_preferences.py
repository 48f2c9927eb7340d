"""What a person set up in the reading room: kept per account, checked, and nobody else's."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import Preference, User
from tests.factories.accounts import ExpertFactory

pytestmark = pytest.mark.django_db
AS_THEY_COME = {"keys": {}, "has_single_keys": True, "has_toured": False}
MOVED = {"keys": {"Region fits": "KeyQ"}, "has_single_keys": False, "has_toured": True}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def put(client: Client, data: Any) -> Any:
    return client.put(reverse("api-keys"), data, content_type="application/json")


def test_keys_are_kept_for_the_one_who_set_them_and_for_nobody_else() -> None:
    mine, theirs = client_of(ExpertFactory.create()), client_of(ExpertFactory.create())
    assert mine.get(reverse("api-keys")).json() == AS_THEY_COME
    assert put(mine, MOVED).json() == MOVED
    assert mine.get(reverse("api-keys")).json() == MOVED
    assert theirs.get(reverse("api-keys")).json() == AS_THEY_COME
    assert put(mine, AS_THEY_COME).json() == AS_THEY_COME
    assert Preference.objects.count() == 1


def test_a_page_that_was_opened_by_another_account_changes_and_learns_nothing() -> None:
    theirs, mine = ExpertFactory.create(), ExpertFactory.create()
    of_page = f"{reverse('api-keys')}?account={theirs.uid}"
    beside = client_of(mine)
    for answer in (beside.get(of_page), beside.put(of_page, MOVED, content_type="application/json")):
        assert answer.status_code == 409
        assert answer.json() == {"detail": "Another account is logged in in this browser now. Log in again."}
    assert not Preference.objects.exists()
    assert client_of(theirs).put(of_page, MOVED, content_type="application/json").json() == MOVED


def test_one_key_for_two_things_is_refused_by_name() -> None:
    answer = put(client_of(ExpertFactory.create()), MOVED | {"keys": {"Region fits": "KeyQ", "Note": "KeyQ"}})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The key KeyQ would do two things.")
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        MOVED | {"keys": {"Note": "Key Q"}},
        MOVED | {"keys": {"Note": ""}},
        MOVED | {"keys": {"Note": 7.5}},
        MOVED | {"keys": {"x" * 100: "KeyQ"}},
        MOVED | {"keys": {f"Shortcut {n}": f"Key{n}" for n in range(200)}},
        MOVED | {"has_toured": "perhaps"},
    ],
)
def test_what_is_no_key_is_refused_with_a_sentence(data: Any) -> None:
    answer = put(client_of(ExpertFactory.create()), data)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "These keys could not be read. Reload the page."}


def test_nobody_has_no_keys() -> None:
    assert Client().get(reverse("api-keys")).status_code == 401
