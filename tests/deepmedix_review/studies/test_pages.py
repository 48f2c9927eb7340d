"""The pages on studies and the JSON beside them, with real files."""

import re
import shutil
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import Asked, event_page
from deepmedix_review.studies import selectors
from deepmedix_review.studies.collecting.filters import imports_there, names_of_imports
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, PictureView, Study
from deepmedix_review.studies.picture_views import GATHERED_FOR, record_picture_views
from deepmedix_review.studies.tasks import tend_films
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.studies import InstanceFactory, StudyFactory, store_phantom, write_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def _upload(path: Path, name: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name or path.name, path.read_bytes())


def test_an_upload_answers_file_by_file(desk: Client, admin: User, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.dcm")
    bad = tmp_path / "film.7z"
    bad.write_bytes(b"7z\xbc\xaf\x27\x1c not a film")
    empty = SimpleUploadedFile("empty.dcm", b"")
    archive = SimpleUploadedFile("films.zip", b"PK\x03\x04 for a worker")
    files = [_upload(film), _upload(bad), archive, _upload(film), empty]
    answer = desk.post(reverse("api-study-list"), {"files": files})
    assert answer.status_code == 201
    items = answer.json()["items"]
    assert [item["outcome"] for item in items] == ["accepted", "refused", "duplicate", "refused"]
    assert items[3]["reason"] == "The file is empty."
    assert items[0]["study"] == items[2]["study"] == str(Study.objects.get().uid)
    assert (items[1]["study"], items[1]["file_name"]) == (None, "film.7z")
    assert items[1]["reason"].startswith("This is a 7z archive.")
    (handed_over,) = answer.json()["archives"]
    assert (handed_over["file_name"], handed_over["state"]) == ("films.zip", "queued")
    batch = ImportBatch.objects.get(uid=answer.json()["batch"])
    assert (batch.requested_by, batch.source) == (admin, "upload")
    listed = desk.get(reverse("api-study-list")).json()
    assert listed["next_before"] is None
    assert listed["results"][0]["films"][0]["modality"] == "DX"


def test_files_of_one_drop_that_are_sent_one_by_one_are_one_import(
    desk: Client, admin: User, tmp_path: Path
) -> None:
    films = [write_film(tmp_path / f"{seed}.dcm", seed=seed) for seed in (1, 2)]
    address = reverse("api-study-list")
    batch = desk.post(address, {"files": [_upload(films[0])]}).json()["batch"]
    again = desk.post(address, {"files": [_upload(films[1])], "batch": batch})
    assert (again.status_code, again.json()["batch"]) == (201, batch)
    names = names_of_imports(imports_there(5))
    assert [name.split(" · ", 1)[1] for name in names.values()] == [f"2 films · upload by {admin.pseudonym}"]
    other = Client()
    other.force_login(AdminFactory.create())
    refused = other.post(address, {"files": [_upload(films[1])], "batch": batch})
    assert (refused.status_code, "is not yours" in refused.json()["detail"]) == (409, True)
    assert desk.post(address, {"files": [_upload(films[1])], "batch": "x"}).status_code == 400
    assert ImportItem.objects.count() == 2


def test_the_form_works_without_a_script_and_shows_names_as_text(desk: Client, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.dcm", PatientName="<img src=x onerror=alert(1)>")
    name = "<script>alert(1)</script>.dcm"
    answer = desk.post(reverse("study-import"), {"files": [_upload(film, name)]}, follow=True)
    page = answer.content.decode()
    assert "1 file: 1 accepted." in page
    assert "&lt;script&gt;.dcm" in page or "script&gt;" in page
    assert "<script>alert" not in page
    assert "onerror" not in page
    silent = write_film(tmp_path / "silent.dcm", seed=2, BurnedInAnnotation="")
    again = desk.post(reverse("study-import"), {"files": [_upload(silent)]}, follow=True).content.decode()
    assert "1 file: 1 to look at." in again
    assert "No file was chosen" in desk.post(reverse("study-import"), follow=True).content.decode()


def test_the_latest_files_say_how_each_came_also_those_of_the_network_and_go_page_by_page(
    desk: Client, admin: User
) -> None:
    film = InstanceFactory.create()
    accepted = {"outcome": ImportItem.Outcome.ACCEPTED, "instance": film}
    for source, requested_by, name in (
        ("stow", admin, "part 1"),
        ("listener", None, "film 1 from XRAY1"),
        ("command", None, "of nobody.dcm"),
        ("upload", AdminFactory.create(), "of another.dcm"),
    ):
        batch = ImportBatch.objects.create(source=source, requested_by=requested_by)
        ImportItem.objects.create(batch=batch, file_name=name, **accepted)
    page = desk.get(reverse("study-import")).content.decode()
    assert "film 1 from XRAY1" in page
    assert "DICOM network</span>" in page
    assert "DICOMweb</span>" in page
    assert "of nobody.dcm" not in page
    assert "of another.dcm" not in page
    batch = ImportBatch.objects.create(source="upload", requested_by=admin)
    for number in range(30):
        ImportItem.objects.create(batch=batch, file_name=f"{number}.dcm", **accepted)
    page = desk.get(reverse("study-import")).content.decode()
    assert "film 1 from XRAY1" not in page
    older = page[page.index("?before=") :].split("#")[0]
    page = desk.get(reverse("study-import") + older).content.decode()
    assert "film 1 from XRAY1" in page
    assert "every 3s" not in page


def test_only_who_may_import_can_send_a_file_at_all(tmp_path: Path, settings: Settings) -> None:
    """Refused while the form is read, before any view and before the file is on disk."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ExpertFactory.create())
    answer = client.post(reverse("study-import"), {"files": [_upload(write_film(tmp_path / "film.dcm"))]})
    assert answer.status_code == 403
    assert list(Path(settings.UPLOAD_FOLDER).iterdir()) == []


def test_an_upload_over_the_limit_is_refused_before_it_is_read(
    desk: Client, tmp_path: Path, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = desk.post(reverse("api-study-list"), {"files": [_upload(write_film(tmp_path / "film.dcm"))]})
    assert answer.status_code in (400, 413)
    assert ImportItem.objects.count() == 0


def test_a_film_is_sent_whole_once_and_kept_by_the_browser_alone_which_asks_before_each_showing(
    desk: Client,
) -> None:
    film = store_phantom()
    url = reverse("film", args=[film.uid])
    answer = desk.get(url, headers={"accept": "application/dicom; transfer-syntax=*"})
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert len(content) == film.file_bytes
    assert answer["Content-Type"] == "application/dicom"
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in answer["Vary"]
    assert desk.get(url, headers={"if-none-match": answer["ETag"]}).status_code == 304
    assert AuditEvent.objects.filter(action="view_film", subject_uid=str(film.uid)).count() == 2
    picture = desk.get(reverse("film-picture", args=[film.uid]))
    assert b"".join(picture.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_pictures_of_a_list_are_audited_together_and_found_by_each_film(desk: Client, admin: User) -> None:
    films = [store_phantom(seed=seed) for seed in (1, 2)]
    unseen = store_phantom(seed=3)
    desk.head(reverse("film-picture", args=[unseen.uid]))
    for film in (*films, films[0]):
        assert desk.get(reverse("film-picture", args=[film.uid])).status_code == 200
    assert record_picture_views() == 0
    PictureView.objects.update(at=F("at") - GATHERED_FOR)
    tend_films()
    tend_films()
    event = AuditEvent.objects.get(action="view_pictures")
    assert (event.actor, event.details["films"]) == (admin, [str(film.uid) for film in films])
    assert PictureView.objects.count() == 0
    assert [found.pk for found in event_page(Asked(subject=str(films[1].uid))).rows] == [event.pk]
    assert event_page(Asked(subject=str(unseen.uid))).rows == []


def test_nginx_is_told_where_the_film_lies(desk: Client, settings: Settings) -> None:
    settings.FILM_SERVER = "nginx"
    film = store_phantom()
    answer = desk.get(reverse("film", args=[film.uid]))
    assert answer["X-Accel-Redirect"] == f"/films/{film.file_path}"
    assert answer.content == b""


def test_the_list_needs_as_many_queries_for_sixty_studies_as_for_two(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for state in (Study.State.READY, Study.State.UNSEEN, Study.State.HELD):
        InstanceFactory.create(series__study__state=state)
    urls = [reverse(name) for name in ("study-list", "study-look", "study-held", "api-study-list")]
    few = []
    for url in urls:
        with CaptureQueriesContext(connection) as captured:
            desk.get(url)
        few.append(len(captured))
    assert few == [15, 9, 12, 5]
    for _ in range(60):
        InstanceFactory.create()
        InstanceFactory.create(series__study__state=Study.State.UNSEEN)
        InstanceFactory.create(series__study__state=Study.State.HELD)
    for url, number in zip(urls, few, strict=True):
        with django_assert_num_queries(number):
            page = desk.get(url)
    page = desk.get(urls[0])
    assert page.content.decode().count('<th scope="row"') == selectors.PAGE_SIZE


def test_pages_follow_each_other_without_gap_or_repeat(desk: Client) -> None:
    expected = [str(StudyFactory.create().uid) for _ in range(selectors.PAGE_SIZE + 3)][::-1]
    seen, before = [], ""
    while True:
        page = desk.get(reverse("api-study-list"), {"before": before}).json()
        seen += [study["uid"] for study in page["results"]]
        if page["next_before"] is None:
            break
        before = page["next_before"]
    assert seen == expected


def test_a_study_is_found_by_its_patient_and_by_every_uid_that_programs_know_it_by(desk: Client) -> None:
    film, other = InstanceFactory.create(), InstanceFactory.create()
    study, unlike = film.study, other.study
    uids = (study.study_instance_uid, film.series.series_instance_uid, film.sop_instance_uid)
    for search in (*uids, f" {uids[0]} ", study.patient_pseudonym, study.patient_pseudonym.lower()):
        page = desk.get(reverse("study-list"), {"search": search}).content.decode()
        assert (study.label in page, unlike.label in page) == (True, False), search
    for search in (uids[0][:-1], "1.2.3", "1" * 64 + ".2", "P-", "."):
        page = desk.get(reverse("study-list"), {"search": search}).content.decode()
        assert "Nothing is found by" in page
    page = desk.get(reverse("study-detail", args=[study.uid])).content.decode()
    assert uids[0] in page
    assert uids[2] in page


def test_a_study_is_found_by_the_start_of_its_name_and_by_its_state(desk: Client) -> None:
    study = StudyFactory.create(state=Study.State.HELD)
    StudyFactory.create()

    def found(**asked: str) -> list[str]:
        return [row["uid"] for row in desk.get(reverse("api-study-list"), asked).json()["results"]]

    assert found(search=study.label) == [str(study.uid)]
    assert found(search=str(study.uid)) == [str(study.uid)]
    assert found(state="held") == [str(study.uid)]
    assert found(search="S-nothing") == []
    refused = desk.get(reverse("api-study-list"), {"state": "unknown"})
    assert (refused.status_code, "it can be ready, " in refused.json()["state"][0]) == (400, True)


def test_a_count_stops_where_it_would_become_slow(monkeypatch: pytest.MonkeyPatch, admin: User) -> None:
    monkeypatch.setattr(selectors, "MAX_COUNT", 3)
    StudyFactory.create_batch(3)
    assert [count.shown for count in selectors.count_states(admin)] == ["3", "0", "0", "0"]
    StudyFactory.create_batch(2)
    assert [count.shown for count in selectors.count_states(admin)] == ["3+", "0", "0", "0"]


def test_an_admin_decides_on_the_page_of_held_studies(desk: Client) -> None:
    study = StudyFactory.create(state=Study.State.HELD, held_reasons=["Its modality is CT <b>."])
    page = desk.get(reverse("study-held")).content.decode()
    assert "Its modality is CT &lt;b&gt;." in page
    said = {"decision": "accept", "looked": "yes"}
    answer = desk.post(reverse("study-decide", args=[study.uid]), said, follow=True)
    take_back = f'<a href="{reverse("study-detail", args=[study.uid])}">put it on hold on its page</a>'
    assert f"{study.label} was accepted. To take that back, {take_back}." in answer.content.decode()
    again = desk.post(reverse("study-decide", args=[study.uid]), {"decision": "reject"}, follow=True)
    assert "is in use already" in again.content.decode()
    refused = desk.post(
        reverse("api-study-decision", args=[study.uid]),
        {"decision": "reject"},
        content_type="application/json",
    )
    assert (refused.status_code, "in use already" in refused.json()["detail"]) == (409, True)


def test_a_held_study_is_accepted_by_nobody_who_does_not_say_that_no_name_is_on_it(desk: Client) -> None:
    reason = "Its header says that text is burned into the picture: look for a name."
    study = StudyFactory.create(state=Study.State.HELD, held_reasons=[reason])
    page, label = desk.get(reverse("study-detail", args=[study.uid])).content.decode(), study.label
    [asks] = re.findall(r'<details class="ask.*?</details>', page, re.DOTALL)
    assert f"I looked at every film of {label}: no name, date of birth or number of a patient" in asks
    assert re.findall(r'<input type="checkbox"[^>]*>', asks) == [
        '<input type="checkbox" name="looked" value="yes" required autocomplete="off">'
    ]
    assert reason in asks
    address, api = (reverse(name, args=[study.uid]) for name in ("study-decide", "api-study-decision"))
    refused = desk.post(address, {"decision": "accept"}, follow=True).content.decode()
    assert f"{label} was not accepted. Look at it, and say with the acceptance that no name is" in refused
    for said, status in (({}, 409), ({"looked": False}, 409), ({"looked": True}, 200)):
        study.refresh_from_db()
        assert (study.state, study.looked_at) == (Study.State.HELD, None)
        answer = desk.post(api, {"decision": "accept", **said}, content_type="application/json")
        assert answer.status_code == status
    study.refresh_from_db()
    assert (study.state, study.looked_at is None) == (Study.State.READY, False)


def test_the_page_of_a_study_shows_its_film_and_is_recorded(desk: Client) -> None:
    film = store_phantom()
    page = desk.get(reverse("study-detail", args=[film.study.uid])).content.decode()
    assert f'data-film-url="{reverse("film", args=[film.uid])}"' in page
    assert f'hx-get="/studies/{film.study.uid}/inference/"' in page
    assert AuditEvent.objects.filter(action="view_study", subject_uid=str(film.study.uid)).exists()


def test_a_full_disk_is_said_by_page_program_and_command(
    tmp_path: Path, desk: Client, settings: Settings
) -> None:
    path = write_film(tmp_path / "film.dcm")
    spare, settings.SPARE_DISK_BYTES = settings.SPARE_DISK_BYTES, shutil.disk_usage("/").total * 1000
    with path.open("rb") as film:
        answer = desk.post(reverse("api-study-list"), {"files": film})
    assert (answer.status_code, "disk is full" in answer.json()["detail"]) == (507, True)
    with path.open("rb") as film:
        page = desk.post(reverse("study-import"), {"files": film}, follow=True).content.decode()
    assert "disk is full. What came in before stays" in page
    assert not ImportBatch.objects.exists()
    with pytest.raises(CommandError, match=r"The disk is full. 0 done, and stay so."):
        call_command("import_studies", path)
    assert not Study.objects.exists()
    settings.SPARE_DISK_BYTES = spare
    with path.open("rb") as film:
        assert desk.post(reverse("api-study-list"), {"files": film}).status_code == 201


def test_the_command_imports_a_folder_and_says_what_became_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], admin: User
) -> None:
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    write_film(folder / "film.dcm")
    write_film(tmp_path / "folder" / "odd.dcm", seed=2, Modality="CT")
    (tmp_path / "folder" / ".hidden").write_text("left out")
    call_command("import_studies", tmp_path / "folder", actor=admin.username)
    told = capsys.readouterr().out
    assert "1/2 film.dcm: accepted S-" in told
    assert "2/2 odd.dcm: held S-" in told
    assert "2 files: 1 accepted, 1 held, 0 duplicate, 0 refused" in told
    assert "Nothing new" not in told
    call_command("import_studies", tmp_path / "folder", actor=admin.username)
    again = capsys.readouterr().out
    assert "2 files: 0 accepted, 0 held, 2 duplicate, 0 refused\nNothing new" in again
    (tmp_path / "folder" / "notes.txt").write_text("no film")
    with pytest.raises(SystemExit) as ended:
        call_command("import_studies", tmp_path / "folder")
    assert ended.value.code == 1
    for wrong in (tmp_path / "absent", tmp_path / "uploads"):
        with pytest.raises(CommandError, match=r"There is no file or folder|holds no file"):
            call_command("import_studies", wrong)
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("import_studies", tmp_path / "folder", actor="nobody")


def test_a_held_twin_shows_the_study_in_use_and_offers_no_accept(desk: Client) -> None:
    used = store_phantom()
    twin = store_phantom(seed=2).study
    Study.objects.filter(pk=twin.pk).update(state=Study.State.HELD, held_reasons=["A twin."])
    address = reverse("study-held")
    assert "data-held-accept" in desk.get(address).content.decode()
    copied = twin.series.get().instances.get()
    Instance.objects.filter(pk=copied.pk).update(pixel_sha256=used.pixel_sha256, copy_of=used)
    sheet, page = (
        desk.get(where).content.decode() for where in (address, reverse("study-detail", args=[twin.uid]))
    )
    for told in (sheet, page):
        assert f'href="{reverse("study-detail", args=[used.study.uid])}">{used.study.label}</a>' in told
    assert ("data-held-accept" in sheet, "data-held-reject" in sheet) == (False, True)
    assert ('value="accept"' in page, 'value="reject"' in page) == (False, True)
    assert reverse("film-picture", args=[used.uid]) in desk.get(address).content.decode()
