"""Which models learned from whom stays told, both ways, when part or all of it was erased."""

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.erasure.models import NamedUse
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.feedback.models import DatasetReading
from deepmedix_review.feedback.selectors import lineage_of
from deepmedix_review.reviews.models import Reading
from tests.deepmedix_review.erasure.an_erasure import Used, a_used_study, erased
from tests.factories.accounts import ResearcherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(admin: User) -> Used:
    return a_used_study(admin)


def reader_of_all(used: Used) -> User:
    [reader] = {
        one.assignment.reader
        for one in Reading.objects.filter(signed_at__isnull=False).select_related("assignment__reader")
    }
    return reader


def test_a_reader_is_traced_without_what_was_erased_and_told_that_something_was(
    used: Used, admin: User, client: Client
) -> None:
    client.force_login(ResearcherFactory.create())
    reader = reader_of_all(used)
    page, api = (
        reverse(name, args=[reader.uid]) for name in ("learned-from-reader", "api-learned-from-reader")
    )
    whole = client.get(api).json()
    assert whole["erased"] is None
    assert "Erased since" not in client.get(page).content.decode()
    numbers = [used.candidate.number, used.grandchild.number]
    assert [model["number"] for model in whole["models"]] == numbers
    frozen = DatasetReading.objects.filter(dataset=used.dataset)
    num_gone = frozen.filter(reading__assignment__case__study=used.study).count()
    assert 0 < num_gone < frozen.count() == whole["models"][0]["num_readings"]

    erased(study_scope(admin, used.study.uid), actor=admin)
    part = client.get(api).json()
    assert [model["number"] for model in part["models"]] == numbers
    assert part["models"][0]["num_readings"] == whole["models"][0]["num_readings"] - num_gone
    assert part["erased"] == {"num_readings": num_gone, "models": [str(used.candidate.uid)]}

    erased(study_scope(admin, used.other.uid), actor=admin)
    none = client.get(api).json()
    assert (none["num_signed"], none["models"]) == (0, [])
    assert none["erased"]["models"] == [str(used.candidate.uid)]
    text = " ".join(client.get(page).content.decode().split())
    assert f">v{used.candidate.number}</a>, and what descends from it, may have learned from this" in text
    client.force_login(admin)
    assert f'<a href="{reverse("erasure-list")}">erasures</a>' in client.get(page).content.decode()


def test_a_reader_who_gave_no_word_to_the_set_is_told_of_no_erasure(
    used: Used, admin: User, client: Client
) -> None:
    erased(study_scope(admin, used.study.uid), actor=admin)
    client.force_login(admin)
    other = used.reader_study.invitations.exclude(reader=reader_of_all(used)).get().reader
    assert client.get(reverse("api-learned-from-reader", args=[other.uid])).json()["erased"] is None


def test_a_model_says_how_many_of_its_readings_were_erased_and_the_erasure_names_the_model(
    used: Used, admin: User, client: Client
) -> None:
    before = lineage_of(used.candidate)
    assert before.num_erased == 0
    erasure = erased(study_scope(admin, used.study.uid), actor=admin)
    after = lineage_of(used.candidate)
    assert after.num_readings + after.num_erased == before.num_readings
    assert after.num_erased > 0
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[used.candidate.uid])).content.decode()
    assert f"1 reader, {after.num_erased} erased since</a>" in page
    assert str(used.study.uid) not in page
    learned = erasure.uses.filter(kind=NamedUse.Kind.MODEL).values_list("uid", flat=True)
    assert set(learned) == {used.candidate.uid, used.grandchild.uid}
    client.force_login(admin)
    record = client.get(reverse("erasure-detail", args=[erasure.uid])).content.decode()
    assert f"v{used.candidate.number}" in record
