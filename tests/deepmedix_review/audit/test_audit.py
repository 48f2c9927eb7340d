"""The audit record can be added to and read, and whoever changes it is found out."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from pytest_django import DjangoAssertNumQueries, Settings

from deepmedix_review.audit import selectors
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.audit.services import record_event
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory, UserFactory

pytestmark = pytest.mark.django_db

CHANGES = {
    "update": "UPDATE audit_auditevent SET action = 'nothing' WHERE sequence = 2",
    "delete": "DELETE FROM audit_auditevent WHERE sequence = 2",
    "truncate": "TRUNCATE audit_auditevent",
}


def _record(number: int = 3) -> list[AuditEvent]:
    user = UserFactory.create()
    return [
        record_event(actor=user, action=f"act_{n}", subject=user, details={"n": n}) for n in range(number)
    ]


def _tamper(sql: str) -> None:
    """As a database's owner could."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


@pytest.mark.parametrize("change", list(CHANGES))
def test_the_database_refuses_to_change_what_was_recorded(change: str) -> None:
    _record()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(CHANGES[change])
    assert check_chain().num_events == 3


@pytest.mark.parametrize(
    ("sql", "broken_at", "reason"),
    [
        ("UPDATE audit_auditevent SET action = 'nothing' WHERE sequence = 2", 2, "its content was changed"),
        ("UPDATE audit_auditevent SET details = '{}' WHERE sequence = 3", 3, "its content was changed"),
        ("UPDATE audit_auditevent SET at = now() WHERE sequence = 1", 1, "its content was changed"),
        ("DELETE FROM audit_auditevent WHERE sequence = 2", 2, "the event is missing"),
        (
            "UPDATE audit_auditevent SET previous_hash = repeat('0', 64) WHERE sequence = 3",
            3,
            "it does not follow the event before it",
        ),
    ],
)
def test_the_first_broken_event_is_named(
    capsys: pytest.CaptureFixture[str], sql: str, broken_at: int, reason: str
) -> None:
    _record(4)
    _tamper(sql)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"Event {broken_at} does not hold: {reason}.\n"


def test_events_cut_off_at_the_end_are_found_by_the_head_that_was_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = _record(3)
    call_command("verify_audit")
    head = capsys.readouterr().out.splitlines()[-1]
    assert head == f"3:{events[-1].hash}"
    _tamper("DELETE FROM audit_auditevent WHERE sequence = 3")
    call_command("verify_audit")
    with pytest.raises(SystemExit):
        call_command("verify_audit", f"--expect-head={head}")
    assert "Event 3 does not hold: the head that was kept is not in the chain." in capsys.readouterr().err
    with pytest.raises(CommandError, match="a head is a sequence number"):
        call_command("verify_audit", "--expect-head=nonsense")


def test_a_chain_made_again_without_the_key_does_not_hold(settings: Settings) -> None:
    _record()
    settings.AUDIT_KEY = "another key"
    assert check_chain().broken_at == 1


@pytest.mark.django_db(transaction=True)
def test_events_recorded_at_once_stand_in_one_chain() -> None:
    user = UserFactory.create()

    def act(number: int) -> None:
        try:
            record_event(actor=user, action="act", subject=user, details={"n": number})
        except DatabaseError as error:
            raise AssertionError from error
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        list(people.map(act, range(40)))
    check = check_chain()
    assert (check.num_events, check.broken_at) == (40, None)


@pytest.mark.parametrize(
    ("factory", "status"), [(AdminFactory, 200), (ExpertFactory, 403), (ResearcherFactory, 403), (None, 302)]
)
def test_the_page_is_for_admins(factory: type[UserFactory] | None, status: int) -> None:
    client = Client()
    if factory is not None:
        client.force_login(factory.create())
    assert client.get(reverse("audit-list")).status_code == status


def test_the_page_is_found_through_and_paged_with_a_constant_number_of_queries(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(selectors, "PAGE_SIZE", 5)
    client = Client()
    client.force_login(AdminFactory.create())
    subject = _record(12)[0]
    with django_assert_num_queries(5):
        page = client.get(reverse("audit-list")).content.decode()
    assert page.count("act_") == 5
    assert f"?before={AuditEvent.objects.count() - 4}" in page
    last = client.get(reverse("audit-list"), {"before": "3"}).content.decode()
    assert ("act_0" in last, "Older events" in last) == (True, False)
    assert "act_7" in client.get(reverse("audit-list"), {"action": "act_7"}).content.decode()
    assert "Nobody is called" in client.get(reverse("audit-list"), {"actor": "U-nobody"}).content.decode()
    found = client.get(reverse("audit-list"), {"subject": subject.subject_uid}).content.decode()
    assert found.count("act_") == 5


def test_a_person_reads_words_and_pseudonyms_not_lists_and_uids() -> None:
    reader, case = ExpertFactory.create(pseudonym="E-READER"), str(uuid.uuid4())
    details = {
        "readers": [str(reader.uid), case],
        "as_of": None,
        "problems": [],
        "sha256": "ab" * 32,
        "said": "<b>",
    }
    event = record_event(actor=None, action="assign_case", subject=reader, details=details)
    client = Client()
    client.force_login(AdminFactory.create())
    page = client.get(reverse("audit-list"), {"action": "assign_case"}).content.decode()
    row = page[page.index("<tbody>") : page.index("</tbody>")]
    said = " ".join(re.sub(r"<[^>]*>", "", row).split())
    for told in (
        f"readers: E-READER, {case[:8]}",
        "as of: none",
        "problems: none",
        "sha256: abababababab;",
        "said: &lt;b&gt;",
    ):
        assert told in said
    assert "user E-READER" in said
    assert f'href="{reverse("account-detail", args=[reader.uid])}"' in row
    assert f'href="?subject={reader.uid}"' in row
    assert said.endswith(event.hash[:12])
    assert f'title="{event.hash}"' in row
    assert "[" not in said


def test_an_account_that_a_request_names_lazily_is_called_as_any_other() -> None:
    admin = AdminFactory.create()
    lazily: Any = SimpleLazyObject(lambda: admin)
    event = record_event(actor=admin, action="view_retention", subject=lazily)
    assert (event.subject_type, event.subject_uid) == ("User", str(admin.uid))
