"""Programs act for a person by a token: within its scopes, until it ends, and on the record."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from deepmedix_review.accounts import services
from deepmedix_review.accounts.models import ApiToken, Preference, Role, User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import FOR_PROGRAMS, MOST_OPEN, make_token, revoke_token, scopes_for
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.picture_views import record_picture_views
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reviews import an_open_reading, reader_of
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db
VIEW = Capability.VIEW_ALL_STUDIES


def made(account: User, *scopes: Capability, days: int = 30) -> tuple[ApiToken, str]:
    return make_token(account=account, name="nightly", scopes=scopes or (VIEW,), days=days)


def ask(words: str, name: str = "api-study-list", *args: Any) -> Any:
    return Client().get(reverse(name, args=args), headers={"Authorization": f"Bearer {words}"})


def test_a_token_asks_for_what_its_person_may_see_and_the_record_names_it() -> None:
    study = an_open_reading().assignment.case.study
    admin = AdminFactory.create()
    token, words = made(admin)
    assert ask(words).json()["results"][0]["uid"] == str(study.uid)
    assert ask(words, "api-study-detail", study.uid).status_code == 200
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.actor, event.details["by_token"]) == ("view_study", admin, str(token.uid))
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_the_record_names_the_token_that_was_sent_a_small_picture() -> None:
    film = store_phantom(size=64)
    token, words = made(AdminFactory.create())
    assert ask(words, "film-picture", film.uid).status_code == 200
    record_picture_views()
    event = AuditEvent.objects.get(action="view_pictures")
    assert (event.details["films"], event.details["by_token"]) == ([str(film.uid)], str(token.uid))


def test_a_token_may_what_it_was_made_for_and_nothing_else_of_its_role() -> None:
    _, words = made(ResearcherFactory.create(), Capability.VIEW_MODELS)
    answer = ask(words)
    assert answer.status_code == 403
    assert answer.json()["detail"] == (
        "This token may not view studies outside your worklist: it was made without that. Make one that may."
    )


def test_another_role_takes_from_a_token_what_it_may_not() -> None:
    researcher = ResearcherFactory.create()
    _, words = made(researcher)
    services.change_role(researcher, role=Role.EXPERT, actor=AdminFactory.create())
    assert ask(words).status_code == 403


def test_who_brings_no_token_is_told_how_to_come_back() -> None:
    answer = Client().get("/api/studies/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="DeepMedix Review"'


@pytest.mark.parametrize("words", ["", "dmr_nothing", "ä", "dmr_" + "x" * 10_000])
def test_what_is_no_token_is_refused_as_the_standard_says(words: str) -> None:
    answer = ask(words)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert "Make another one." in answer.json()["detail"]


def test_what_a_token_does_to_a_study_it_does_to_those_that_it_may_view_alone() -> None:
    film = store_phantom(size=64)
    admin, study = AdminFactory.create(), film.study
    for scope, what in (
        (Capability.REQUEST_INFERENCE, "inference"),
        (Capability.DECIDE_HELD_STUDIES, "hold"),
        (Capability.DECIDE_HELD_STUDIES, "decision"),
    ):
        _, words = made(admin, scope)
        answer = tell(words, f"/api/studies/{study.uid}/{what}/")
        assert answer.status_code == 403, what
        assert answer.json()["detail"].startswith("This token may not view studies outside your worklist")
        assert ask(words, "film-picture", film.uid).status_code == 404
        _, words = made(admin, scope, VIEW)
        assert tell(words, f"/api/studies/{study.uid}/{what}/").status_code != 403, what


def tell(words: str, address: str) -> Any:
    return Client().post(address, headers={"Authorization": f"Bearer {words}"})


def test_a_program_has_no_say_in_its_person_s_keys() -> None:
    admin = AdminFactory.create()
    _, words = made(admin)
    assert ask(words, "api-keys").status_code == 403
    answer = Client().put(
        reverse("api-keys"),
        {"keys": {}, "has_single_keys": False, "has_toured": True},
        content_type="application/json",
        headers={"Authorization": f"Bearer {words}"},
    )
    assert answer.status_code == 403
    assert not Preference.objects.filter(user=admin).exists()


def test_a_token_is_offered_what_an_address_of_the_interface_asks_for_and_nothing_else() -> None:
    asked = {
        getattr(permission, "wanted", None)
        for view, method in methods_below_api()
        for permission in permissions_of(view, method)
    }
    assert asked - {None, Capability.READ_CASES} == FOR_PROGRAMS
    assert Capability.MANAGE_ACCOUNTS not in scopes_for(AdminFactory.create())


def methods_below_api() -> Iterator[tuple[type[APIView], str]]:
    for included in get_resolver().url_patterns:
        if isinstance(included, URLResolver) and str(included.pattern) == "api/":
            for pattern in included.url_patterns:
                view: type[APIView] = vars(pattern.callback)["cls"]
                yield from ((view, one.upper()) for one in view.http_method_names if hasattr(view, one))


def permissions_of(view: type[APIView], method: str) -> list[Any]:
    asked = view()
    asked.request = Request(HttpRequest())
    asked.request.method = method
    return list(asked.get_permissions())


def test_a_token_ends_when_it_expires_is_revoked_its_account_closes_or_its_password_changes() -> None:
    admin = AdminFactory.create()
    for end in (expire, take_back, close, new_password):
        owner = ResearcherFactory.create()
        token, words = made(owner)
        assert ask(words).status_code == 200
        end(token, admin)
        assert ask(words).status_code == 401, end.__name__


def expire(token: ApiToken, admin: User) -> None:
    past = timezone.now() - timedelta(days=2)
    ApiToken.objects.filter(pk=token.pk).update(created_at=past, expires_at=past + timedelta(days=1))


def take_back(token: ApiToken, admin: User) -> None:
    revoke_token(token, actor=token.account)


def close(token: ApiToken, admin: User) -> None:
    services.set_active(token.account, active=False, actor=admin)


def new_password(token: ApiToken, admin: User) -> None:
    services.change_password(token.account, password="another long password", actor=admin)


def test_only_its_person_and_an_admin_take_a_token_back() -> None:
    token, _ = made(ResearcherFactory.create())
    with pytest.raises(NotYours):
        revoke_token(token, actor=ResearcherFactory.create())
    revoke_token(token, actor=AdminFactory.create())
    actions = AuditEvent.objects.order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-2:] == ["make_token", "revoke_token"]


def test_the_page_shows_a_token_once_and_keeps_its_fingerprint_alone(client) -> None:
    client.force_login(ResearcherFactory.create())
    form = {"name": "nightly", "days": "30", "scopes": ["VIEW_ALL_STUDIES"]}
    page = client.post(reverse("token-list"), form)
    found = re.search(r'value="(dmr_[\w-]{43})"', page.content.decode())
    assert found is not None
    assert "no-store" in page.headers["Cache-Control"]
    assert ask(found[1]).status_code == 200
    assert found[1] not in client.get(reverse("token-list")).content.decode()
    kept = str(ApiToken.objects.values().get()) + str(list(AuditEvent.objects.values()))
    assert found[1] not in kept


def test_a_token_without_a_name_a_use_or_an_end_is_not_made() -> None:
    owner = ResearcherFactory.create()
    for name, scopes, days in ((" ", [VIEW], 1), ("x", [], 1), ("x", [VIEW], 0), ("x", [VIEW], 4000)):
        with pytest.raises(RefusedByRule):
            make_token(account=owner, name=name, scopes=scopes, days=days)
    with pytest.raises(RefusedByRule, match="bring studies in"):
        make_token(account=owner, name="x", scopes=[Capability.IMPORT_STUDIES], days=1)
    for _ in range(MOST_OPEN):
        made(owner)
    with pytest.raises(RefusedByRule, match="Revoke one"):
        made(owner)


def test_no_token_is_made_beside_a_new_password_that_ends_them_all() -> None:
    owner = ResearcherFactory.create()
    same_person = User.objects.get(pk=owner.pk)
    services.change_password(same_person, password="another long password", actor=AdminFactory.create())
    with pytest.raises(RefusedByRule, match="password was changed meanwhile"):
        made(owner)
    assert made(same_person)


def test_readers_have_no_tokens_since_a_rating_is_their_own(client) -> None:
    reading = an_open_reading()
    assert scopes_for(reader_of(reading)) == []
    client.force_login(reader_of(reading))
    assert client.get(reverse("token-list")).status_code == 403
    assert "API tokens" not in client.get(reverse("worklist")).content.decode()


def test_an_admin_sees_and_ends_the_tokens_of_an_account(client) -> None:
    owner = ResearcherFactory.create()
    token, _ = made(owner)
    client.force_login(AdminFactory.create())
    assert "nightly" in client.get(reverse("account-detail", args=[owner.uid])).content.decode()
    answer = client.post(reverse("token-revoke", args=[token.uid]))
    assert answer.url == reverse("account-detail", args=[owner.uid])
    client.force_login(ExpertFactory.create())
    assert client.post(reverse("token-revoke", args=[token.uid])).status_code == 403


def test_a_token_opens_no_page() -> None:
    _, words = made(AdminFactory.create())
    assert ask(words, "study-list").status_code == 302
