"""Every event that is recorded has plain words, by which an admin finds it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.services import record_event
from deepmedix_review.audit.words import WORDS
from deepmedix_review.reviews.reading.changes import KINDS
from deepmedix_review.studies.dicomweb.attributes import Level
from tests.factories.accounts import AdminFactory

APPS = Path(__file__).parents[3] / "platform/deepmedix_review"
# What tells of an act by a name that it was given.
PASS_ON = {"record_event", "record_events", "_tell", "_move", "_record", "_let_serve"}


def _names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and re.fullmatch("[a-z]+(_[a-z]+)+", str(part.value)):
            yield str(part.value)


def _recorded() -> Iterator[str]:
    for path in APPS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and "action" in map(ast.unparse, node.targets):
                yield from _names_in(node.value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in PASS_ON:
                said = [keyword.value for keyword in node.keywords if keyword.arg == "action"]
                for value in said or (node.args[:1] if ast.unparse(node.func) == "_record" else ()):
                    yield from _names_in(value)


def test_every_event_that_the_platform_records_has_words_and_no_other_has() -> None:
    recorded = {*_recorded(), *KINDS.values(), *(f"search_{level.plural}" for level in Level)}
    named = [action for actions in WORDS.values() for action in actions]
    assert sorted(named) == sorted(recorded)


def test_no_two_events_are_called_the_same() -> None:
    words = [one for actions in WORDS.values() for one in actions.values()]
    assert len(words) == len(set(words))


@pytest.mark.django_db
def test_an_admin_chooses_an_event_by_its_words() -> None:
    admin = AdminFactory.create()
    for action in ("view_film", "log_in", "act_of_old"):
        record_event(actor=admin, action=action, subject=admin)
    client = Client()
    client.force_login(admin)

    def found(action: str) -> tuple[str, list[str]]:
        page = client.get(reverse("audit-list"), {"action": action})
        return page.content.decode(), [row.action for row in page.context["rows"]]

    page, rows = found("view_film")
    assert rows == ["opened a film"]
    assert '<option value="view_film" selected>opened a film</option>' in page
    assert "act of old" not in page
    page, rows = found("act_of_old")
    assert rows == ["act of old"]
    assert '<option value="act_of_old" selected>act of old</option>' in page
