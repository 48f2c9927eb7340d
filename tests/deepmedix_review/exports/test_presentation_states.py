"""Presentation states are accepted by dciodvfy and draw the regions of the database over the film's greys."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence

from deepmedix_review.exports.dicom import files as dicom_files
from deepmedix_review.exports.models import GSPS, SR
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import film_path
from inference.shading import lookup_tables
from tests.deepmedix_review.exports.an_export import a_read_study, archive_of, done, files_of, manifest_of
from tests.deepmedix_review.exports.dicom_objects import (
    ADJUSTED,
    BRIGHT,
    FILMS,
    OF_MISSED,
    OF_STEP,
    OWN,
    Box,
    a_film,
    a_reading_of,
    assert_accepted,
    objects_of,
    of_32_bits,
    sent_to_a_pacs,
)
from tests.factories.accounts import ExpertFactory
from tests.factories.odd_films import modality_table
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete, sign
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db

TAR = "data/gsps.tar"


def the_state(content: bytes) -> Dataset:
    return dcmread(io.BytesIO(content))


def drawn_in(state: Dataset) -> dict[str, dict[str, Box]]:
    """By layer and name; each outline is a closed rectangle, and its label stands at its corner."""
    found: dict[str, dict[str, Box]] = {}
    for annotation in state.GraphicAnnotationSequence:
        layer = found.setdefault(annotation.GraphicLayer, {})
        labels = {one.TrackingUID: one for one in annotation.TextObjectSequence}
        for outline in annotation.GraphicObjectSequence:
            x, y = outline.GraphicData[0::2], outline.GraphicData[1::2]
            assert (outline.GraphicType, outline.GraphicAnnotationUnits) == ("POLYLINE", "PIXEL")
            assert (x[0], y[0]) == (x[-1], y[-1])
            label = labels.pop(outline.TrackingUID)
            assert (label.UnformattedTextValue, list(label.AnchorPoint)) == (outline.TrackingID, [x[0], y[0]])
            layer[outline.TrackingID] = (min(x), min(y), max(x), max(y))
        assert labels == {}
    return found


@pytest.mark.parametrize("kind", FILMS)
def test_a_state_is_accepted_and_draws_what_the_database_has(kind: str, tmp_path: Path) -> None:
    film = FILMS[kind](tmp_path)
    reading = a_reading_of(film)
    export = done(formats=[GSPS])
    assert set(files_of(export)) == {"README.txt", "croissant.json", "manifest.json", TAR}
    [(name, content)] = objects_of(export, TAR).items()
    assert "GrayscaleSoftcopyPresentationState" in assert_accepted(content, tmp_path)
    state, stored = the_state(content), dcmread(film_path(film), stop_before_pixels=True)
    x_min, y_min, _, _ = OWN[2]
    assert drawn_in(state) == {
        "MODEL": {"step 1, region 1": of_32_bits(*OWN[0])},
        "KEPT": {"step 2, region 1": of_32_bits(*OWN[1])},
        "REJECTED": {"step 2, region 2": of_32_bits(x_min, y_min, film.columns, film.rows)},
        "CORRECTED": {"step 1, region 1, adjusted": of_32_bits(*ADJUSTED)},
        "OWN": {
            "step 1, drawn 1": of_32_bits(*OF_STEP),
            "missed finding 1, region 1": of_32_bits(*OF_MISSED),
        },
    }
    assert {one.GraphicLayer for one in state.GraphicLayerSequence} == set(drawn_in(state))
    [series] = state.ReferencedSeriesSequence
    [image] = series.ReferencedImageSequence
    assert series.SeriesInstanceUID == film.series.series_instance_uid
    assert (image.ReferencedSOPInstanceUID, image.ReferencedSOPClassUID) == (
        film.sop_instance_uid,
        film.sop_class_uid,
    )
    assert state.PatientID == film.series.study.patient_pseudonym
    assert name == f"gsps/{str(state.ContentDescription).split()[-1]}.dcm"
    assert str(state.ContentCreatorName).startswith("R-")
    reader = reading.assignment.reader
    assert reader.username.encode() not in content
    [area] = state.DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 1]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [film.columns, film.rows]
    spacing = [film.row_spacing_mm, film.column_spacing_mm]
    if spacing == [None, None]:
        assert list(area.PresentationPixelAspectRatio) == [1, 1]
    else:
        assert list(area.PresentationPixelSpacing) == spacing
    is_dark = stored.PhotometricInterpretation == "MONOCHROME1"
    assert state.PresentationLUTShape == ("INVERSE" if is_dark else "IDENTITY")
    if "WindowCenter" in stored:
        [shown] = state.SoftcopyVOILUTSequence
        assert (shown.WindowCenter, shown.WindowWidth) == (stored.WindowCenter, stored.WindowWidth)
    else:
        assert "SoftcopyVOILUTSequence" not in state


def a_table() -> Dataset:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 12])
    table.LUTExplanation = "CHEST"
    table.add_new("LUTData", "OW", b"".join(value.to_bytes(2, "little") for value in range(4096)))
    return table


@pytest.mark.parametrize("names_a_window", [True, False])
def test_of_windows_and_tables_the_films_first_look_is_taken(names_a_window: bool, tmp_path: Path) -> None:
    looks: dict[str, Any] = {"VOILUTSequence": Sequence([a_table()])}
    names = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")
    if names_a_window:
        values = ([2048, 1000], [4096, 900], ["NORMAL", "BRIGHT"], "SIGMOID")
        looks |= dict(zip(names, values, strict=True))
    else:
        looks |= dict.fromkeys((*names, "RescaleIntercept", "RescaleSlope", "RescaleType"))
        looks["ModalityLUTSequence"] = Sequence([modality_table(np.arange(4096.0) * 16, first=0)])
    film = a_film(tmp_path, BRIGHT, size=96, **looks)
    a_reading_of(film)
    [content] = objects_of(done(formats=[GSPS]), TAR).values()
    assert_accepted(content, tmp_path)
    [shown] = the_state(content).SoftcopyVOILUTSequence
    stored = dcmread(film_path(film), stop_before_pixels=True)
    if names_a_window:
        assert [shown[name].value for name in names] == [stored[name].value for name in names]
        assert "VOILUTSequence" not in shown
    else:
        [(name, table)] = lookup_tables(shown, "VOILUTSequence")
        [(of_film, original)] = lookup_tables(stored, "VOILUTSequence")
        assert (name, table.first_mapped, table.maximum) == (of_film, original.first_mapped, 65535)
        at = np.arange(-100.0, 5000.0)
        greys, of_film_greys = table.look_up(at) / 65535, original.look_up(at) / original.maximum
        assert np.abs(greys - of_film_greys).max() < 1 / 65535
        assert "WindowCenter" not in shown
        [(_, modality)] = lookup_tables(the_state(content), "ModalityLUTSequence")
        [(_, original)] = lookup_tables(stored, "ModalityLUTSequence")
        assert np.array_equal(modality.look_up(at), original.look_up(at))


def test_states_and_reports_of_one_request_are_the_same_bytes_and_name_the_same_regions() -> None:
    a_read_study()
    Instance.objects.update(file_path=store_phantom(seed=3, size=640).file_path)
    first = done(formats=[GSPS, SR])
    again = done(formats=[SR, GSPS], as_of=first.as_of, data_use=first.data_use)
    assert archive_of(again) == archive_of(first)
    rows = {one["name"]: one["rows"] for one in json.loads(files_of(first)["manifest.json"])["files"]}
    for folder in ("data", "controls"):
        states = objects_of(first, f"{folder}/gsps.tar")
        reports = objects_of(first, f"{folder}/sr.tar")
        assert len(states) == rows[f"{folder}/gsps.tar"] > 0
        for name, content in states.items():
            report = reports[name.replace("gsps/", "sr/")]
            state = the_state(content)
            assert state.SOPInstanceUID != dcmread(io.BytesIO(report)).SOPInstanceUID
            for annotation in state.GraphicAnnotationSequence:
                assert all(one.TrackingUID.encode() in report for one in annotation.GraphicObjectSequence)


def test_an_output_without_a_region_has_no_state_and_is_counted() -> None:
    film, bare = store_phantom(seed=3), store_phantom(seed=4)
    a_reading_of(film)
    say(bare, steps=[("Clear lungs", ())], model_version=ServingModelFactory.create())
    study = create_reader_study(
        title="Bare", studies=[bare.series.study], readers=[ExpertFactory.create()], actor=None, seed=1
    )
    [assignment] = study.cases.get().assignments.all()
    reading = assignment.readings.get()
    complete(reading)
    sign(reading)
    export = done(formats=[GSPS])
    assert len(objects_of(export, TAR)) == 1
    left_out = {one["reason"]: one["num"] for one in manifest_of(export)["left_out"]}
    assert left_out[dicom_files.EMPTY[GSPS]] == 1


def test_a_state_is_stored_into_a_pacs_and_comes_back_the_same() -> None:
    a_reading_of(store_phantom(seed=3))
    [content] = objects_of(done(formats=[GSPS]), TAR).values()
    assert sent_to_a_pacs(content).to_json() == Dataset(the_state(content)).to_json()
