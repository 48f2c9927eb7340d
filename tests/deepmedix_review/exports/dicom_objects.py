"""Readings of films of every kind, and the objects of DICOM in an export of them."""

import io
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import ComputedRadiographyImageStorage
from pynetdicom import AE, evt

from deepmedix_review.exports.models import Export
from deepmedix_review.reasoning.models import Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import DrawnRegion, MissedFinding, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, RateStep
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import draw_phantom
from tests.deepmedix_review.exports.an_export import files_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import change, complete, sign
from tests.factories.studies import receive

Box = tuple[float, float, float, float]
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
        if value is None:
            film.pop(keyword, None)
        else:
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


def objects_of(export: Export, name: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(files_of(export)[name])) as tar:
        return {one.name: (tar.extractfile(one) or io.BytesIO()).read() for one in tar}


def assert_accepted(content: bytes, folder: Path) -> str:
    path = folder / "object.dcm"
    path.write_bytes(content)
    checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    said = checked.stdout + checked.stderr
    assert "Error" not in said, said
    return said


def of_32_bits(*box: float) -> Box:
    x_min, y_min, x_max, y_max = (float(np.float32(edge)) for edge in box)
    return (x_min, y_min, x_max, y_max)


def sent_to_a_pacs(content: bytes) -> Dataset:
    """By C-STORE to a storage provider, and as that one has it."""
    sent = dcmread(io.BytesIO(content))
    came: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        came.append(event.dataset)
        return 0x0000

    pacs = AE(ae_title="PACS")
    pacs.add_supported_context(sent.SOPClassUID)
    server = pacs.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    assert server.socket is not None
    try:
        sender = AE(ae_title="EXPORT")
        sender.add_requested_context(sent.SOPClassUID)
        link = sender.associate("127.0.0.1", server.socket.getsockname()[1])
        assert link.is_established
        assert link.send_c_store(sent).Status == 0x0000
        link.release()
    finally:
        server.shutdown()
    [stored] = came
    return stored
