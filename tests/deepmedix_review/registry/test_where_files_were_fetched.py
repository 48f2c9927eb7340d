"""A version says where its files were fetched, from the start or later."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.tasks import take_model_in
from tests.deepmedix_review.registry.some_folders import COMMIT, a_model
from tests.factories.accounts import ResearcherFactory


@pytest.mark.django_db
def test_a_version_says_where_its_files_were_fetched(incoming: Path, client: Client) -> None:
    folder = a_model(incoming / "new", "chexone")
    hub = {"hub_id": "StanfordAIMI/CheXOne", "hub_revision": COMMIT}
    researcher = ResearcherFactory.create()
    client.force_login(researcher)
    said = {"folder": "new", "preset": "chexone", **hub}
    answer = client.post(reverse("api-model-folder-list"), said, content_type="application/json")
    assert answer.status_code == 202, answer.content
    take_model_in(ModelJob.objects.get().pk)
    version = ModelVersion.objects.get()
    told = client.get(reverse("api-model", args=[version.uid])).json()
    assert {name: told[name] for name in hub} == hub
    page = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    assert hub["hub_id"] in page
    assert COMMIT in page
    event = AuditEvent.objects.get(action="register_model")
    assert {name: event.details[name] for name in hub} == hub
    # The same files under another commit are told by the version that they are.
    call_command(
        "register_model", str(folder), "--preset", "chexone", "--hub-id", "a/b", "--hub-revision", "0" * 40
    )
    assert ModelVersion.objects.get().hub_id == hub["hub_id"]


@pytest.mark.django_db
def test_where_files_were_fetched_is_said_later_too(incoming: Path, client: Client) -> None:
    folder = str(a_model(incoming / "new", "chexone"))
    call_command("register_model", folder, "--preset", "chexone")
    client.force_login(ResearcherFactory.create())
    page = reverse("model-register")
    bad = {"folder-folder": "new", "folder-preset": "chexone", "folder-hub_id": "a/b"}
    assert "Name both" in client.post(page, bad).content.decode()
    client.post(page, {**bad, "folder-hub_revision": COMMIT})
    take_model_in(ModelJob.objects.get().pk)
    version = ModelVersion.objects.get()
    assert (version.hub_id, version.hub_revision) == ("a/b", COMMIT)
