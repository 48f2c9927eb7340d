"""Says what a stored film is, without its pixels, in the DICOM JSON model (PS3.18, sections 10.4 and F)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import DataElement

from deepmedix_review.studies.dicomweb.film_file import TRANSFER_SYNTAXES, FilmFile, read_film_file
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.models import Instance

PIXEL_DATA = "7FE00010"
# What is longer stays out of the metadata, at an address of its own.
_LONGEST_INLINE_BYTES = 1024


def metadata_of(film: Instance, *, address: str) -> dict[str, Any]:
    """`address`: of the service. Pixels and long tables are there as the address of their bulk data."""
    file = read_film_file(film_file(film))
    bulk_data = f"{instance_address(film, address=address)}/bulkdata"
    places = {id(element): place for place, element in _placed(file.header)}
    file.header.AvailableTransferSyntaxUID = list(TRANSFER_SYNTAXES)
    told = file.header.to_json_dict(
        bulk_data_threshold=_LONGEST_INLINE_BYTES,
        bulk_data_element_handler=lambda element: f"{bulk_data}/{places[id(element)]}",
    )
    vr = "OW" if file.header.BitsAllocated > 8 else "OB"
    # By tag, as the model wants it (F.2.2).
    return {**dict(sorted(told.items())), PIXEL_DATA: {"vr": vr, "BulkDataURI": f"{bulk_data}/{PIXEL_DATA}"}}


def stream_metadata(films: Iterable[Instance], *, address: str) -> Iterator[bytes]:
    """Of many films, one at a time."""
    before = "["
    for film in films:
        yield (before + json.dumps(metadata_of(film, address=address))).encode()
        before = ","
    yield b"]"


def instance_address(film: Instance, *, address: str) -> str:
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    return f"{address}/studies/{study}/series/{series}/instances/{film.sop_instance_uid}"


def bulk_data(file: FilmFile, place: str) -> bytes | None:
    """The value at a place of the header, as `metadata_of` names it; None where there is none."""
    element = next((one for known, one in _placed(file.header) if known == place.upper()), None)
    return element.value if element is not None and isinstance(element.value, bytes) else None


def _placed(dataset: Dataset, before: str = "") -> Iterator[tuple[str, DataElement]]:
    """Each element with its place: its tag, after the tags and the numbers of the items that it lies in."""
    for element in dataset:
        place = f"{before}{element.tag:08X}"
        yield place, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _placed(item, f"{place}/{number}/")
