"""The unpacked folder of an export with pictures is what COCO's library and a loader of pictures take."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO as CocoApi

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.exports import pictures
from deepmedix_review.exports import writing as export_writing
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import COCO, PICTURES, Export
from deepmedix_review.exports.services import Asked, claim_new_export
from deepmedix_review.exports.tasks import write_claimed, write_export
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import ReaderStudy, Reading
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance, SourceDataset, Study
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference
from tests.croissants import validated
from tests.deepmedix_review.exports.an_export import USE, archive_of, done, files_of, manifest_of, written
from tests.deepmedix_review.exports.dicom_objects import FILMS, OWN, a_reading_of
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete, sign
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db

GONE = "films, with their boxes, whose file is not there"


class Killed(BaseException):
    """As kill -9 would: nothing is cleaned up."""


def unpacked(export: Export, folder: Path) -> Path:
    with zipfile.ZipFile(archive_path(export)) as archive:
        archive.extractall(folder)
    return folder


def stored(film: Instance) -> NDArray[np.uint8]:
    return render_reference(film_path(film))


def read_films(num: int, *, reader: User | None = None) -> list[Instance]:
    """Real ones, each in a signed reading with a region."""
    films = [store_phantom(seed=seed, size=64 + 8 * seed) for seed in range(1, num + 1)]
    read(films, reader=reader)
    return films


def read(films: list[Instance], *, reader: User | None = None) -> ReaderStudy:
    model = ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()
    model = model or ServingModelFactory.create()
    for film in films:
        say(film, steps=[("Large heart", [(4.0, 8.0, 20.0, 30.0)])], model_version=model)
    study = create_reader_study(
        title="Pictures",
        studies=[film.series.study for film in films],
        readers=[reader or ExpertFactory.create()],
        actor=None,
        seed=1,
    )
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        sign(reading)
    return study


def png_names(files: Mapping[str, Any]) -> set[str]:
    return {name for name in files if name.endswith(".png")}


@pytest.mark.parametrize("kind", FILMS)
def test_a_coco_loader_opens_each_picture_and_a_box_has_the_pixels_of_the_film(
    kind: str, tmp_path: Path
) -> None:
    film = FILMS[kind](tmp_path)
    a_reading_of(film)
    export = done(formats=[PICTURES])
    assert export.formats == [COCO, PICTURES]
    folder = unpacked(export, tmp_path / "unpacked")
    coco = CocoApi(str(folder / "data" / "coco.json"))
    [image] = coco.loadImgs(coco.getImgIds())
    with Image.open(folder / "data" / "pictures" / image["file_name"]) as opened:
        picture = np.asarray(opened)
        assert (opened.mode, opened.size) == ("L", (image["width"], image["height"]))
    truth = stored(film)
    assert np.array_equal(picture, truth)
    # Neither upside down nor mirrored: the box of the first region, cut out as loaders do.
    [box] = [one for one in coco.anns.values() if one["bbox"][:2] == list(OWN[0][:2])]
    x, y, width, height = box["bbox"]
    cut = picture[round(y) : round(y + height), round(x) : round(x + width)]
    x_min, y_min, x_max, y_max = (round(edge) for edge in OWN[0])
    assert np.array_equal(cut, truth[y_min:y_max, x_min:x_max])
    assert len(np.unique(cut)) > 2
    told = {one["name"]: one for one in manifest_of(export)["files"]}
    name = f"data/pictures/{film.sop_instance_uid}.png"
    content = (folder / name).read_bytes()
    assert told[name] == {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": 1,
        "bytes": len(content),
    }
    assert set(told) == set(files_of(export)) - {"manifest.json"}
    validated(folder)
    assert "data/pictures/" in (folder / "README.txt").read_text()


def test_a_film_of_several_cases_is_one_picture_that_all_of_its_images_name(tmp_path: Path) -> None:
    films = read_films(2)
    read(films[:1], reader=ExpertFactory.create())
    export = done(formats=[COCO, PICTURES])
    coco = json.loads(files_of(export)["data/coco.json"])
    assert len(coco["images"]) == 3
    assert {f"data/pictures/{one['file_name']}" for one in coco["images"]} == png_names(files_of(export))
    assert len(png_names(files_of(export))) == 2
    # No program that lists what it was given finds a reader or a film in the description.
    assert not [film for film in films if film.sop_instance_uid in str(files_of(export)["croissant.json"])]
    [event] = AuditEvent.objects.filter(action="request_export")
    assert event.details["formats"] == ["coco", "pictures"]
    [event] = AuditEvent.objects.filter(action="write_export")
    assert event.details["num_files"] == 3


def test_in_parts_and_after_a_kill_the_bytes_are_the_same_and_whole_parts_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_films(5)
    expected = done(formats=[PICTURES])
    monkeypatch.setattr(pictures, "FILMS_AT_ONCE", 1)
    monkeypatch.setattr(export_writing, "SPANS_PER_PART", 2)
    export = claim_new_export(
        Asked(USE, formats=[PICTURES], as_of=expected.as_of), actor=ResearcherFactory.create()
    )
    drawn = 0

    def die_at_the_fourth(path: Path) -> NDArray[np.uint8]:
        nonlocal drawn
        drawn += 1
        if drawn == 4:
            raise Killed
        return render_reference(path)

    with monkeypatch.context() as patch:
        patch.setattr(pictures, "render_reference", die_at_the_fourth)
        with pytest.raises(Killed):
            write_claimed(export)
    export.refresh_from_db()
    assert {"data/coco.json", "data/pictures-00000.tar"} <= set(export.files)
    Export.objects.filter(pk=export.pk).update(state=JobState.QUEUED)
    write_export(export.pk)
    export.refresh_from_db()
    assert export.state == JobState.DONE, export.error
    assert {one.name for one in export.written if one.attempt == 1} == {
        "data/coco.json",
        "data/pictures-00000.tar",
    }
    assert {one.name: one.num_rows for one in export.written if one.attempt == 2} == {
        "data/pictures-00001.tar": 2,
        "data/pictures-00002.tar": 1,
    }
    assert archive_of(export) == archive_of(expected)
    assert not parts_folder(export).exists()


def test_text_that_was_overwritten_since_the_kill_is_in_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    [film] = read_films(1)
    export = claim_new_export(Asked(USE, formats=[PICTURES]), actor=ResearcherFactory.create())

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("deepmedix_review.exports.finishing.pack", die)
        with pytest.raises(Killed):
            write_claimed(export)
    export.refresh_from_db()
    assert "data/pictures-00000.tar" in export.files
    other = store_phantom(seed=7, size=film.rows)
    Instance.objects.filter(pk=film.pk).update(file_path=other.file_path, file_sha256=other.file_sha256)
    Export.objects.filter(pk=export.pk).update(state=JobState.QUEUED)
    write_export(export.pk)
    export.refresh_from_db()
    assert export.state == JobState.DONE, export.error
    assert {one.attempt for one in export.written} == {2}
    [name] = png_names(files_of(export))
    assert name == f"data/pictures/{film.sop_instance_uid}.png"
    with zipfile.ZipFile(archive_path(export)) as archive, archive.open(name) as picture:
        assert np.array_equal(np.asarray(Image.open(picture)), stored(other))


def test_nothing_of_a_film_that_may_not_leave_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held, credentialed, withdrawn, shown = read_films(4)
    Study.objects.filter(pk=held.series.study_id).update(state=Study.State.HELD)
    source = SourceDataset.objects.create(
        name="Named people", layout="table", licence="given to named people", is_credentialed=True
    )
    Study.objects.filter(pk=credentialed.series.study_id).update(source=source)

    def withdraw_once(path: Path) -> NDArray[np.uint8]:
        Study.objects.filter(pk=withdrawn.series.study_id).update(state=Study.State.REJECTED)
        return render_reference(path)

    monkeypatch.setattr(pictures, "render_reference", withdraw_once)
    export = done(formats=[PICTURES])
    assert png_names(files_of(export)) == {f"data/pictures/{shown.sop_instance_uid}.png"}
    everything = b"".join(files_of(export).values())
    for film in (held, credentialed, withdrawn):
        assert film.sop_instance_uid.encode() not in everything
    assert {one["reason"]: one["num"] for one in export.left_out} == {
        "readings of films that are held, unseen or rejected now": 2,
        "readings of films whose licence lets nothing of them leave": 1,
    }


def test_a_film_whose_file_is_away_is_left_out_with_its_boxes_and_counted(tmp_path: Path) -> None:
    lost, there = read_films(2)
    film_path(lost).unlink()
    export = done(formats=[PICTURES])
    coco = json.loads(files_of(export)["data/coco.json"])
    assert [one["file_name"] for one in coco["images"]] == [f"{there.sop_instance_uid}.png"]
    assert len(coco["annotations"]) == 1
    assert png_names(files_of(export)) == {f"data/pictures/{there.sop_instance_uid}.png"}
    assert {"reason": GONE, "num": 1} in manifest_of(export)["left_out"]
    # Boxes alone are as whole as before.
    assert len(json.loads(files_of(done(formats=[COCO]))["data/coco.json"])["images"]) == 2


def test_a_damaged_film_stops_it_with_a_sentence_and_nothing_stays() -> None:
    damaged, _ = read_films(2)
    path = film_path(damaged)
    path.write_bytes(path.read_bytes()[:-200])
    export = written(formats=[PICTURES])
    assert export.state == JobState.FAILED
    assert export.error == (
        f"The file of the film {damaged.sop_instance_uid} can't be read, so there is no picture of it. Have "
        "an admin restore it or put its study on hold, then ask again."
    )
    assert not parts_folder(export).exists()
    assert not archive_path(export).exists()


def test_the_page_the_interface_and_the_command_give_the_same_bytes(client: Client, tmp_path: Path) -> None:
    read_films(1)
    rita = ResearcherFactory.create(username="rita")
    expected = done(formats=[PICTURES])
    moment = expected.as_of.isoformat()
    client.force_login(rita)
    assert "COCO boxes with the pictures" in client.get(reverse("export-new")).content.decode()
    form = {"which": "all", "formats": ["pictures"], "data_use": USE, "as_of": moment}
    assert client.post(reverse("export-new"), form)["Location"] == reverse("export-list")
    by_page = Export.objects.latest("pk")
    _, words = make_token(account=rita, name="nightly", scopes=[Capability.EXPORT_DATASETS], days=1)
    answer = Client().post(
        reverse("api-export-list"),
        {"formats": ["pictures", "coco"], "data_use": USE, "as_of": moment},
        content_type="application/json",
        headers={"Authorization": f"Bearer {words}"},
    )
    assert answer.json()["formats"] == ["coco", "pictures"]
    by_program = Export.objects.latest("pk")
    for export in (by_page, by_program):
        write_export(export.pk)
        assert archive_of(export) == archive_of(expected)
    out = tmp_path / "out.zip"
    asked = ("--actor", "rita", "--out", str(out), "--use", USE, "--format", "pictures", "--as-of", moment)
    call_command("export_dataset", *asked, stdout=io.StringIO())
    assert out.read_bytes() == archive_of(expected)
