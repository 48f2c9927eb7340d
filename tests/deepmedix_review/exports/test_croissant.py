"""croissant.json of an export of readings: mlcroissant validates it and reads the tables, nobody is in it."""

import csv
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas
import pytest
from django.utils import timezone
from pyarrow import parquet

from deepmedix_review.exports.models import COCO, CSV, FORMATS, JSONL, PARQUET, TABULAR, Export
from deepmedix_review.reviews.models import Assignment, Case, MissedFinding, ReaderStudy, Reading
from deepmedix_review.studies.models import Instance, SourceDataset, Study
from tests.croissants import records_of, validated
from tests.deepmedix_review.exports.an_export import (
    USE,
    a_read_study,
    archive_of,
    done,
    files_of,
    manifest_of,
)
from tests.factories.reviews import an_open_reading, complete, say_first, sign

pytestmark = pytest.mark.django_db

WORDS = '=cmd "quoted" {"@id": "x"} <b>,\nof 5 mm \\ ünlike\tothers'
HOSTILE = '}} \\ {"@id": "http://evil"} <script> ${jndi} https://a.b _:b0 @language'


def a_study_of_everything() -> ReaderStudy:
    study = a_read_study()
    reading = an_open_reading(num_completions=1, asks_first_read=True)
    say_first(reading, impression=WORDS)
    complete(reading)
    MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text=WORDS)
    sign(reading)
    return study


def unpacked_to(folder: Path, export: Export) -> Path:
    for name, content in files_of(export).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def told_of(export: Export) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(files_of(export)["croissant.json"])
    return told


def rows_in(path: Path) -> Sequence[Mapping[str, Any]]:
    """As the file's own format says them; in CSV all is text, and what is empty is null."""
    match path.suffix:
        case ".parquet":
            rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
            return rows
        case ".jsonl":
            return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        case _:
            with path.open(encoding="utf-8", newline="") as lines:
                return list(csv.DictReader(lines))


def plainly(value: Any) -> str | None:
    """What pandas makes of a cell is the same to it: 3 and 3.0, true and True, no text and none."""
    if isinstance(value, pandas.Timestamp):
        return value.tz_convert("UTC").isoformat(timespec="microseconds")
    text = "" if value is None else str(value)
    try:
        return repr(float(text))
    except ValueError:
        pass
    if text.endswith("Z") and text[:2] == "20":
        return pandas.Timestamp(text).isoformat(timespec="microseconds")
    return {"true": "True", "false": "False", "": None}.get(text, text)


@pytest.mark.parametrize(
    ("formats", "ending"), [((CSV,), ".csv"), ((JSONL, CSV), ".jsonl"), (FORMATS, ".parquet")]
)
def test_mlcroissant_validates_it_and_reads_the_rows_of_every_table(
    formats: Sequence[str], ending: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a_study_of_everything()
    export = done(formats=formats)
    folder = unpacked_to(tmp_path, export)
    # The films of these readings have no file, which writing DICOM told.
    caplog.clear()
    described = validated(folder)
    names = [one.uuid for one in described.metadata.record_sets]
    tables = [one.name.rpartition(".")[0] for one in export.written if one.num_rows and "." in one.name]
    assert sorted(names) == sorted({name for name in tables if not name.endswith(("/coco", "/sr", "/gsps"))})
    assert {"data/ratings", "data/first_reads", "controls/ratings", "criteria", "data/agreement"} <= set(
        names
    )
    assert "data/imrmc/plausibility-v1" in names
    num_read = 0
    for name in names:
        path = folder / f"{name}{ending}"
        # A frame for iMRMC is CSV in every export.
        expected = rows_in(path if path.exists() else folder / f"{name}.csv")
        read = records_of(described, name)
        assert [[plainly(value) for value in row.values()] for row in read] == [
            [plainly(value) for value in row.values()] for row in expected
        ], name
        assert list(read[0]) == list(expected[0])
        if ending == ".parquet" and path.exists():
            # Exact, but that a moment is one.
            assert [{**row, "signed_at": None} if "signed_at" in row else row for row in read] == [
                {**row, "signed_at": None} if "signed_at" in row else row for row in expected
            ], name
        num_read += len(read)
    assert num_read > 300
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_it_has_every_file_with_its_sha256_and_the_manifest_has_it() -> None:
    a_study_of_everything()
    export = done(formats=FORMATS)
    files, manifest = files_of(export), manifest_of(export)
    told = {one["@id"]: one for one in told_of(export)["distribution"]}
    assert set(told) == set(files) - {"croissant.json", "manifest.json"}
    for name, one in told.items():
        assert one["sha256"] == hashlib.sha256(files[name]).hexdigest(), name
        assert one["contentSize"] == f"{len(files[name])} B"
    assert told["data/ratings.csv"]["sameAs"] == "data/ratings.parquet"
    assert "sameAs" not in told["data/ratings.parquet"]
    [known] = [one for one in manifest["files"] if one["name"] == "croissant.json"]
    assert known["sha256"] == hashlib.sha256(files["croissant.json"]).hexdigest()


def test_what_it_tells_of_the_readings_is_what_the_database_holds() -> None:
    study = a_read_study()
    source = SourceDataset.objects.create(
        name="Open films", layout="table", licence="CC BY 4.0", is_credentialed=False
    )
    Study.objects.update(source=source)
    late = an_open_reading().assignment
    Assignment.objects.filter(pk=late.pk).update(case=Case.objects.filter(reader_study=study).latest("pk"))
    export = done(study)
    told = told_of(export)
    every = Reading.objects.filter(assignment__case__reader_study=study, signed_at__isnull=False)
    data = every.filter(assignment__case__role=Case.Role.DATA)
    first = data.filter(assignment__kind=Assignment.Kind.FIRST)
    cases = first.values("assignment__case").distinct().count()
    assert told["creator"]["name"].startswith("2 readers on DeepMedix Review")
    assert f"{every.count()} readings of" in told["description"]
    assert told["rai:dataCollection"].startswith(
        f"In data/ (cases of data): {data.count()} readings of {cases} cases by 2 readers."
    )
    assert told["rai:annotationsPerItem"] == (
        f"Of cases of data, by first readings: {cases} items by 2 readers."
    )
    repeats = data.filter(assignment__kind=Assignment.Kind.REPEAT).count()
    assert repeats
    assert f"{repeats} hidden repeat" in told["rai:dataAnnotationAnalysis"][1]
    assert told["rai:dataBiases"][0] == (
        f"In 0 of {data.count()} readings the film was read alone before an output was shown."
    )
    assert (
        f"Reader study {study.uid}: a reader sees two outputs of one model version"
        in (told["rai:dataAnnotationProtocol"])
    )
    assert "plausibility v1" in told["rai:dataAnnotationProtocol"]
    signed = sorted(one for one in every.values_list("signed_at", flat=True) if one)
    assert told["rai:dataCollectionTimeframe"] == [signed[0].isoformat(), signed[-1].isoformat()]
    assert export.left_out
    for one in export.left_out:
        assert f"{one['reason']} ({one['num']})" in told["rai:dataCollectionMissingData"]
    assert [one["description"] for one in told["license"]][:2] == [USE, "Films of Open films: CC BY 4.0"]
    assert told["rai:dataUseCases"] == [USE]
    assert manifest_of(export)["licences_of_sources"] == [{"source": "Open films", "licence": "CC BY 4.0"}]
    codes = ["113100", "113107", "113108"]
    assert manifest_of(export)["deidentification"] == [{"profile": "keep-dates-shifted", "codes": codes}]
    assert manifest_of(export)["films_with_text_overwritten"] == {"num": 0, "code": "113101"}
    assert not any("overwritten" in one for one in told["rai:dataPreprocessingProtocol"])
    Instance.objects.filter(pk=Instance.objects.earliest("pk").pk).update(masked_at=timezone.now())
    again = done(as_of=timezone.now())
    assert manifest_of(again)["films_with_text_overwritten"]["num"] == 1
    told = json.loads(files_of(again)["croissant.json"])
    said = "On one film text in the pixels was overwritten (DICOM PS3.15: 113101)."
    assert said in told["rai:dataPreprocessingProtocol"]


def test_no_reader_or_patient_is_in_it_and_no_case_or_film() -> None:
    a_study_of_everything()
    said = files_of(done(formats=(*TABULAR, COCO)))["croissant.json"].decode()
    names = {
        *Study.objects.values_list("patient_pseudonym", flat=True),
        *Study.objects.values_list("study_instance_uid", flat=True),
        *Instance.objects.values_list("sop_instance_uid", flat=True),
        *Reading.objects.values_list("assignment__reader__username", flat=True),
        *Reading.objects.values_list("assignment__reader__pseudonym", flat=True),
        *map(str, Reading.objects.values_list("assignment__reader__uid", flat=True)),
        *map(str, Reading.objects.values_list("uid", flat=True)),
        *ReaderStudy.objects.values_list("title", flat=True),
    }
    assert len(names) > 20
    assert not [name for name in names if name and name in said]


def test_the_same_request_gives_the_same_and_another_moment_another_name() -> None:
    study = a_read_study()
    first = done(study, formats=(CSV, PARQUET))
    again = done(study, formats=(CSV, PARQUET), as_of=first.as_of)
    assert archive_of(first) == archive_of(again)
    other = done(study, formats=(CSV, PARQUET), as_of=first.as_of - timedelta(microseconds=1))
    assert told_of(other)["url"] != told_of(first)["url"]
    assert told_of(first)["url"].startswith("urn:oid:2.25.")


def test_whatever_the_sentence_holds_is_words_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    described = validated(unpacked_to(tmp_path, done(a_read_study(), data_use=HOSTILE)))
    assert described.metadata.license[0].description == HOSTILE
    assert described.metadata.data_use_cases == [HOSTILE]
    assert len(records_of(described, "data/readings")) > 10
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_controls_alone_are_told_of_without_what_is_said_of_data() -> None:
    study = a_read_study()
    Case.objects.filter(reader_study=study, role=Case.Role.DATA).update(role=Case.Role.TRAINING)
    told = told_of(done(study))
    assert "rai:annotationsPerItem" not in told
    assert "rai:dataBiases" not in told
    assert "In practice/" in told["rai:dataCollection"]
