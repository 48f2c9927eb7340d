"""What a file says of a person, wherever it says it: nothing of that is stored, by any profile."""

from pathlib import Path
from typing import Any

import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.intake.display import write_display_film
from deepmedix_review.studies.intake.profiles import KEEP_DEVICE, PROFILES, Profile
from tests.deepmedix_review.studies.a_decoded_film import decoded
from tests.factories.studies import write_film

NAME, IDEOGRAPHIC, PHONETIC = "Davidson^Douglas", "山田^太郎", "やまだ^たろう"
NUMBER, BORN, MADE, AT, ROOT = "MRN4711", "19760616", "20130713", "085957", "1.2.840.99999"
PLANTED = ("davidson", "douglas", "山田", "太郎", "やまだ", "たろう", "mrn4711", BORN, MADE, AT, ROOT)
PLAIN_TEXT = f"Davidson {NUMBER} {BORN}"
# Without these as they are the file is no film, or its pixels can't be found.
NEEDED = {
    *("SpecificCharacterSet", "SOPClassUID", "PhotometricInterpretation"),
    *("PatientBirthDate", "StudyDate", "PatientName", "PatientID"),
}
VALUES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "SH"), f"DAVIDSON {NUMBER}"[:16]),
    **dict.fromkeys(("LO", "LT", "ST", "UC", "UT"), PLAIN_TEXT),
    "PN": f"{NAME}={IDEOGRAPHIC}={PHONETIC}",
    "UR": f"https://pacs.example/{NUMBER}/davidson",
    "UI": f"{ROOT}.{BORN}",
    "DA": MADE,
    "DT": f"{MADE}{AT}",
    "TM": AT,
    **dict.fromkeys(("OB", "UN"), f"{PLAIN_TEXT} ".encode()),
    "OW": f"{PLAIN_TEXT} ".encode(),
}
NAMES_OF_DEVICE: dict[str, Any] = {
    "Manufacturer": "Maker & Sons",
    "StationName": "DR-2",
    "DeviceSerialNumber": "SN 0042",
}


def plant(film: Dataset) -> int:
    """In every attribute of the standard that holds text, bytes or items, retired ones too; how many."""
    num = 0
    for number, (vr, _, _, _, keyword) in DicomDictionary.items():
        tag = Tag(number)
        # The first groups are of messages and of the file's own header, the last of pixels.
        if tag.group in (0x0000, 0x0002, 0x0004, 0x7FE0) or keyword in NEEDED:
            continue
        num += plant_one(film, tag, vr)
    for mask, (vr, *_) in RepeatersDictionary.items():
        # Curves and overlays, of their first and last group.
        for digits in ("00", "1E") if mask[:4] in ("50xx", "60xx") else ():
            num += plant_one(film, Tag(int(mask.replace("xx", digits), 16)), vr)
    private = film.private_block(0x0009, f"DAVIDSON {NUMBER}", create=True)
    for offset, vr in enumerate(("LO", "PN", "UN", "OB", "UT", "SQ")):
        private.add_new(offset, vr, Sequence([an_item()]) if vr == "SQ" else VALUES[vr])
    film.PixelData += PLAIN_TEXT.encode()
    return num


def plant_one(film: Dataset, tag: BaseTag, vr: str) -> int:
    one = vr.split(" or ")[-1]
    if one == "SQ":
        film[tag] = DataElement(tag, "SQ", [an_item()])
    elif one in VALUES:
        film[tag] = DataElement(tag, one, VALUES[one])
    else:
        return 0
    return 1


def an_item(*, is_nested: bool = False) -> Dataset:
    item = Dataset()
    item.PatientName, item.TextValue, item.LUTExplanation = VALUES["PN"], PLAIN_TEXT, "DAVIDSON"
    item.ReferencedSOPInstanceUID, item.Date = f"{ROOT}.{BORN}", MADE
    item.private_block(0x0011, "DAVIDSON", create=True).add_new(1, "LO", PLAIN_TEXT)
    if not is_nested:
        item.ContentSequence = Sequence([an_item(is_nested=True)])
    return item


def a_planted_film(path: Path) -> Path:
    film = dcmread(write_film(path))
    assert isinstance(film, FileDataset)
    assert plant(film) > 3000
    film.SpecificCharacterSet = "ISO_IR 192"
    film.PatientName, film.PatientID = VALUES["PN"], NUMBER
    film.PatientBirthDate, film.StudyDate, film.PatientAge = BORN, MADE, "037Y"
    film.preamble = PLAIN_TEXT.encode().ljust(128, b" ")
    film.file_meta.SourceApplicationEntityTitle = "DAVIDSON"
    film.file_meta.ImplementationVersionName = "DAVIDSON"
    film.file_meta.PrivateInformationCreatorUID = VALUES["UI"]
    film.file_meta.PrivateInformation = PLAIN_TEXT.encode()
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
    film.save_as(path)
    return path


def stored(source: Path, tmp_path: Path, profile: Profile) -> Path:
    film = decoded(source, tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity, profile=profile)
    return tmp_path / "stored.dcm"


def found_in(path: Path) -> list[str]:
    content = path.read_bytes().decode("latin-1").lower()
    return [one for one in PLANTED if one.encode().decode("latin-1").lower() in content]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_nothing_planted_anywhere_is_in_what_is_stored(tmp_path: Path, profile: Profile) -> None:
    source = a_planted_film(tmp_path / "film.dcm")
    assert found_in(source) == list(PLANTED)
    written = stored(source, tmp_path, profile)
    assert found_in(written) == []
    film = dcmread(written)
    assert [element.keyword for element in film if element.tag.is_private] == []
    assert film.preamble == bytes(128)
    assert [code.CodeValue for code in film.DeidentificationMethodCodeSequence] == [
        option.code for option in profile.options
    ]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_the_machine_is_named_by_the_profile_that_keeps_it_alone(tmp_path: Path, profile: Profile) -> None:
    source = write_film(
        tmp_path / "film.dcm",
        PatientName=NAME,
        **NAMES_OF_DEVICE,
        DetectorID="Douglas' plate",
        GeneratorID="<script>",
        InstitutionName="Mercy",
    )
    film = dcmread(stored(source, tmp_path, profile))
    said = {keyword: str(film.get(keyword) or "") for keyword in NAMES_OF_DEVICE}
    assert said == (NAMES_OF_DEVICE if profile is KEEP_DEVICE else dict.fromkeys(NAMES_OF_DEVICE, ""))
    assert not {"DetectorID", "GeneratorID", "InstitutionName"} & {element.keyword for element in film}
