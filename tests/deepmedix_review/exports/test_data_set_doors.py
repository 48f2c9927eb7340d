"""The page, the interface and the command take the same data set out, for who may."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours
from deepmedix_review.exports.models import HUGGING_FACE, Export
from deepmedix_review.exports.tasks import write_export
from deepmedix_review.feedback.models import PreferenceDataset
from tests.deepmedix_review.exports.a_data_set import USE, asked_for, done
from tests.deepmedix_review.exports.an_export import archive_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db


def test_the_page_asks_and_shows_it_among_the_exports_and_makes_it_again(
    dataset: PreferenceDataset, researcher: User, client: Client
) -> None:
    client.force_login(researcher)
    address = reverse("export-data-set", args=[dataset.uid])
    assert address in client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    refused = client.post(address, {"data_use": " "}, follow=True)
    assert refused.redirect_chain == [(reverse("dataset-detail", args=[dataset.uid]), 302)]
    assert "Say in a sentence what the data may be used for." in refused.content.decode()
    assert client.post(address, {"data_use": USE})["Location"] == reverse("export-list")
    export = Export.objects.get()
    assert (export.data_set, export.formats, export.as_of) == (dataset, [HUGGING_FACE], dataset.as_of)
    page = client.get(reverse("export-live")).content.decode()
    assert reverse("dataset-detail", args=[dataset.uid]) in page
    assert "waits for signatures" not in page
    write_export(export.pk)
    content = b"".join(client.get(reverse("export-archive", args=[export.uid])))
    assert content == archive_of(export)
    client.post(reverse("export-delete", args=[export.uid]))
    page = client.get(reverse("export-list")).content.decode()
    assert "Make it again" in page
    assert page.count(f'action="{address}"') == 1
    client.force_login(AdminFactory.create())
    page = client.get(reverse("export-list")).content.decode()
    assert dataset.title in page
    assert reverse("dataset-detail", args=[dataset.uid]) not in page
    assert "Make it again" not in page
    events = AuditEvent.objects.filter(subject_uid=export.uid).values_list("action", flat=True)
    assert set(events) >= {"request_export", "write_export", "download_export", "delete_export"}


def test_only_who_may_take_data_sets_out_and_see_them_asks_for_one(
    dataset: PreferenceDataset, client: Client
) -> None:
    address = reverse("export-data-set", args=[dataset.uid])
    client.force_login(ExpertFactory.create())
    assert client.post(address, {"data_use": USE}).status_code == 403
    # Admins take readings out, and see no data sets.
    for account in (ExpertFactory.create(), AdminFactory.create()):
        with pytest.raises(NotYours):
            asked_for(dataset, actor=account)
    client.force_login(ResearcherFactory.create())
    assert client.get(address).status_code == 405
    unknown = reverse("export-data-set", args=["00000000-0000-0000-0000-000000000000"])
    assert client.post(unknown, {"data_use": USE}).status_code == 404
    assert not Export.objects.exists()


def test_a_program_asks_for_one_by_its_uid_and_for_nothing_beside(
    dataset: PreferenceDataset, researcher: User
) -> None:
    _, words = make_token(
        account=researcher,
        name="nightly",
        scopes=[Capability.EXPORT_DATASETS, Capability.VIEW_MODELS],
        days=1,
    )
    client, headers = Client(), {"Authorization": f"Bearer {words}"}

    def ask(**asked: Any) -> Any:
        return client.post(
            reverse("api-export-list"), asked, content_type="application/json", headers=headers
        )

    mixed = ask(data_set=str(dataset.uid), data_use=USE, formats=["csv"])
    assert mixed.status_code == 400
    assert "Name data_set and data_use alone." in mixed.content.decode()
    assert ask(data_set="00000000-0000-0000-0000-000000000000", data_use=USE).status_code == 404
    answer = ask(data_set=str(dataset.uid), data_use=USE)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["data_set"], told["formats"], told["reader_studies"]) == (
        str(dataset.uid),
        [HUGGING_FACE],
        None,
    )
    write_export(Export.objects.get().pk)
    state = client.get(reverse("api-export", args=[told["uid"]]), headers=headers).json()
    assert (state["state"], state["num_done"]) == ("done", state["num_total"])
    archive = client.get(reverse("api-export-archive", args=[told["uid"]]), headers=headers)
    assert hashlib.sha256(b"".join(archive)).hexdigest() == state["sha256"]


def test_the_command_writes_the_same_archive(
    dataset: PreferenceDataset, researcher: User, tmp_path: Path
) -> None:
    out, said = tmp_path / "round-1.zip", io.StringIO()
    told = ("--actor", "rita", "--use", USE, "--out", str(out))
    with pytest.raises(CommandError, match="leaves whole"):
        call_command("export_dataset", *told, "--data-set", str(dataset.uid), "--format", "csv")
    with pytest.raises(CommandError, match="There is no data set of that uid"):
        call_command("export_dataset", *told, "--data-set", "00000000-0000-0000-0000-000000000000")
    call_command("export_dataset", *told, "--data-set", str(dataset.uid), stdout=said)
    assert said.getvalue().startswith(hashlib.sha256(out.read_bytes()).hexdigest())
    assert out.read_bytes() == archive_of(done(dataset))
