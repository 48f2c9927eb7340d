"""What becomes of a file: accepted, held, recognised or refused; stored whole or not at all."""

import os
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from PIL import Image
from pydicom import dcmread
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies import batches, holding, services
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, Study
from deepmedix_review.studies.selectors import film_path, picture_path
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.tasks import tend_films
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.studies import InstanceFactory, StudyFactory, receive, store_phantom, write_film

pytestmark = pytest.mark.django_db

Outcome = ImportItem.Outcome


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_a_plain_film_is_stored_once_and_its_rows_say_where(tmp_path: Path, film_folder: Path) -> None:
    item = receive(write_film(tmp_path / "film.dcm"))
    assert (item.outcome, item.reason) == (Outcome.ACCEPTED, "")
    film = item.instance
    assert film is not None
    assert film.study.state == Study.State.READY
    assert (film.rows, film.columns, film.bits_stored, film.series.modality) == (96, 96, 12, "DX")
    assert dcmread(film_path(film)).SOPInstanceUID == film.sop_instance_uid
    assert Image.open(picture_path(film)).size == (96, 96)
    assert len(_files(film_folder)) == 2
    event = AuditEvent.objects.get()
    assert (event.action, event.details) == (
        "receive_film",
        {
            "outcome": "accepted",
            "study": str(film.study.uid),
            "state": "ready",
            "profile": "keep-dates-shifted",
        },
    )


def test_the_same_picture_is_recognised_under_other_names(tmp_path: Path, film_folder: Path) -> None:
    first = receive(write_film(tmp_path / "film.dcm"))
    stored = _files(film_folder)
    again = receive(
        write_film(
            tmp_path / "again.dcm",
            SOPInstanceUID="1.2.3",
            StudyInstanceUID="1.2",
            PatientID=None,
            PatientName=None,
        )
    )
    assert again.outcome == Outcome.DUPLICATE
    assert again.instance == first.instance
    assert first.instance is not None
    label = first.instance.study.label
    assert again.reason == f"The same picture is stored already as {label}."
    assert receive(film_path(first.instance)).outcome == Outcome.DUPLICATE
    assert _files(film_folder) == stored
    assert Study.objects.count() == 1


@pytest.mark.parametrize("others", [{}, {"StudyInstanceUID": "1.2", "SOPInstanceUID": "1.2.3"}])
def test_the_same_picture_of_another_patient_is_held_and_the_patient_named_first(
    tmp_path: Path, others: dict[str, Any]
) -> None:
    first = receive(write_film(tmp_path / "film.dcm", PatientID="one")).instance
    mixed_up = write_film(tmp_path / "again.dcm", PatientID="other", **others)
    again = receive(mixed_up)
    assert first
    assert again.instance
    held, used = again.instance.study, first.study
    assert (again.outcome, held.held_reasons) == (Outcome.HELD, [again.reason])
    assert again.reason == (
        f"The same picture is stored as {used.label} of another patient ({used.patient_pseudonym} there, "
        f"{held.patient_pseudonym} here). Reject one of the two."
    )
    assert receive(mixed_up).outcome == Outcome.DUPLICATE
    third = receive(write_film(tmp_path / "third.dcm", PatientID="third", ViewPosition="AP"))
    assert re.search(
        r" of another patient \(.*\) and with other tags \(view PA there, AP here\)\.", third.reason
    )
    for state in (Study.State.READY, Study.State.UNSEEN):
        Study.objects.filter(pk=used.pk).update(state=state)
        with pytest.raises(RefusedByRule, match=f"in use as {used.label}"):
            holding.decide_held(held, accept=True, has_looked=True, actor=AdminFactory.create())


@pytest.mark.parametrize("odd_first", [True, False])
def test_the_same_picture_with_other_tags_is_held_whichever_came_first(
    tmp_path: Path, odd_first: bool
) -> None:
    """As in the shared films: chest pixels that are also tagged CT or RIBCAGE."""
    plain = write_film(tmp_path / "plain.dcm")
    odd = write_film(tmp_path / "odd.dcm", BodyPartExamined="RIBCAGE")
    items = [receive(path) for path in ((odd, plain) if odd_first else (plain, odd))]
    assert [item.outcome for item in items] == [Outcome.HELD if odd_first else Outcome.ACCEPTED, Outcome.HELD]
    assert "stored as S-" in items[1].reason
    studies = [item.instance.study for item in items if item.instance]
    assert studies[0] != studies[1]
    admin = AdminFactory.create()
    if odd_first:
        holding.decide_held(studies[0], accept=False, actor=admin)
        assert (
            holding.decide_held(studies[1], accept=True, has_looked=True, actor=admin).state
            == Study.State.READY
        )
    else:
        with pytest.raises(RefusedByRule, match="in use as S-"):
            holding.decide_held(studies[1], accept=True, has_looked=True, actor=admin)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"Modality": "CT"}, "Its modality is CT"),
        ({"BodyPartExamined": "RIBCAGE"}, "Its body part is RIBCAGE, not CHEST."),
        (
            {
                "BodyPartExamined": None,
                "StudyDescription": None,
                "SeriesDescription": None,
                "ProtocolName": None,
            },
            "Its header names no body part.",
        ),
        ({"ViewPosition": "SWIMMERS"}, "Its view is SWIMMERS"),
        ({"PatientSpeciesDescription": "Canis lupus"}, "Its header speaks of an animal."),
        ({"InstitutionName": "Veterinary clinic"}, "Its header speaks of an animal (veterinary)."),
        ({"BurnedInAnnotation": "YES"}, "text is burned into the picture"),
        ({"PatientOrientation": ["R", "F"]}, "stored mirrored"),
        (
            {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
            "greys look reversed",
        ),
        ({"PresentationLUTShape": "INVERSE"}, "contradicts itself on what is white (MONOCHROME2, INVERSE)"),
        ({"PixelAspectRatio": [1, 2]}, "pixels are not square"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "raw data of the detector"),
    ],
)
def test_an_odd_film_is_held_with_the_reason(tmp_path: Path, attributes: dict[str, Any], reason: str) -> None:
    item = receive(write_film(tmp_path / "film.dcm", size=128, **attributes))
    assert item.outcome == Outcome.HELD
    assert reason in item.reason
    assert item.instance is not None
    assert item.instance.study.held_reasons == [item.reason]


def test_a_film_of_several_frames_is_held_and_can_not_be_accepted(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.dcm")
    dataset = dcmread(path)
    dataset.PixelData, dataset.NumberOfFrames = dataset.PixelData * 3, 3
    dataset.save_as(path)
    item = receive(path)
    assert item.instance is not None
    assert (item.outcome, item.instance.num_frames) == (Outcome.HELD, 3)
    with pytest.raises(RefusedByRule, match="one film is one picture"):
        holding.decide_held(item.instance.study, accept=True, has_looked=True, actor=AdminFactory.create())


def test_films_of_one_study_stay_together_and_an_odd_one_stands_apart(tmp_path: Path) -> None:
    together: dict[str, Any] = {"StudyInstanceUID": "1.2.3", "PatientID": "P"}
    first = receive(write_film(tmp_path / "1.dcm", seed=1, **together)).instance
    second = receive(write_film(tmp_path / "2.dcm", seed=2, **together)).instance
    odd = receive(write_film(tmp_path / "3.dcm", seed=4, Modality="CT", **together)).instance
    other = receive(write_film(tmp_path / "4.dcm", seed=6, StudyInstanceUID="1.2.3", PatientID="Q"))
    assert first
    assert second
    assert odd
    assert first.study == second.study
    assert odd.study != first.study
    assert first.study.state == Study.State.READY
    assert odd.study.state == Study.State.HELD
    assert (other.outcome, "of another patient" in other.reason) == (Outcome.HELD, True)


def test_another_picture_under_a_used_uid_is_held_beside_it(tmp_path: Path) -> None:
    receive(write_film(tmp_path / "1.dcm", seed=1, SOPInstanceUID="1.2.3.4"))
    item = receive(write_film(tmp_path / "2.dcm", seed=2, SOPInstanceUID="1.2.3.4"))
    assert item.outcome == Outcome.HELD
    assert "same SOP Instance UID" in item.reason
    assert Instance.objects.count() == 2


def test_a_refused_file_leaves_its_reason_and_nothing_else(tmp_path: Path, film_folder: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a film " * 50)
    item = receive(path)
    assert (item.outcome, item.instance) == (Outcome.REFUSED, None)
    assert item.reason.startswith("This is neither a DICOM file nor a picture")
    assert _files(film_folder.parent) == [Path("notes.txt")]


def test_a_file_name_is_shown_without_its_folder_and_without_tricks() -> None:
    batch = ImportBatch.objects.create(source=ImportBatch.Source.UPLOAD)
    empty = Path(os.devnull)
    names = ["../../etc/passwd", "C:\\films\\a.dcm", "a\u202eb\n.dcm", "", "x" * 500]
    shown = [services.shown_name(name) for name in names]
    assert shown == ["passwd", "a.dcm", "a?b?.dcm", "unnamed", "x" * 255]
    item = services.receive_instance(empty, batch=batch, file_name="<img src=x>", actor=None)
    assert item.reason == "The file is empty."


def test_a_crash_before_the_commit_leaves_a_whole_file_that_is_used_again(
    tmp_path: Path, film_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "film.dcm")

    def crash(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(services, "record_event", crash)
        with pytest.raises(KeyboardInterrupt):
            receive(path)
    assert Study.objects.count() == 0
    orphan = _files(film_folder)
    assert receive(path).outcome == Outcome.ACCEPTED
    assert _files(film_folder) == orphan
    assert _files(film_folder.parent / "uploads") == []


def test_a_picture_that_can_not_be_written_leaves_no_row_and_no_half_file(
    tmp_path: Path, film_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deepmedix_review.studies.storage.sync", full)
    with pytest.raises(OSError, match="No space left"):
        receive(write_film(tmp_path / "film.dcm"))
    assert Study.objects.count() == 0
    assert [path for path in _files(film_folder) if path.suffix == ".dcm"] == []


def test_films_leave_the_database_room_on_the_disk(
    tmp_path: Path, film_folder: Path, settings: Settings
) -> None:
    path = write_film(tmp_path / "film.dcm")
    settings.SPARE_DISK_BYTES = shutil.disk_usage(film_folder).total + 1
    with pytest.raises(OSError, match="No space left") as full:
        receive(path)
    assert is_disk_full(full.value)
    assert Study.objects.count() == 0
    assert _files(film_folder) == []
    settings.SPARE_DISK_BYTES = 0
    assert receive(path).outcome == Outcome.ACCEPTED


@pytest.mark.parametrize(
    "sweep",
    [tend_films, lambda: batches.start_import(actor=None, source=ImportBatch.Source.COMMAND)],
    ids=["by the beat", "by the next import"],
)
def test_what_a_killed_process_left_goes_an_hour_after_it_was_last_written_to(
    film_folder: Path, sweep: Callable[[], object]
) -> None:
    uploads, two_hours_ago = film_folder.parent / "uploads", time.time() - 2 * 3600
    for folder in (film_folder / "incoming", uploads / "decoding-old", uploads / "sent-growing"):
        folder.mkdir()
    old = (film_folder / "incoming" / "old", uploads / "decoding-old" / "film.json", uploads / "old.dcm")
    growing, young = uploads / "sent-growing" / "1", uploads / "young.dcm"
    for path in (*old, growing, young):
        path.touch()
    for path in (*old, uploads / "decoding-old", uploads / "sent-growing"):
        os.utime(path, (two_hours_ago, two_hours_ago))
    sweep()
    assert {film_folder.parent / name for name in _files(film_folder.parent)} == {growing, young}


def test_patients_whose_numbers_differ_in_case_alone_are_two(tmp_path: Path) -> None:
    for number, patient in enumerate(("abc", "ABC", "abc")):
        receive(write_film(tmp_path / "film.dcm", seed=number, PatientID=patient))
    pseudonyms = list(Study.objects.order_by("pk").values_list("patient_pseudonym", flat=True))
    assert pseudonyms[0] == pseudonyms[2] != pseudonyms[1]


def test_a_held_study_is_decided_on_by_an_admin_alone_and_can_be_decided_again() -> None:
    study = StudyFactory.create(state=Study.State.HELD, held_reasons=["odd"])
    with pytest.raises(NotYours):
        holding.decide_held(study, accept=True, has_looked=True, actor=ExpertFactory.create())
    admin = AdminFactory.create()
    assert holding.decide_held(study, accept=False, actor=admin).state == Study.State.REJECTED
    assert holding.decide_held(study, accept=True, has_looked=True, actor=admin).state == Study.State.READY
    with pytest.raises(RefusedByRule, match="in use already"):
        holding.decide_held(study, accept=False, actor=admin)
    actions = list(AuditEvent.objects.values_list("action", flat=True))
    assert actions == ["reject_study", "accept_study"]
    assert check_chain().broken_at is None


def test_the_database_keeps_one_first_film_per_picture() -> None:
    first = InstanceFactory.create()
    with pytest.raises(IntegrityError, match="a_picture_is_stored_once"), transaction.atomic():
        InstanceFactory.create(pixel_sha256=first.pixel_sha256)
    assert InstanceFactory.create(pixel_sha256=first.pixel_sha256, copy_of=first).copy_of == first


def test_a_phantom_of_the_demo_is_marked_as_of_nobody() -> None:
    assert store_phantom().study.is_phantom


@pytest.mark.django_db(transaction=True)
def test_one_film_sent_four_times_at_once_is_stored_once(tmp_path: Path, film_folder: Path) -> None:
    path = write_film(tmp_path / "film.dcm")

    def send(_: int) -> str:
        try:
            return str(receive(path).outcome)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as senders:
        outcomes = sorted(senders.map(send, range(4)))
    assert outcomes == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert Instance.objects.count() == 1
    assert len(_files(film_folder)) == 2


def test_every_shared_film_comes_in_or_is_held_with_a_reason(shared_data: Path) -> None:
    expected = {
        "dog_thorax.dcm": (Outcome.HELD, "animal"),
        "fuji_portable_synthetic_phi.dcm": (Outcome.ACCEPTED, ""),
        "nih_1.dcm": (Outcome.ACCEPTED, ""),
        "nih_2.dcm": (Outcome.ACCEPTED, ""),
        "nih_body_part_ribcage.dcm": (Outcome.HELD, "RIBCAGE"),
        "nih_modality_ct.dcm": (Outcome.HELD, "CT"),
        "philips_cr_monochrome1_j2k.dcm": (Outcome.ACCEPTED, ""),
    }
    for name, (outcome, reason) in expected.items():
        item = receive(shared_data / "dicom" / name)
        assert (item.outcome, reason in item.reason) == (outcome, True), f"{name}: {item.reason}"
        assert item.instance is not None
        stored = film_path(item.instance).read_bytes()[:4000].upper()
        for identifier in (b"DAVIDSON", b"292821506", b"SCOTT COMMUNITY", b"9RG1", b"DOG^", b"HAMBURG"):
            assert identifier not in stored, name
    views = Instance.objects.order_by("pk").values_list("view_position", flat=True)
    assert list(views)[2:4] == ["PA", "AP"]


def test_a_picture_as_png_is_a_duplicate_of_the_same_pixels_as_dicom(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.dcm")
    dataset = dcmread(path)
    grey = (dataset.pixel_array >> 4).astype(np.uint8)
    dataset.PixelData, dataset["PixelData"].VR = grey.tobytes(), "OB"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.save_as(path)
    Image.fromarray(grey).save(tmp_path / "film.png")
    assert receive(tmp_path / "film.png").outcome == Outcome.ACCEPTED
    assert receive(path).outcome == Outcome.DUPLICATE
