"""Structured reports are accepted by dciodvfy, read by highdicom, and have the regions of the database."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import sr
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes as standard

from deepmedix_review.exports import scope
from deepmedix_review.exports.dicom import codes
from deepmedix_review.exports.dicom import files as dicom_files
from deepmedix_review.exports.models import SR
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import DrawnRegion, FirstRead, Reading
from deepmedix_review.reviews.reading.changes import SayFirstRead
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import film_path
from tests.deepmedix_review.exports.an_export import a_read_study, archive_of, done, files_of, manifest_of
from tests.deepmedix_review.exports.dicom_objects import (
    ADJUSTED,
    FILMS,
    OF_MISSED,
    OF_STEP,
    OWN,
    WORDS,
    Box,
    a_reading_of,
    assert_accepted,
    objects_of,
    of_32_bits,
    sent_to_a_pacs,
)
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.reviews import an_open_reading, change, complete, completions_of, lock, reader_of, sign
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db

FINDING_CATEGORY = "276214006"
TAR = "data/sr.tar"


def the_report(content: bytes) -> sr.ComprehensiveSR:
    return sr.ComprehensiveSR.from_dataset(dcmread(io.BytesIO(content)))


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
    assert set(files_of(export)) == {"README.txt", "croissant.json", "manifest.json", "data/sr.tar"}
    [(name, content)] = objects_of(export, TAR).items()
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
    report = the_report(*objects_of(done(formats=[SR]), TAR).values())
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
    [content] = objects_of(done(formats=[SR]), TAR).values()
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
    assert len(objects_of(export, TAR)) == 1
    left_out = {one["reason"]: one["num"] for one in manifest_of(export)["left_out"]}
    assert (left_out[dicom_files.AWAY], left_out[dicom_files.EMPTY[SR]]) == (1, 1)


def test_a_report_is_stored_into_a_pacs_and_comes_back_the_same() -> None:
    a_reading_of(store_phantom(seed=3))
    [content] = objects_of(done(formats=[SR]), TAR).values()
    stored = sent_to_a_pacs(content)
    assert stored.to_json() == Dataset(dcmread(io.BytesIO(content))).to_json()


def test_an_amendment_names_the_report_that_it_replaces_and_each_output_has_its_own(tmp_path: Path) -> None:
    """What was drawn before any output was shown is told with the first."""
    film = store_phantom(seed=3)
    reading = an_open_reading(num_completions=2, asks_first_read=True)
    for completion in completions_of(reading):
        type(completion).objects.filter(pk=completion.pk).update(instance=film, study=film.series.study)
    reading = Reading.objects.get(pk=reading.pk)
    change(reading, SayFirstRead(False, "", (), "Clear lungs", 4))
    first_read = FirstRead.objects.get(reading=reading)
    DrawnRegion.objects.create(reading=reading, first_read=first_read, x_min=5, y_min=6, x_max=9, y_max=10)
    lock(reading)
    complete(reading)
    sign(reading)
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="A slip.")
    sign(amendment)
    objects = objects_of(done(formats=[SR]), TAR)
    for content in objects.values():
        assert_accepted(content, tmp_path)
    reports = {name: the_report(content) for name, content in objects.items()}
    assert len({report.SOPInstanceUID for report in reports.values()}) == len(reports) == 4
    first = {name: groups_of(report).get("first read, region 1") for name, report in reports.items()}
    drawn = {name: box_of(group) for name, group in first.items() if group is not None}
    assert set(drawn.values()) == {(5, 6, 9, 10)}
    assert {name for name in reports if name.endswith("-a.dcm")} == set(drawn)
    replaced = {
        name: report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
        for name, report in reports.items()
        if "PredecessorDocumentsSequence" in report
    }
    assert len(replaced) == 2
    before = {report.SOPInstanceUID: name for name, report in reports.items() if name not in replaced}
    for name, item in replaced.items():
        assert before[item.ReferencedSOPInstanceUID][-6:] == name[-6:]


def test_codes_are_of_the_standards_length_and_each_stands_in_the_reference() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "reference" / "dicom-codes.md").read_text("utf-8")
    values = [code.value for code in codes.EVERY_CODE]
    assert len(set(values)) == len(values)
    for code in codes.EVERY_CODE:
        assert len(code.value) <= codes.LONGEST_VALUE
        assert len(code.meaning) <= codes.LONGEST_MEANING
        assert f"| `{code.value}` | {code.meaning} |" in reference
    assert standard.DCM.Comment.value == "121106"
