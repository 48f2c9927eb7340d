"""The page, the interface and the command give the same archive, to who may have it."""

import hashlib
import html
import re
from collections import defaultdict
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.folders import archive_path
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.tasks import write_export
from deepmedix_review.reviews.models import ReaderStudy
from tests.deepmedix_review.exports.an_export import USE, archive_of, done
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reviews import a_signed_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> ReaderStudy:
    return a_signed_reading().assignment.case.reader_study


@pytest.fixture
def admin(client: Client) -> User:
    admin = AdminFactory.create()
    client.force_login(admin)
    return admin


def form_of(**fields: Any) -> dict[str, Any]:
    return {"which": "all", "formats": ["csv"], "data_use": USE, **fields}


def test_the_page_asks_for_an_export_shows_it_and_gives_the_archive(
    study: ReaderStudy, admin: User, client: Client
) -> None:
    assert "Nothing was taken out yet" in client.get(reverse("export-list")).content.decode()
    page = client.get(reverse("export-new")).content.decode()
    assert "<strong>1 signed reading</strong>" in page
    assert study.title in page
    chosen = form_of(which="some", reader_studies=[str(study.uid)])
    answer = client.post(reverse("export-new"), chosen)
    assert answer["Location"] == reverse("export-list")
    export = Export.objects.get()
    assert (export.state, export.reader_studies) == (JobState.QUEUED, [study.uid])
    live = client.get(reverse("export-live")).content.decode()
    assert "every 1s" in live
    assert study.title in live
    assert reverse("export-cancel", args=[export.uid]) in live
    archive = reverse("export-archive", args=[export.uid])
    early = client.get(archive)
    assert (early.status_code, b"still being written" in early.content) == (409, True)

    write_export(export.pk)
    page = client.get(reverse("export-list")).content.decode()
    assert "every 1s" not in page
    assert archive in page
    answer = client.get(archive)
    assert b"".join(answer) == archive_of(export)
    export.refresh_from_db()
    assert export.sha256[:12] in answer["Content-Disposition"]
    downloads = AuditEvent.objects.filter(action="download_export", actor=admin)
    assert [event.details["sha256"] for event in downloads] == [export.sha256]

    client.post(reverse("export-delete", args=[export.uid]))
    assert not archive_path(export).exists()
    assert client.get(archive).status_code == 410
    page = client.get(reverse("export-list")).content.decode()
    assert "none here" in page
    # What the page offers makes the same archive, byte by byte.
    client.post(reverse("export-new"), hidden_fields(page, up_to="Make it again</button>"))
    again = Export.objects.latest("pk")
    write_export(again.pk)
    again.refresh_from_db()
    assert (again.pk != export.pk, again.sha256) == (True, export.sha256)
    assert archive_of(again)


def hidden_fields(page: str, *, up_to: str) -> dict[str, list[str]]:
    form = page[page.index('<input type="hidden" name="which"') : page.index(up_to)]
    fields: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form):
        fields[name].append(html.unescape(value))
    return fields


def test_what_was_given_up_is_asked_for_again_as_it_was(
    study: ReaderStudy, admin: User, client: Client
) -> None:
    client.post(reverse("export-new"), form_of(formats=["csv", "sr"], data_use='Ours & "theirs".'))
    given_up = Export.objects.get()
    Export.objects.update(state=JobState.FAILED, error="The disk is full.")
    page = client.get(reverse("export-list")).content.decode()
    client.post(reverse("export-new"), hidden_fields(page, up_to="Ask again</button>"))
    again = Export.objects.latest("pk")
    assert again.pk != given_up.pk
    for name in ("reader_studies", "as_of", "formats", "data_use"):
        assert getattr(again, name) == getattr(given_up, name), name


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"data_use": " "}, "Say in a sentence what the data may be used for."),
        ({"formats": []}, "Choose a format."),
        ({"which": "some"}, "Choose a reader study, or all of them."),
        ({"reader_studies": "that"}, "You ticked reader studies and chose all of them."),
        ({"as_of": "2200-01-01T00:00:00"}, "Choose a moment that is over."),
        ({"as_of": "yesterday"}, "Enter a valid date/time."),
        ({"as_of": "2001-01-01T00:00:00"}, "Nothing of what you chose was signed by 1 Jan 2001"),
    ],
)
def test_what_the_form_lacks_is_said_on_it(
    study: ReaderStudy, admin: User, client: Client, fields: dict[str, Any], sentence: str
) -> None:
    named = {"reader_studies": [str(study.uid)]} if "reader_studies" in fields else {}
    page = client.post(reverse("export-new"), form_of(**fields | named)).content.decode()
    assert "Nothing was asked for yet." in page
    assert sentence in page
    assert not Export.objects.exists()


def test_the_preview_tells_what_would_be_left_out(study: ReaderStudy, admin: User, client: Client) -> None:
    ReaderStudy.objects.filter(pk=study.pk).update(hides_results=True)
    found = client.post(reverse("export-preview"), form_of()).content.decode()
    assert "Nothing of this was signed by then." in found
    assert "Reader studies that hide their results until they are locked: 1" in found


def test_only_who_may_take_data_sets_out_comes_to_the_pages(study: ReaderStudy, client: Client) -> None:
    export = done(study)
    for address in ("export-list", "export-new", "export-live"):
        client.force_login(ExpertFactory.create())
        assert client.get(reverse(address)).status_code == 403
        client.force_login(ResearcherFactory.create())
        assert client.get(reverse(address)).status_code == 200
    client.force_login(ExpertFactory.create())
    assert client.get(reverse("export-archive", args=[export.uid])).status_code == 403
    assert client.post(reverse("export-new"), form_of()).status_code == 403


def program(account: User, *scopes: Capability) -> dict[str, str]:
    _, words = make_token(account=account, name="nightly", scopes=scopes, days=1)
    return {"Authorization": f"Bearer {words}"}


def test_a_program_asks_for_an_export_and_fetches_it_in_parts(study: ReaderStudy) -> None:
    client, rita = Client(), ResearcherFactory.create()
    headers = program(rita, Capability.EXPORT_DATASETS)
    [offered] = client.get(reverse("api-export-reader-studies"), headers=headers).json()["results"]
    assert (offered["uid"], offered["title"]) == (str(study.uid), study.title)
    asked = {"data_use": USE, "formats": ["parquet", "csv"], "reader_studies": [offered["uid"]]}
    mistyped = {**asked, "reader_study": asked["reader_studies"]}
    refused = client.post(
        reverse("api-export-list"), mistyped, content_type="application/json", headers=headers
    )
    assert refused.status_code == 400
    assert "There is no field reader_study here." in refused.content.decode()
    answer = client.post(reverse("api-export-list"), asked, content_type="application/json", headers=headers)
    assert answer.status_code == 202, answer.content
    assert answer.json()["formats"] == ["csv", "parquet"]
    export = Export.objects.get()
    write_export(export.pk)
    state = client.get(reverse("api-export", args=[export.uid]), headers=headers).json()
    assert (state["state"], state["num_done"]) == ("done", state["num_total"])
    [listed] = client.get(reverse("api-export-list"), headers=headers).json()["results"]
    assert listed["sha256"] == state["sha256"]

    address, size = reverse("api-export-archive", args=[export.uid]), state["archive_bytes"]
    head = client.head(address, headers={**headers, "Range": "bytes=0-99"})
    assert (head.status_code, head["Content-Length"], head.content) == (200, str(size), b"")
    assert not AuditEvent.objects.filter(action="download_export").exists()
    whole = client.get(address, headers={**headers, "Accept": "application/zip"})
    content = b"".join(whole)
    assert hashlib.sha256(content).hexdigest() == state["sha256"]
    assert (whole["Accept-Ranges"], whole["ETag"]) == ("bytes", f'"{state["sha256"]}"')
    for asked_range, first, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-10", size - 10, size),
        (f"bytes=5-{size * 2}", 5, size),
    ):
        part = client.get(address, headers={**headers, "Range": asked_range})
        assert part.status_code == 206
        assert part["Content-Range"] == f"bytes {first}-{end - 1}/{size}"
        assert b"".join(part) == content[first:end]
    past = client.get(address, headers={**headers, "Range": f"bytes={size}-"})
    assert (past.status_code, past["Content-Range"]) == (416, f"bytes */{size}")
    changed = client.get(address, headers={**headers, "Range": "bytes=1-", "If-Range": '"other"'})
    assert (changed.status_code, b"".join(changed)) == (200, content)
    for nonsense in ("bytes=-", "lines=1-2", "bytes=1-2,4-5", f"bytes=0-{'9' * 5000}"):
        assert client.get(address, headers={**headers, "Range": nonsense}).status_code == 200
    event = AuditEvent.objects.filter(action="download_export").earliest("sequence")
    assert (event.actor, bool(event.details["by_token"])) == (rita, True)

    assert client.delete(reverse("api-export", args=[export.uid]), headers=headers).status_code == 200
    assert client.get(address, headers=headers).status_code == 410


def test_a_program_is_told_what_it_may_not_and_what_is_wrong(study: ReaderStudy) -> None:
    client = Client()
    other = program(ResearcherFactory.create(), Capability.VIEW_MODELS)
    refused = client.get(reverse("api-export-list"), headers=other)
    assert refused.status_code == 403
    assert "may not take data sets out" in refused.json()["detail"]
    headers = program(AdminFactory.create(), Capability.EXPORT_DATASETS)

    def ask(**asked: Any) -> Any:
        return client.post(
            reverse("api-export-list"), asked, content_type="application/json", headers=headers
        )

    assert ask(data_use="").status_code == 400
    assert ask(data_use=USE, formats=["xlsx"]).status_code == 400
    assert ask(data_use=USE, formats=[]).status_code == 409
    answer = ask(data_use=USE, reader_studies=["00000000-0000-0000-0000-000000000000"])
    assert (answer.status_code, "is not there any more" in answer.json()["detail"]) == (409, True)
    cancelled = ask(data_use=USE).json()
    answer = client.post(reverse("api-export-cancel", args=[cancelled["uid"]]), headers=headers)
    assert answer.json()["state"] == "cancelled"
