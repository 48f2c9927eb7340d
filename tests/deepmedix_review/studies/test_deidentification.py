"""A film leaves its identity at the door."""

from datetime import datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from deepmedix_review.studies.intake.deidentification import deidentify, keyed_uid, name_film
from deepmedix_review.studies.intake.profiles import (
    KEEP_DATES_SHIFTED,
    KEEP_DEVICE,
    PROFILES,
    RESEARCH,
    Profile,
)
from deepmedix_review.studies.intake.tags import READ, look_name, pick

SECRET = "DAVIDSON"


def _planted() -> Dataset:
    """A header with a name in each of the places from which others leak it."""
    film = Dataset()
    film.PatientName = f"{SECRET}^DOUGLAS"
    film.PatientID = f"{SECRET}-1"
    film.PatientBirthDate = "19760616"
    film.PatientAge = "093Y"
    film.PatientSex = "M"
    film.StudyInstanceUID, film.SeriesInstanceUID, film.SOPInstanceUID = "1.2.3", "1.2.3.4", "1.2.3.4.5"
    film.StudyDate = film.ContentDate = "20130713"
    film.StudyTime = "085957"
    film.Modality = "DX"
    film.BodyPartExamined = "CHEST"
    film.StudyDescription = f"XR CHEST for {SECRET}"
    film.ImageComments = SECRET
    film.DeviceSerialNumber = SECRET
    film.RescaleType = SECRET
    film.ImageType = ["ORIGINAL", "PRIMARY", SECRET]
    film.RequestAttributesSequence = Sequence([Dataset()])
    film.RequestAttributesSequence[0].RequestedProcedureDescription = SECRET
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTExplanation, lut.LUTData = [4, 0, 16], SECRET, bytes(range(8))
    film.VOILUTSequence = Sequence([lut])
    film.WindowCenter, film.WindowWidth, film.WindowCenterWidthExplanation = 100, 200, SECRET
    film.private_block(0x0009, SECRET, create=True).add_new(0x01, "LO", SECRET)
    film.add_new(0x60003000, "OW", SECRET.encode())
    return film


def _clean(film: Dataset, *, key: str = "key", profile: Profile = KEEP_DATES_SHIFTED) -> Dataset:
    source = pick(film, READ)
    return deidentify(source, name_film(source, key=key, pixel_sha256="0" * 64), profile=profile)


def test_nothing_planted_is_left_and_the_record_says_what_was_done() -> None:
    film = _clean(_planted())
    assert SECRET not in film.to_json()
    assert "1.2.3" not in {film.StudyInstanceUID, film.SeriesInstanceUID, film.SOPInstanceUID}
    assert film.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in film.DeidentificationMethodCodeSequence] == [
        "113100",
        "113107",
        "113108",
    ]
    assert {"PatientBirthDate", "StudyTime"}.isdisjoint(element.keyword for element in film)


def test_what_display_needs_is_kept() -> None:
    film = _clean(_planted())
    assert (film.Modality, film.BodyPartExamined, film.WindowCenter, film.WindowWidth) == (
        "DX",
        "CHEST",
        100,
        200,
    )
    assert film.VOILUTSequence[0].LUTData == bytes(range(8))
    assert list(film.ImageType) == ["ORIGINAL", "PRIMARY"]
    assert (film.PatientSex, film.PatientAge) == ("M", "090Y")


def test_profiles_differ_in_dates_age_and_machine_and_in_no_name() -> None:
    film = _planted()
    film.PatientAge, film.StationName, film.DeviceUID = "067Y", "ROOM 3", "1.2.3.4"
    research, dates, device = (_clean(film, profile=profile) for profile in PROFILES.values())
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert research[keyword] == dates[keyword] == device[keyword]
    assert "StudyDate" not in research
    assert dates.StudyDate == device.StudyDate
    assert [one.PatientAge for one in (research, dates, device)] == ["060Y", "067Y", "067Y"]
    told = [one.LongitudinalTemporalInformationModified for one in (research, dates, device)]
    assert told == ["REMOVED", "MODIFIED", "MODIFIED"]
    assert (device.StationName, device.DeviceUID) == ("ROOM 3", "1.2.3.4")
    assert {"StationName", "DeviceUID"}.isdisjoint(element.keyword for element in (*research, *dates))
    assert device.DeidentificationMethodCodeSequence[-1].CodeValue == "113109"
    assert all(len(profile.method) <= 64 for profile in PROFILES.values())


@pytest.mark.parametrize(
    ("age", "left"),
    [("009Y", "000Y"), ("011M", "000Y"), ("3D", "000Y"), ("10", "010Y"), ("89Y", "080Y"), ("104Y", "090Y")],
)
def test_research_tells_the_decade_of_an_age(age: str, left: str) -> None:
    film = _planted()
    film.PatientAge = age
    assert _clean(film, profile=RESEARCH).PatientAge == left


@pytest.mark.parametrize(
    "said", [SECRET, f"{SECRET}'s room", "dr davidson-1", "room DOUGLAS", "19760616-A", "<b>", "x" * 65]
)
def test_a_machine_named_after_the_patient_is_not_told(said: str) -> None:
    film = _planted()
    film.StationName, film.DetectorID = said, "DET 1"
    device = _clean(film, profile=KEEP_DEVICE)
    assert "StationName" not in device
    assert device.DetectorID == "DET 1"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("NORMAL", "NORMAL"),
        ("window1", "WINDOW1"),
        ("Soft tissue 2", "SOFT TISSUE 2"),
        ("HARDER_AP", "HARDER AP"),
        (f"NORMAL {SECRET}", ""),
        (SECRET, ""),
        ("19760616", ""),
        ("LUNG " * 20, ""),
    ],
)
def test_the_name_of_a_window_is_kept_where_it_is_of_display_alone(name: str, kept: str) -> None:
    assert look_name(name) == kept
    film = _planted()
    film.WindowCenterWidthExplanation = name
    assert _clean(film).get("WindowCenterWidthExplanation", "") == kept


def test_a_long_table_for_values_below_zero_is_kept_whole() -> None:
    film = _planted()
    table = film.VOILUTSequence[0]
    table["LUTDescriptor"] = DataElement("LUTDescriptor", "SS", [40_000 - 65_536, -20_000, 16])
    table.LUTData = bytes(80_000)
    kept = _clean(film).VOILUTSequence[0]
    assert (kept["LUTDescriptor"].VR, list(kept.LUTDescriptor)) == ("SS", [40_000, -20_000, 16])
    assert len(kept.LUTData) == 80_000
    kept.save_as(BytesIO(), implicit_vr=False, little_endian=True)


def test_dates_of_one_patient_move_together_and_into_the_past() -> None:
    film, later = _planted(), _planted()
    later.StudyDate = "20130720"
    dates = [datetime.strptime(_clean(each).StudyDate, "%Y%m%d") for each in (film, later)]
    assert (dates[1] - dates[0]).days == 7
    assert dates[0] < datetime(2013, 7, 13)


def test_names_are_the_same_under_one_key_and_others_under_another() -> None:
    one, again, other = _clean(_planted()), _clean(_planted()), _clean(_planted(), key="another")
    assert (one.SOPInstanceUID, one.PatientID) == (again.SOPInstanceUID, again.PatientID)
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.PatientID != other.PatientID


@given(text=st.text(max_size=100))
def test_a_keyed_uid_is_a_valid_uid(text: str) -> None:
    assert UID(keyed_uid(text, key="key")).is_valid


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PixelSpacing", [0, 0]),
        ("ImagerPixelSpacing", [0.1]),
        ("WindowWidth", 0),
        ("WindowCenter", [1, 2, 3]),
        ("BodyPartExamined", "chest of Mr. Davidson"),
        ("BodyPartExamined", SECRET),
        ("BodyPartExamined", f"CHEST {SECRET}"),
        ("ViewPosition", SECRET),
        ("PatientOrientation", ["L", SECRET]),
        ("VOILUTFunction", SECRET),
        ("PatientAge", "old"),
    ],
)
def test_a_value_that_would_break_a_viewer_or_hold_text_is_dropped(keyword: str, value: object) -> None:
    film = _planted()
    setattr(film, keyword, value)
    assert keyword not in _clean(film)
