"""Text on a film is overwritten for good: who may, what becomes of the study, and nothing of it is left."""

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from pydicom import dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.holding import decide_held
from deepmedix_review.studies.looking.services import report_name, tick_name
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.services import queue_masking
from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path, picture_path
from deepmedix_review.studies.tasks import run_masking
from tests.deepmedix_review.studies.masking.a_masking import (
    BOXES,
    ask,
    codestream,
    files_with,
    film_with_text,
    masked,
    state_of,
)
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory, receive, store_phantom, write_film

pytestmark = pytest.mark.django_db


def test_the_film_is_let_in_and_its_original_is_nowhere_under_the_storage(
    admin: User, film: Instance, film_folder: Path
) -> None:
    uploads = film_folder.parent / "uploads"
    old, picture, pixels = film_path(film), picture_path(film).read_bytes(), codestream(film)
    digests, bands = (film.pixel_sha256, film.file_sha256), film.picture_bands
    assert files_with(pixels, film_folder) == [old]
    masking = masked(film, admin)
    assert (masking.state, masking.outcome, masking.is_original_deleted) == ("done", "", True)
    assert state_of(film) == Study.State.READY
    assert Study.objects.get().looked_by == admin
    for folder in (film_folder, uploads):
        assert files_with(pixels, folder) == files_with(picture, folder) == []
    kept = {path for path in film_folder.rglob("*") if path.is_file()}
    assert kept == {film_path(film), picture_path(film)}
    assert not any(digest in path.name for digest in digests for path in kept)
    assert film.pixel_sha256 not in digests
    assert film.file_sha256 not in digests
    assert film.file_bytes == film_path(film).stat().st_size
    assert film.picture_bands != bands
    assert [*uploads.iterdir()] == []


def test_who_and_how_many_boxes_are_kept_and_never_where_or_what(admin: User, film: Instance) -> None:
    masked(film, admin)
    study = str(film.study.uid)
    events = AuditEvent.objects.filter(actor=admin).order_by("sequence")
    assert [(event.action, event.details) for event in events] == [
        ("hold_study", {}),
        ("request_masking", {"boxes": 3, "accept": True, "study": study}),
        ("accept_study", {"masking": str(TextMasking.objects.get().uid)}),
        ("mask_text", {"boxes": 3, "study": study}),
    ]


def test_only_admins_mask_and_only_with_their_word(admin: User, film: Instance) -> None:
    for other in (ExpertFactory.create(), ResearcherFactory.create()):
        with pytest.raises(NotYours):
            ask(film, other)
    with pytest.raises(RefusedByRule, match="look at all of its films"):
        queue_masking(film, boxes=BOXES, accept=True, has_looked=False, actor=admin)
    with pytest.raises(RefusedByRule, match="Box 1 reaches outside"):
        ask(film, admin, boxes=(Box(0, 0, 97, 5),))
    assert not TextMasking.objects.exists()
    assert state_of(film) == Study.State.UNSEEN


def test_a_film_that_was_erased_meanwhile_is_told_of_and_one_that_waits_goes_with_its_study(
    admin: User, film: Instance
) -> None:
    masking = ask(film, admin)
    film.study.delete()
    with pytest.raises(RefusedByRule, match="its study was erased"):
        ask(film, admin)
    run_masking(masking.pk)
    assert not TextMasking.objects.exists()


def test_while_it_waits_nobody_lets_the_study_in_and_nobody_else_masks(admin: User, film: Instance) -> None:
    ask(film, admin)
    assert state_of(film) == Study.State.HELD
    colleague = AdminFactory.create()
    with pytest.raises(RefusedByRule, match="is being overwritten"):
        decide_held(film.study, accept=True, has_looked=True, actor=colleague)
    with pytest.raises(RefusedByRule, match="being overwritten already"):
        ask(film, colleague)
    with pytest.raises(IntegrityError, match="text_on_a_film_is_masked_once"):
        TextMasking.objects.create(
            film=film, requested_by=colleague, boxes=[], is_to_accept=False, newest_film=film.pk
        )


def test_decided_on_later_the_study_stays_held(admin: User, film: Instance) -> None:
    masked(film, admin, accept=False)
    assert state_of(film) == Study.State.HELD
    assert decide_held(film.study, accept=True, has_looked=True, actor=admin).state == Study.State.READY


def test_a_study_rejected_meanwhile_stays_so_and_its_film_is_masked_all_the_same(
    admin: User, film: Instance
) -> None:
    masking = ask(film, admin)
    decide_held(film.study, accept=False, actor=admin)
    run_masking(masking.pk)
    masking.refresh_from_db()
    assert (masking.state, masking.outcome) == ("done", "The study was rejected meanwhile, and stays so.")
    assert state_of(film) == Study.State.REJECTED


def test_a_film_that_came_meanwhile_is_not_let_in_with_it(admin: User, film: Instance) -> None:
    masking = ask(film, admin)
    InstanceFactory.create(series=film.series)
    run_masking(masking.pk)
    masking.refresh_from_db()
    assert "Another film came to it" in masking.outcome
    assert state_of(film) == Study.State.HELD
    assert masking.outcome in Study.objects.get().held_reasons


def test_what_a_reader_saw_meanwhile_is_looked_at_first(admin: User, film: Instance) -> None:
    masking = ask(film, admin)
    report_name(film=film, reader=ExpertFactory.create(), change_id=masking.uid)
    run_masking(masking.pk)
    masking.refresh_from_db()
    assert "A reader reported a name" in masking.outcome
    assert state_of(film) == Study.State.HELD


def test_a_ticked_or_reported_study_comes_back_into_use(admin: User, film: Instance) -> None:
    tick_name(film.study, is_seen=True, actor=admin)
    masked(film, admin)
    assert state_of(film) == Study.State.READY
    reader = ExpertFactory.create()
    report_name(film=film, reader=reader, change_id=film.uid)
    assert state_of(film) == Study.State.UNSEEN
    masked(film, admin, boxes=(Box(0, 30, 20, 40),))
    assert state_of(film) == Study.State.READY
    assert not film.sightings.filter(looked_at=None).exists()


def test_two_films_of_a_study_are_let_in_with_the_last(admin: User, tmp_path: Path) -> None:
    together: dict[str, Any] = {"StudyInstanceUID": "1.2.3", "PatientID": "P"}
    films = [film_with_text(tmp_path / f"{seed}.dcm", seed=seed, **together) for seed in (1, 2)]
    asked = [ask(film, admin) for film in films]
    run_masking(asked[0].pk)
    assert Study.objects.get().state == Study.State.HELD
    run_masking(asked[1].pk)
    assert Study.objects.get().state == Study.State.READY


def test_a_film_in_use_is_out_of_use_until_it_is_done(admin: User) -> None:
    film = store_phantom()
    masking = ask(film, admin)
    assert state_of(film) == Study.State.HELD
    run_masking(masking.pk)
    assert state_of(film) == Study.State.READY


@pytest.mark.parametrize("tags", [{}, {"ViewPosition": "AP", "PatientID": "other"}])
def test_the_original_is_known_when_it_comes_again(
    admin: User, film: Instance, tmp_path: Path, film_folder: Path, tags: dict[str, Any]
) -> None:
    pixels = codestream(film)
    masked(film, admin)
    again = receive(write_film(tmp_path / "again.dcm", BurnedInAnnotation=None, **tags))
    assert again.instance is not None
    if not tags:
        assert again.outcome == "duplicate"
        assert again.reason == (
            f"The same picture is stored already as {film.study.label}, where text on it was overwritten."
        )
        assert files_with(pixels, film_folder) == []
        assert Instance.objects.count() == 1
        return
    assert again.outcome == "held"
    assert "where text on it was overwritten. Reject one of the two." in again.reason
    assert again.instance.copy_of == film
    with pytest.raises(RefusedByRule, match="its picture is in use as"):
        decide_held(again.instance.study, accept=True, has_looked=True, actor=admin)


def test_two_films_that_become_one_picture_are_not_in_use_both(admin: User, tmp_path: Path) -> None:
    """They differed in their text alone."""
    films = []
    for number in (1, 2):
        path = write_film(
            tmp_path / f"{number}.dcm", BurnedInAnnotation=None, SOPInstanceUID=f"1.2.{number}",
            StudyInstanceUID=f"1.3.{number}", PatientID=str(number),
        )  # fmt: skip
        dataset = dcmread(path)
        pixels = dataset.pixel_array.copy()
        pixels[5:7, 5 : 10 + number] = 4000
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
        received = receive(path).instance
        assert received is not None
        films.append(received)
    first, second = films
    assert masked(first, admin).state == "done"
    masking = masked(second, admin, accept=False)
    assert (masking.state, masking.error) == ("done", "")
    assert first.pixel_sha256 == second.pixel_sha256
    assert second.copy_of == first
    assert state_of(second) == Study.State.HELD
    with pytest.raises(RefusedByRule, match="its picture is in use as"):
        decide_held(second.study, accept=True, has_looked=True, actor=admin)
