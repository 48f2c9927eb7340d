"""The page, the interface and the command do the same, of who may; reader studies say what falls due."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.words import in_words
from deepmedix_review.erasure.models import Erasure, RetentionBatch
from deepmedix_review.erasure.tasks import run_retention_batch
from deepmedix_review.reviews.models import Assignment, ReaderStudy
from deepmedix_review.studies.models import Keeping, RetentionRule, Study
from tests.deepmedix_review.erasure.a_due_study import WHY, a_rule, came, came_at, days_ago
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.reviews import an_open_reading

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def by_token(admin: User, *scopes: Capability) -> dict[str, Any]:
    _, words = make_token(account=admin, name="Keeps", scopes=scopes, days=1)
    return {"headers": {"Authorization": f"Bearer {words}"}, "content_type": "application/json"}


def test_the_page_makes_a_rule_shows_what_is_due_and_erases_it(admin: User, client: Client) -> None:
    client.force_login(admin)
    address = reverse("retention")
    first = text_of(client.get(address))
    assert "Nothing is due: there is no rule." in first
    assert "Retention</a>" in text_of(client.get(reverse("study-list")))
    study, young = came(days_ago(50)), came(days_ago(10))
    wrong = text_of(client.post(address, {"of": "every:", "keep_days": "0", "because": ""}))
    assert "No rule was made." in wrong
    assert "Say in words why the rule is there." in wrong
    assert not RetentionRule.objects.exists()
    client.post(address, {"of": "every:", "keep_days": "30", "because": WHY})
    page = text_of(client.get(address))
    for words in ("Due now: 1", "Falls due in the next 30 days: 1", study.label, young.label, WHY):
        assert words in page
    assert "Retention: 1 due" in text_of(client.get(reverse("study-list")))
    detail = text_of(client.get(reverse("study-detail", args=[study.uid])))
    assert "May be kept until" in detail
    assert WHY in detail

    keep = reverse("study-keep", args=[study.uid])
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert "It falls due" in text_of(client.get(keep))
    past = text_of(client.post(keep, {"last_day": "2001-01-01", "because": "x"}))
    assert "1 Jan 2001 is over. Choose a day that is to come." in past
    assert not Keeping.objects.exists()
    client.post(keep, {"last_day": tomorrow.isoformat(), "because": "An appeal is under way"})
    page = text_of(client.get(address))
    assert "Due now: 0" in page
    assert "An appeal is under way" in page
    assert "An appeal is under way" in text_of(client.get(reverse("study-erase", args=[study.uid])))
    client.post(reverse("study-keep-end", args=[study.uid]))

    ask = client.get(reverse("retention-erase"))
    assert "To confirm, type 1" in text_of(ask)
    as_of = ask.context["preview"].as_of.isoformat()
    refused = text_of(client.post(reverse("retention-erase"), {"as_of": as_of, "num_confirmed": "7"}))
    assert "Look at them again, and type 1." in refused
    assert not RetentionBatch.objects.exists()
    asked = client.post(reverse("retention-erase"), {"as_of": as_of, "num_confirmed": "1"})
    batch = RetentionBatch.objects.get()
    assert asked["Location"] == reverse("retention-batch", args=[batch.uid])
    assert "every 1s" in text_of(client.get(asked["Location"]))
    run_retention_batch(batch.pk)
    done = text_of(client.get(asked["Location"]))
    assert "every 1s" not in done
    assert reverse("erasure-detail", args=[Erasure.objects.get().uid]) in done
    assert list(Study.objects.all()) == [young]
    rule = RetentionRule.objects.get()
    client.post(reverse("retention-rule-switch", args=[rule.uid]), {"is_on": "no"})
    assert "Falls due in the next 30 days: 0" in text_of(client.get(address))
    client.post(reverse("retention-rule-delete", args=[rule.uid]))
    assert not RetentionRule.objects.exists()
    # Whatever was done is said in plain words.
    for action in AuditEvent.objects.values_list("action", flat=True).distinct():
        assert "_" not in in_words(action), action


def test_programs_do_the_same(admin: User, client: Client) -> None:
    study, other = came(days_ago(50)), came(days_ago(40))
    program = by_token(admin, Capability.ERASE_STUDIES)
    rules, due = reverse("api-retention-rules"), reverse("api-retention-due")
    asked = {"of": "profile", "value": "keep-dates-shifted", "keep_days": 45, "because": WHY}
    made = client.post(rules, asked, **program)
    assert (made.status_code, made.json()["said"]) == (201, "studies de-identified by keep-dates-shifted")
    assert client.post(rules, {**asked, "value": "none"}, **program).status_code == 409
    assert client.post(rules, {**asked, "keep_days": -1}, **program).status_code == 400
    now = client.get(due, **program).json()
    assert [(one["study"], one["rules"]) for one in now["results"]] == [
        (str(study.uid), [made.json()["uid"]])
    ]
    soon = client.get(due, {"days": "6"}, **program).json()
    assert [one["study"] for one in soon["results"]] == [str(study.uid), str(other.uid)]
    assert client.get(due, {"days": "99999"}, **program).status_code == 409

    keep = reverse("api-retention-keep", args=[other.uid])
    today = timezone.now().date().isoformat()
    kept = client.post(keep, {"last_day": today, "because": "An appeal"}, **program)
    assert (kept.status_code, kept.json()["last_day"]) == (201, today)
    assert client.delete(keep, **program).status_code == 204
    assert client.delete(keep, **program).status_code == 204

    preview = client.post(reverse("api-retention-batch-preview"), **program).json()
    assert (preview["num_studies"], preview["num_films"], preview["uses"]) == (1, 1, [])
    batches = reverse("api-retention-batches")
    confirmed = {"num_confirmed": preview["num_studies"], "as_of": preview["as_of"]}
    assert client.post(batches, {**confirmed, "num_confirmed": 2}, **program).status_code == 409
    answer = client.post(batches, confirmed, **program)
    assert answer.status_code == 202, answer.content
    assert client.post(batches, confirmed, **program).status_code == 409
    run_retention_batch(RetentionBatch.objects.get().pk)
    told = client.get(reverse("api-retention-batch", args=[answer.json()["uid"]]), **program).json()
    assert (told["state"], told["num_erased"], told["num_kept"]) == ("done", 1, 0)
    [one] = told["studies"]
    assert one["erasure"] == str(Erasure.objects.get().uid)
    assert len(client.get(batches, **program).json()["results"]) == 1
    retry = client.post(reverse("api-retention-batch-retry", args=[told["uid"]]), **program)
    assert retry.status_code == 409
    rule = reverse("api-retention-rule", args=[made.json()["uid"]])
    assert client.post(rule, {"is_on": False}, **program).json()["is_on"] is False
    assert client.delete(rule, **program).status_code == 204
    assert client.get(rules, **program).json()["results"] == []


def test_the_command_shows_and_erases(admin: User) -> None:
    def run(*more: str) -> Any:
        out = StringIO()
        call_command("erase_due", "--actor", "anna", *more, stdout=out)
        return json.loads(out.getvalue())

    studies = [came(days_ago(50)), came(days_ago(40))]
    a_rule(admin, 30)
    shown = run("--dry-run")
    assert shown["num_studies"] == 2
    assert Study.objects.count() == 2
    assert run("--dry-run", "--as-of", (timezone.now() - timedelta(days=15)).isoformat())["num_studies"] == 1
    with pytest.raises(CommandError, match="Say how many"):
        run()
    with pytest.raises(CommandError, match="type 2"):
        run("--confirm", "1")
    done = run("--confirm", "2")
    assert (done["state"], done["num_erased"]) == ("done", 2)
    assert {one["study"] for one in done["studies"]} == {str(study.uid) for study in studies}
    with pytest.raises(CommandError, match="Nothing is due"):
        run("--confirm", "2")


@pytest.mark.parametrize("factory", [ExpertFactory, ResearcherFactory])
def test_nobody_but_an_admin_comes_to_it(admin: User, client: Client, factory: Any) -> None:
    study, rule = came(days_ago(50)), a_rule(admin, 30)
    person = factory.create(username="rita")
    client.force_login(person)
    uid = study.uid
    posts = [
        reverse("retention"),
        reverse("retention-rule-switch", args=[rule.uid]),
        reverse("retention-rule-delete", args=[rule.uid]),
        reverse("retention-erase"),
        reverse("study-keep", args=[uid]),
        reverse("study-keep-end", args=[uid]),
        reverse("api-retention-rules"),
        reverse("api-retention-rule", args=[rule.uid]),
        reverse("api-retention-keep", args=[uid]),
        reverse("api-retention-batches"),
        reverse("api-retention-batch-preview"),
    ]
    gets = [reverse("retention"), reverse("retention-erase"), reverse("api-retention-due")]
    answers = [client.post(address, {"num_confirmed": 1, "is_on": "no"}) for address in posts]
    answers += [client.get(address) for address in gets]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    with pytest.raises(CommandError, match="may not erase studies"):
        call_command("erase_due", "--actor", "rita", "--dry-run")
    assert RetentionRule.objects.get().is_on
    # A token of an admin that may do other things alone may not either.
    other = by_token(admin, Capability.EXPORT_DATASETS)
    assert client.get(reverse("api-retention-due"), **other).status_code == 403


def test_a_reader_study_that_needs_what_falls_due_says_so_to_who_conducts_and_who_reads(
    admin: User, client: Client
) -> None:
    reading = an_open_reading()
    assignment: Assignment = reading.assignment
    reader_study: ReaderStudy = assignment.case.reader_study
    study = came_at(assignment.case.study, days_ago(20))
    page = reverse("reader-study-detail", args=[reader_study.uid])
    warning, told = "may not be kept much longer", f"Films of {reader_study.title} may be kept only until"

    def of_reader() -> str:
        client.force_login(assignment.reader)
        return text_of(client.get(reverse("worklist")))

    def of_admin() -> str:
        client.force_login(admin)
        return text_of(client.get(page))

    assert warning not in of_admin()
    assert told not in of_reader()
    # Past the next 30 days.
    rule = a_rule(admin, 51)
    assert warning not in of_admin()
    rule.delete()
    a_rule(admin, 30)
    assert "<strong>One of its imaging studies may not be kept much longer</strong>" in of_admin()
    assert reverse("retention") in of_admin()
    assert told in of_reader()
    came_at(study, days_ago(31))
    assert f"Films of {reader_study.title} may be kept no longer since" in of_reader()
    ReaderStudy.objects.update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    assert warning not in of_admin()
    assert told not in of_reader()
