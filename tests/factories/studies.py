"""Studies for tests: rows without film files, and real films that went through the whole door."""

import hashlib
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import factory
from pydicom import dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.models import (
    ArchiveImport,
    FilmToPull,
    ImportBatch,
    ImportItem,
    Instance,
    PacsPull,
    SentMessage,
    Series,
    Study,
    StudyToPull,
)
from deepmedix_review.studies.services import receive_instance
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom


class StudyFactory(factory.django.DjangoModelFactory[Study]):
    class Meta:
        model = Study

    study_instance_uid = factory.Sequence(lambda n: f"2.25.{1_000_000 + n}")
    patient_pseudonym = factory.Sequence(lambda n: f"P-{n:06d}")
    order_date = factory.LazyAttribute(lambda study: getattr(study, "study_date", None))
    is_phantom = True


class SeriesFactory(factory.django.DjangoModelFactory[Series]):
    class Meta:
        model = Series

    study = factory.SubFactory(StudyFactory)
    series_instance_uid = factory.Sequence(lambda n: f"2.25.{2_000_000 + n}")
    modality = "DX"


class InstanceFactory(factory.django.DjangoModelFactory[Instance]):
    """A film of 640 x 480 pixels (rows x columns)."""

    class Meta:
        model = Instance

    series = factory.SubFactory(SeriesFactory)
    sop_instance_uid = factory.Sequence(lambda n: f"2.25.{3_000_000 + n}")
    view_position = "PA"
    rows = 640
    columns = 480
    bits_stored = 12
    photometric_interpretation = "MONOCHROME2"
    row_spacing_mm = 0.4
    column_spacing_mm = 0.4
    profile = "keep-dates-shifted"
    pixel_sha256: Any = factory.Sequence(lambda n: hashlib.sha256(f"pixels {n}".encode()).hexdigest())
    file_path = factory.Sequence(lambda n: f"absent/{n}.dcm")
    file_bytes = 1
    file_sha256: Any = factory.Sequence(lambda n: hashlib.sha256(f"file {n}".encode()).hexdigest())


def write_film(path: Path, *, seed: int = 1, size: int = 96, **attributes: Any) -> Path:
    """A phantom's DICOM file, plain Explicit VR Little Endian, with attributes changed or (None) left out."""
    plain = FilmEncoding(photometric="MONOCHROME2", bits_stored=12, transfer_syntax="explicit")
    write_phantom_dicom(path, seed=seed, size=size, encoding=plain)
    if attributes:
        dataset = dcmread(path)
        for keyword, value in attributes.items():
            if value is None:
                dataset.pop(keyword, None)
            else:
                setattr(dataset, keyword, value)
        dataset.save_as(path)
    return path


def receive(
    path: Path, *, actor: User | None = None, demo: bool = False, is_text_free: bool = False
) -> ImportItem:
    """One file through the real door: checked, decoded by its own process, stored."""
    source = ImportBatch.Source.DEMO if demo else ImportBatch.Source.COMMAND
    batch = start_import(actor=None, source=source)
    return receive_instance(path, batch=batch, file_name=path.name, actor=actor, is_text_free=is_text_free)


def store_phantom(*, seed: int = 1, size: int = 96, **attributes: Any) -> Instance:
    """A phantom film that was really received and stored, ready to be shown and inferred."""
    with TemporaryDirectory() as folder:
        item = receive(write_film(Path(folder) / "film.dcm", seed=seed, size=size, **attributes), demo=True)
    assert item.instance is not None, item.reason
    return item.instance


def failed_archive(admin: User) -> ArchiveImport:
    """One that stopped in the middle, and can be tried again."""
    reason = "The disk is full. 2 of 1,200 files are done, and stay so. Free some space, then try again."
    archive = ArchiveImport.objects.create(
        batch=start_import(actor=admin, source=ImportBatch.Source.ARCHIVE),
        file_name="a-name-of-an-archive-of-a-data-set-that-is-long-part-0001.tar.gz",
        num_bytes=7_340_032,
        num_received=7_340_032,
        state=ArchiveImport.State.FAILED,
        error=reason,
        num_files=1200,
        num_accepted=1,
        num_to_look_at=1,
        num_refused=1,
    )
    for number, (outcome, said) in enumerate((("accepted", ""), ("refused", "This is a PDF document.")), 1):
        ImportItem.objects.create(
            batch=archive.batch, file_name=f"{number}.dcm", outcome=outcome, reason=said, number=number
        )
    return archive


def failed_message(admin: User) -> SentMessage:
    """One that a program left and that stopped in the middle; its films are still here."""
    return SentMessage.objects.create(
        batch=start_import(actor=admin, source=ImportBatch.Source.STOW),
        num_films=40,
        num_bytes=629_145_600,
        num_done=12,
        state=JobState.FAILED,
        error="The disk is full. 12 of 40 films are done, and stay so. Free some space, then try again: it "
        "goes on from here.",
    )


def failed_pull(admin: User) -> PacsPull:
    """From a PACS that broke in the middle; it can be tried again."""
    pull = PacsPull.objects.create(
        requested_by=admin,
        source="radiology-of-the-house-on-the-hill",
        state=PacsPull.State.FAILED,
        batch=start_import(actor=admin, source=ImportBatch.Source.PACS),
        error="The PACS did not give 1 study and 1 film. Try again: nothing else is fetched then.",
    )
    first, second = (
        StudyToPull.objects.create(
            pull=pull,
            number=number,
            study_uid=f"1.2.{number}",
            study_date=date(2026, 4, 17),
            modalities="CR, DX",
            num_told=2,
        )
        for number in (1, 1200)
    )
    first.is_listed = True
    first.save()
    second.problem = "The PACS answered with status 503."
    second.save()
    for place, (outcome, said) in enumerate((("accepted", ""), ("failed", second.problem)), 1):
        FilmToPull.objects.create(of=first, place=place, number=place, outcome=outcome, reason=said)
    return pull
