"""Accounts are made, given a role, closed and audited, and nobody does this to themselves."""

import uuid
from collections.abc import Callable

import pytest

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.selectors import accounts, readers, readers_by_uid
from deepmedix_review.accounts.services import change_password, change_role, create_account, set_active
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db

PASSWORD = "quite a long one, 42"


def test_an_account_has_a_role_a_drawn_pseudonym_and_a_password_that_works() -> None:
    admin = AdminFactory.create()
    made = create_account(username="nora", password=PASSWORD, role=Role.EXPERT, actor=admin)
    assert made.check_password(PASSWORD)
    assert made.pseudonym.startswith("E-")
    assert "nora" not in made.pseudonym
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.actor, event.subject_uid) == ("create_account", admin, str(made.uid))
    assert event.details == {"role": "expert"}


def test_a_taken_name_and_a_weak_password_are_refused_with_the_way_out() -> None:
    ExpertFactory.create(username="nora")
    with pytest.raises(RefusedByRule, match="Choose another"):
        create_account(username="nora", password=PASSWORD, role=Role.EXPERT)
    with pytest.raises(RefusedByRule, match="at least 12 characters"):
        create_account(username="otto", password="short", role=Role.EXPERT)
    assert not User.objects.filter(username="otto").exists()
    with pytest.raises(RefusedByRule, match="at least 12 characters"):
        change_password(ExpertFactory.create(), password="short", actor=None)


def test_all_that_is_wrong_with_a_new_account_is_said_at_once() -> None:
    ExpertFactory.create(username="nora", pseudonym="E-NORA")
    with pytest.raises(RefusedByRule) as refused:
        create_account(username="nora", password="short", role=Role.EXPERT, pseudonym="E-NORA")
    for problem in ("The name nora is taken", "The pseudonym E-NORA is taken", "at least 12 characters"):
        assert problem in str(refused.value)


def test_an_admin_changes_another_account_and_never_their_own() -> None:
    admin, expert = AdminFactory.create(), ExpertFactory.create()
    change_role(expert, role=Role.RESEARCHER, actor=admin)
    set_active(expert, active=False, actor=admin)
    change_password(expert, password=PASSWORD, actor=admin)
    expert.refresh_from_db()
    assert (expert.role, expert.is_active, expert.check_password(PASSWORD)) == ("researcher", False, True)
    assert list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True)) == [
        "change_role",
        "close_account",
        "change_password",
    ]
    attempts: list[Callable[[], None]] = [
        lambda: change_role(admin, role=Role.EXPERT, actor=admin),
        lambda: set_active(admin, active=False, actor=admin),
    ]
    for attempt in attempts:
        with pytest.raises(RefusedByRule, match="another admin"):
            attempt()


def test_readers_are_the_open_accounts_of_experts() -> None:
    expert = ExpertFactory.create()
    closed = ExpertFactory.create(is_active=False)
    others = [AdminFactory.create(), ResearcherFactory.create()]
    assert list(readers()) == [expert]
    assert readers_by_uid([expert.uid]) == [expert]
    assert list(accounts())[-1] == closed
    for missing in (closed.uid, others[0].uid, uuid.uuid4()):
        with pytest.raises(RefusedByRule, match="Choose the readers again"):
            readers_by_uid([expert.uid, missing])
