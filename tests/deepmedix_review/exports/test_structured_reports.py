"""Structured reports are accepted by dciodvfy, read by highdicom, and have the regions of the database."""

import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import sr
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes as standard
from pydicom.uid import ComprehensiveSRStorage, ComputedRadiographyImageStorage
from pynetdicom import AE, evt

from deepmedix_review.exports import dicom_codes as codes
from deepmedix_review.exports import dicom_files, scope
from deepmedix_review.exports.models import SR, Export
from deepmedix_review.reasoning.models import Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import DrawnRegion, MissedFinding, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, RateStep
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import film_path
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import draw_phantom
from tests.deepmedix_review.exports.an_export import a_read_study, archive_of, done, files_of, manifest_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import change, complete, sign
from tests.factories.studies import receive, store_phantom

pytestmark = pytest.mark.django_db

Box = tuple[float, float, float, float]
FINDING_CATEGORY = "276214006"
EDGES = ("x_min", "y_min", "x_max", "y_max")
# Within the film, twice; past its lower right corner; without an area.
OWN: tuple[Box, ...] = (
    (10.25, 20.0, 41.1, 60.3), (3.0, 4.0, 50.0, 40.5), (70.0, 60.0, 400.0, 400.0), (5.0, 5.0, 5.0, 9.0)
)  # fmt: skip
ADJUSTED: Box = (12.0, 22.5, 40.0, 70.0)
OF_STEP: Box = (1.0, 2.0, 3.5, 5.0)
OF_MISSED: Box = (15.0, 25.0, 39.0, 39.5)
WORDS = "Großes Herz, „deutlich“ 心影 <b>\x1b</b>"
BRIGHT, DARK = FilmEncoding("MONOCHROME2", 12, "explicit"), FilmEncoding("MONOCHROME1", 14, "jpeg-lossless")
NOT_SQUARE: dict[str, Any] = {"ImagerPixelSpacing": [0.2, 0.4], "PixelSpacing": [0.2, 0.4]}
RADIOGRAPH: dict[str, Any] = {
    "SOPClassUID": ComputedRadiographyImageStorage,
    "Modality": "CR",
    "PatientSex": "",
}
FILMS: Mapping[str, Callable[[Path], Instance]] = {
    "square": lambda folder: a_film(folder, BRIGHT, size=96),
    "large, black is high, pixels not square": lambda folder: a_film(folder, DARK, size=128, **NOT_SQUARE),
    "computed radiograph": lambda folder: a_film(folder, BRIGHT, size=80, **RADIOGRAPH),
    "picture": lambda folder: a_picture(folder),
}


def a_film(folder: Path, encoding: FilmEncoding, *, size: int, **attributes: Any) -> Instance:
    """Through the real door, with these attributes in its header."""
    path = folder / "film.dcm"
    write_phantom_dicom(path, seed=3, size=size, encoding=encoding)
    film = dcmread(path)
    for keyword, value in attributes.items():
        setattr(film, keyword, value)
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID
    film.save_as(path)
    return received(path)


def a_picture(folder: Path) -> Instance:
    """A PNG, which has no name of its own: the platform gives it one."""
    path = folder / "film.png"
    Image.fromarray((draw_phantom(seed=3, width=72, height=96).pixels * 255).astype("u1")).save(path)
    return received(path)


def received(path: Path) -> Instance:
    item = receive(path, demo=True)
    assert item.instance is not None, item.reason
    assert item.instance.series.study.state == "ready", item.instance.series.study.held_reasons
    return item.instance


def a_reading_of(film: Instance) -> Reading:
    """Every kind of word: kept, adjusted, wrong, not to be judged, drawn for a step and for a miss."""
    model: ModelVersion = ServingModelFactory.create()
    steps = [(WORDS, OWN[:1]), ("Effusion", OWN[1:]), ("No fracture", ())]
    say(film, steps=steps, model_version=model, answer="cardiomegaly")
    outside = Region.objects.get(step__completion__instance=film, x_max=OWN[2][2])
    outside.problem = "outside_image"
    outside.save()
    study = create_reader_study(
        title="Reports", studies=[film.series.study], readers=[ExpertFactory.create()], actor=None, seed=1
    )
    reading = Reading.objects.get(assignment__case__reader_study=study)
    complete(reading)
    regions = {one.x_min: one for one in Region.objects.filter(step__completion=reading.completion_a)}
    change(reading, AnnotateRegion(regions[OWN[0][0]].uid, RegionAnnotation.Verdict.ADJUSTED, ADJUSTED))
    change(reading, AnnotateRegion(regions[OWN[2][0]].uid, RegionAnnotation.Verdict.WRONG, None))
    last = reading.completion_a.steps.get(position=3)
    change(reading, RateStep(last.uid, None, True, "a note that leaves nowhere"))
    missed = MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text="Nodule")
    own = regions[OWN[0][0]]
    for of, box in (({"step": own.step}, OF_STEP), ({"missed_finding": missed}, OF_MISSED)):
        DrawnRegion.objects.create(reading=reading, **of, **dict(zip(EDGES, box, strict=True)))
    return sign(reading)


def objects_of(export: Export, name: str = "data/sr.tar") -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(files_of(export)[name])) as tar:
        return {one.name: (tar.extractfile(one) or io.BytesIO()).read() for one in tar}


def the_report(content: bytes) -> sr.ComprehensiveSR:
    return sr.ComprehensiveSR.from_dataset(dcmread(io.BytesIO(content)))


def assert_accepted(content: bytes, folder: Path) -> str:
    path = folder / "object.dcm"
    path.write_bytes(content)
    checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    said = checked.stdout + checked.stderr
    assert "Error" not in said, said
    return said


def groups_of(report: sr.ComprehensiveSR) -> dict[str, Any]:
    content: Any = report.content
    found = [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]
    return {group.tracking_identifier: group for group in found}


def box_of(group: Any) -> Box:
    """The corners of a closed rectangle; its edges are as exact as a float of 32 bits."""
    corners = group.roi.value
    assert np.array_equal(corners[0], corners[-1])
    assert len(corners) == 5
    assert len(np.unique(corners[:, 0])) == len(np.unique(corners[:, 1])) == 2
    (x_min, y_min), (x_max, y_max) = corners.min(axis=0), corners.max(axis=0)
    return (x_min, y_min, x_max, y_max)


def of_32_bits(*box: float) -> Box:
    x_min, y_min, x_max, y_max = (float(np.float32(edge)) for edge in box)
    return (x_min, y_min, x_max, y_max)


def said_in(group: Any) -> dict[str, str]:
    """highdicom takes the category for one of them."""
    said = {one.name.value: one.value.value for one in group.get_qualitative_evaluations()}
    said.pop(FINDING_CATEGORY)
    return said


def items(content: Dataset) -> Iterator[Dataset]:
    yield content
    for item in content.get("ContentSequence", ()):
        yield from items(item)


def text_of(group: Any, concept: str = "Comment") -> str:
    found = [one for one in items(group[0]) if one.ConceptNameCodeSequence[0].CodeMeaning == concept]
    [words] = [one.TextValue for one in found]
    return str(words)


def session_of(group: Any) -> str:
    return text_of(group, "Activity Session")


@pytest.mark.parametrize("kind", FILMS)
def test_a_report_is_accepted_and_has_what_the_database_has(kind: str, tmp_path: Path) -> None:
    film = FILMS[kind](tmp_path)
    reading = a_reading_of(film)
    export = done(formats=[SR])
    assert set(files_of(export)) == {"README.txt", "manifest.json", "data/sr.tar"}
    [(name, content)] = objects_of(export).items()
    assert "ComprehensiveSR" in assert_accepted(content, tmp_path)
    report = the_report(content)
    groups = groups_of(report)
    assert name == f"sr/{session_of(groups['answer'])}.dcm"
    x_min, y_min, _, _ = OWN[2]
    for tracking, box in (
        ("step 1, region 1", OWN[0]),
        ("step 1, region 1, adjusted", ADJUSTED),
        ("step 1, drawn 1", OF_STEP),
        ("step 2, region 1", OWN[1]),
        # Coordinates end at the film's edge.
        ("step 2, region 2", (x_min, y_min, film.columns, film.rows)),
        ("missed finding 1, region 1", OF_MISSED),
    ):
        assert box_of(groups.pop(tracking)) == of_32_bits(*box), tracking
        assert tracking not in groups
    assert set(groups) == {"step 2, region 3", "step 3", "answer"}
    assert reading.signed_at is not None
    assert report.ContentDate == reading.signed_at.strftime("%Y%m%d")


def test_each_group_says_its_step_its_model_and_the_readers_verdict() -> None:
    film = store_phantom(seed=3)
    reading = a_reading_of(film)
    report = the_report(*objects_of(done(formats=[SR])).values())
    groups = groups_of(report)
    said = {name: said_in(group) for name, group in groups.items()}
    assert said == {
        "step 1, region 1": {"PLAUSIBILITY": "4-OF-5", "REGION-VERDICT": "ADJUSTED"},
        "step 1, region 1, adjusted": {},
        "step 1, drawn 1": {},
        "step 2, region 1": {"PLAUSIBILITY": "4-OF-5", "REGION-VERDICT": "FITS"},
        "step 2, region 2": {"REGION-VERDICT": "WRONG", "REGION-PROBLEM": "OUTSIDE-IMAGE"},
        "step 2, region 3": {"REGION-VERDICT": "FITS"},
        "step 3": {"PLAUSIBILITY": "CANNOT-JUDGE"},
        "answer": {"RELEVANCE": "5-OF-5", "CORRECTNESS": "4-OF-5", "COMPLETENESS": "3-OF-5"},
        "missed finding 1, region 1": {},
    }
    texts = {name: text_of(group) for name, group in groups.items()}
    assert texts["step 1, region 1"] == texts["step 1, drawn 1"] == WORDS.replace("\x1b", " ")
    assert (texts["answer"], texts["missed finding 1, region 1"]) == ("cardiomegaly", "Nodule")
    model = reading.completion_a.model_version
    of_model = {"step 1, region 1", "step 3", "answer", *(f"step 2, region {n}" for n in (1, 2, 3))}
    for name, group in groups.items():
        values = {one.ConceptNameCodeSequence[0].CodeMeaning: one.get("TextValue") for one in items(group[0])}
        assert ("Algorithm Name" in values) == (name in of_model), name
        if name in of_model:
            assert (values["Algorithm Name"], values["Algorithm Version"]) == (model.name, str(model))
    observers = {
        item.ConceptNameCodeSequence[0].CodeMeaning: item.get("PersonName") or item.get("TextValue")
        for item in report.ContentSequence
    }
    assert str(observers["Person Observer Name"]).startswith("R-")
    assert observers["Device Observer Model Name"] == model.name


def test_a_report_lies_beside_its_film_and_names_nobody() -> None:
    film = store_phantom(seed=3, PatientSex="F")
    reading = a_reading_of(film)
    [content] = objects_of(done(formats=[SR])).values()
    report, stored = the_report(content), dcmread(film_path(film), stop_before_pixels=True)
    for keyword in ("PatientID", "PatientName", "PatientSex", "StudyInstanceUID", "StudyDate"):
        assert report[keyword].value == stored[keyword].value
    assert report.PatientID == film.series.study.patient_pseudonym
    [evidence] = report.get_evidence()
    study, series, instance, kind = evidence
    assert (study, series) == (film.series.study.study_instance_uid, film.series.series_instance_uid)
    assert (instance, kind) == (film.sop_instance_uid, film.sop_class_uid)
    reader = reading.assignment.reader
    for private in (reader.username, str(reader.uid), str(reading.uid), "a note that leaves"):
        assert private.encode() not in content
    uids = {str(one.value) for item in report.iterall() for one in [item] if one.VR == "UI"}
    assert not any(str(one.int) in uid for one in (reading.uid, reader.uid) for uid in uids)


def test_controls_lie_apart_parts_do_not_matter_and_the_same_request_gives_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_read_study()
    Instance.objects.update(file_path=store_phantom(seed=3).file_path)
    first = done(formats=[SR])
    monkeypatch.setattr(scope, "AT_ONCE", 2)
    monkeypatch.setattr(dicom_files, "AT_ONCE", 1)
    again = done(formats=[SR], as_of=first.as_of, data_use=first.data_use)
    assert archive_of(again) == archive_of(first)
    rows = {one["name"]: one["rows"] for one in json.loads(files_of(first)["manifest.json"])["files"]}
    for folder in ("data", "controls"):
        found = objects_of(first, f"{folder}/sr.tar")
        assert len(found) == rows[f"{folder}/sr.tar"] > 0
        altered = [b"altered: " in content for content in found.values()]
        assert any(altered) == (folder == "controls")


def test_what_has_no_file_or_says_nothing_is_left_out_and_counted() -> None:
    there, away, empty = (store_phantom(seed=seed) for seed in (3, 4, 5))
    for film in (there, away):
        a_reading_of(film)
    say(empty, steps=[], answer="", model_version=ModelVersion.objects.get(state="serving"))
    study = create_reader_study(
        title="Empty", studies=[empty.series.study], readers=[ExpertFactory.create()], actor=None, seed=1
    )
    reading = Reading.objects.get(assignment__case__reader_study=study)
    complete(reading)
    sign(reading)
    film_path(away).unlink()
    export = done(formats=[SR])
    assert len(objects_of(export)) == 1
    left_out = {one["reason"]: one["num"] for one in manifest_of(export)["left_out"]}
    assert (left_out[dicom_files.AWAY], left_out[dicom_files.EMPTY]) == (1, 1)


def test_a_report_is_stored_into_a_pacs_and_comes_back_the_same() -> None:
    a_reading_of(store_phantom(seed=3))
    [content] = objects_of(done(formats=[SR])).values()
    came: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        came.append(event.dataset)
        return 0x0000

    pacs = AE(ae_title="PACS")
    pacs.add_supported_context(ComprehensiveSRStorage)
    server = pacs.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    assert server.socket is not None
    try:
        sender = AE(ae_title="EXPORT")
        sender.add_requested_context(ComprehensiveSRStorage)
        link = sender.associate("127.0.0.1", server.socket.getsockname()[1])
        assert link.is_established
        assert link.send_c_store(dcmread(io.BytesIO(content))).Status == 0x0000
        link.release()
    finally:
        server.shutdown()
    [stored] = came
    assert stored.to_json() == Dataset(dcmread(io.BytesIO(content))).to_json()


def test_codes_are_of_the_standards_length_and_each_stands_in_the_reference() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "reference" / "dicom-codes.md").read_text("utf-8")
    values = [code.value for code in codes.EVERY_CODE]
    assert len(set(values)) == len(values)
    for code in codes.EVERY_CODE:
        assert len(code.value) <= codes.LONGEST_VALUE
        assert len(code.meaning) <= codes.LONGEST_MEANING
        assert f"| `{code.value}` | {code.meaning} |" in reference
    assert standard.DCM.Comment.value == "121106"
