"""The page, the interface and the command ask for the same, of who may."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.tasks import run_erasure
from deepmedix_review.exports.folders import archive_path
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.erasure.an_erasure import Used, a_used_study
from tests.factories.accounts import ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(admin: User) -> Used:
    return a_used_study(admin)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_shows_what_goes_asks_and_tells_what_is_left(
    used: Used, admin: User, client: Client
) -> None:
    client.force_login(admin)
    address = reverse("study-erase", args=[used.study.uid])
    assert address in text_of(client.get(reverse("study-detail", args=[used.study.uid])))
    page = text_of(client.get(address))
    for name in (
        *(used.reader_study.title, used.collection.name, used.dataset.title, "v90100 test model", "v90101"),
        *(f"export {used.export.sha256[:12]}", "Its results are computed from what is left"),
    ):
        assert name in page
    wrong = client.post(address, {"why": "retention", "note": "", "confirmed": "S-1"})
    assert f"To confirm, type {used.study.label} as it stands" in text_of(wrong)
    assert not Erasure.objects.exists()

    asked = client.post(address, {"why": "retention", "note": "", "confirmed": used.study.label})
    erasure = Erasure.objects.get()
    assert asked["Location"] == reverse("erasure-detail", args=[erasure.uid])
    waiting = text_of(client.get(asked["Location"]))
    assert "every 1s" in waiting
    assert "Cancel: nothing is gone yet" in waiting
    run_erasure(erasure.pk)
    done = text_of(client.get(asked["Location"]))
    assert "every 1s" not in done
    assert done.count("holds it still") == 2
    assert client.get(address).status_code == 404
    delete = reverse("export-delete", args=[used.export.uid])
    assert delete in done
    client.post(delete)
    assert not archive_path(used.export).exists()
    assert text_of(client.get(asked["Location"])).count("holds it still") == 1
    assert "is refused" in text_of(client.get(reverse("erasure-list")))
    client.post(reverse("erasure-let-in", args=[erasure.uid]))
    assert "is refused" not in text_of(client.get(reverse("erasure-list")))


def test_a_patient_is_found_by_the_pseudonym_and_no_address_holds_it(
    used: Used, admin: User, client: Client
) -> None:
    client.force_login(admin)
    pseudonym = used.study.patient_pseudonym
    found = client.post(reverse("erasure-find-patient"), {"pseudonym": pseudonym.lower()})
    assert found["Location"] == reverse("patient-erase", args=[used.study.uid])
    assert pseudonym not in found["Location"]
    assert f"To confirm, type {pseudonym}" in text_of(client.get(found["Location"]))
    missed = client.post(reverse("erasure-find-patient"), {"pseudonym": "P-NOBODY"}, follow=True)
    assert "No study of a patient of that pseudonym is here" in text_of(missed)


def test_programs_preview_ask_and_follow_it(used: Used, admin: User, client: Client) -> None:
    _, words = make_token(account=admin, name="Erases", scopes=[Capability.ERASE_STUDIES], days=1)
    by_token: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {words}"},
        "content_type": "application/json",
    }
    study = str(used.study.uid)
    preview = client.post(reverse("api-erasure-preview"), {"study": study}, **by_token).json()
    assert preview["counts"]["readings"] > 0
    assert {use["kind"] for use in preview["uses"]} >= {"model", "data_set", "export", "reader_study"}
    asked = {"study": study, "why": "withdrawn", "confirmed": preview["name"]}
    answer = client.post(reverse("api-erasure-list"), asked, **by_token)
    assert answer.status_code == 202, answer.content
    assert client.post(reverse("api-erasure-list"), asked, **by_token).status_code == 409
    run_erasure(Erasure.objects.get().pk)
    told = client.get(reverse("api-erasure", args=[answer.json()["uid"]]), **by_token).json()
    assert (told["state"], told["num_files_left"]) == ("done", 0)
    assert told["gone"] == preview["counts"]
    assert [use["uid"] for use in told["uses"]] == [use["uid"] for use in preview["uses"]]
    assert len(client.get(reverse("api-erasure-list"), **by_token).json()["results"]) == 1
    let_in = client.post(reverse("api-erasure-let-in", args=[told["uid"]]), **by_token)
    assert let_in.json()["let_in_at"] is not None
    for both in ({}, {"study": study, "patient": "P-1"}):
        assert client.post(reverse("api-erasure-preview"), both, **by_token).status_code == 400


def test_the_command_shows_and_erases(used: Used, admin: User) -> None:
    def run(*more: str) -> Any:
        out = StringIO()
        call_command("erase", "--actor", "anna", "--study", str(used.study.uid), *more, stdout=out)
        return json.loads(out.getvalue())

    shown = run("--dry-run")
    assert Study.objects.filter(pk=used.study.pk).exists()
    with pytest.raises(CommandError, match="Say why"):
        run("--confirm", shown["name"])
    with pytest.raises(CommandError, match="To confirm"):
        run("--why", "withdrawn")
    done = run("--why", "withdrawn", "--confirm", shown["name"])
    assert (done["state"], done["gone"]) == (JobState.DONE, shown["counts"])
    with pytest.raises(CommandError, match="nothing of that name"):
        run("--dry-run")


@pytest.mark.parametrize("factory", [ExpertFactory, ResearcherFactory])
def test_nobody_but_an_admin_may(used: Used, client: Client, factory: Any) -> None:
    person = factory.create(username="rita")
    client.force_login(person)
    uid = used.study.uid
    asked = {"study": str(uid), "why": "other", "note": "x", "confirmed": used.study.label}
    answers = [
        client.get(reverse("study-erase", args=[uid])),
        client.post(reverse("study-erase", args=[uid]), asked),
        client.get(reverse("patient-erase", args=[uid])),
        client.get(reverse("erasure-list")),
        client.post(reverse("erasure-find-patient"), {"pseudonym": used.study.patient_pseudonym}),
        client.post(reverse("api-erasure-preview"), asked, content_type="application/json"),
        client.post(reverse("api-erasure-list"), asked, content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    with pytest.raises(CommandError, match="may not erase studies"):
        call_command("erase", "--actor", "rita", "--study", str(uid), "--dry-run")
    assert not Erasure.objects.exists()
