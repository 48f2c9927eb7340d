"""Overwriting that is cut short, cancelled or fails: the old film or the new one is whole, never half."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.masking import running
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.services import cancel_masking
from deepmedix_review.studies.models import Instance, MaskedPicture, Study, TextMasking
from deepmedix_review.studies.storage import film_path, picture_path, store_film
from deepmedix_review.studies.tasks import run_masking, tend_maskings
from tests.deepmedix_review.studies.masking.a_masking import (
    ask,
    inside,
    masked,
    state_of,
    values,
)
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db


def test_a_damaged_or_missing_file_changes_nothing(admin: User, film: Instance) -> None:
    whole = film_path(film).read_bytes()
    film_path(film).write_bytes(whole[:-2000])
    masking = masked(film, admin)
    assert masking.state == "failed"
    assert masking.error.startswith("Nothing was overwritten: the film can't be read.")
    film_path(film).unlink()
    assert "missing or can't be read" in masked(film, admin).error
    other = store_phantom(seed=2)
    film_path(film).write_bytes(film_path(other).read_bytes())
    assert "holds another picture than the one that came in" in masked(film, admin).error
    assert state_of(film) == Study.State.HELD
    film_path(film).write_bytes(whole)
    assert masked(film, admin).state == "done"


def test_a_full_disk_leaves_the_original(
    admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch, film_folder: Path
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = {path for path in film_folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("os.fsync", full)
    masking = masked(film, admin)
    assert (masking.state, masking.error[:41]) == ("failed", "The disk is full, so nothing was overwrit")
    monkeypatch.undo()
    tend_maskings()
    assert {path for path in film_folder.rglob("*.*") if path.is_file()} == before
    assert masked(film, admin).state == "done"


class Killed(BaseException):
    """Nothing behind it in the code runs: as after kill -9."""


def lose_worker(masking: TextMasking) -> None:
    TextMasking.objects.filter(pk=masking.pk).update(lease_expires_at=timezone.now())


@pytest.mark.parametrize("place", ["replace_film", "_delete_left", "store_film", "write_cleaned_film"])
def test_a_worker_killed_anywhere_leaves_the_old_or_the_new_whole_and_it_goes_on_by_itself(
    admin: User, film: Instance, place: str, monkeypatch: pytest.MonkeyPatch, film_folder: Path
) -> None:
    before, where = values(film), inside((96, 96))

    def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    masking = ask(film, admin)
    with monkeypatch.context() as patched:
        patched.setattr(running, place, killed)
        with pytest.raises(Killed):
            run_masking(masking.pk)
    film.refresh_from_db()
    now = values(film)
    assert np.array_equal(now[~where], before[~where])
    is_replaced = place == "_delete_left"
    assert np.array_equal(now, before) is not is_replaced
    assert (state_of(film) == Study.State.READY) is is_replaced
    lose_worker(masking)
    # The sweep queues it again, and calls a worker.
    monkeypatch.setattr(run_masking, "apply_async", lambda args, **options: run_masking(*args))
    tend_maskings()
    film.refresh_from_db()
    masking.refresh_from_db()
    assert (masking.state, masking.is_original_deleted) == ("done", True)
    assert len(set(values(film)[where])) == 1
    assert state_of(film) == Study.State.READY
    kept = {path for path in film_folder.rglob("*") if path.is_file() and path.parent.name != "incoming"}
    assert kept == {film_path(film), picture_path(film)}


def test_what_a_masking_wrote_that_never_ended_is_deleted(
    admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch, film_folder: Path
) -> None:
    old = film_path(film)

    def lost(*args: Any, **kwargs: Any) -> None:
        raise RefusedByRule("For a reason of its own.")

    with monkeypatch.context() as patched:
        patched.setattr(running, "replace_film", lost)
        masking = masked(film, admin)
    assert (masking.state, masking.error) == ("failed", "For a reason of its own.")
    assert (film_folder / masking.written_path).exists()
    # Asked for once more it writes the same file, which the sweep must not take.
    ask(film, admin)
    again = TextMasking.objects.get(state="queued")
    run_masking(again.pk)
    tend_maskings()
    film.refresh_from_db()
    assert film_path(film).exists()
    assert not old.exists()
    with monkeypatch.context() as patched:
        patched.setattr(running, "replace_film", lost)
        masking = masked(film, admin, boxes=(Box(1, 60, 20, 70),))
    assert (film_folder / masking.written_path).exists()
    tend_maskings()
    assert not (film_folder / masking.written_path).exists()
    assert set(film_folder.rglob("*.dcm")) == {film_path(film)}


def test_one_that_failed_while_it_wrote_the_film_s_own_file_again_takes_nothing_with_it(
    admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*args: Any, **kwargs: Any) -> None:
        raise RefusedByRule("For a reason of its own.")

    masked(film, admin)
    with monkeypatch.context() as patched:
        patched.setattr(running, "replace_film", lost)
        masking = masked(film, admin)
    assert (masking.state, masking.written_path) == ("failed", film.file_path)
    tend_maskings()
    assert film_path(film).exists()
    assert picture_path(film).exists()


def test_a_masking_is_cancelled_before_the_film_is_replaced(
    admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = film.file_sha256
    masking = ask(film, admin)
    cancel_masking(masking, actor=admin)
    run_masking(masking.pk)
    masking.refresh_from_db()
    assert masking.state == "cancelled"
    running_one = ask(film, admin)
    real = decode_film

    def cancelled_meanwhile(*args: Any, **kwargs: Any) -> Any:
        cancel_masking(running_one, actor=admin)
        return real(*args, **kwargs)

    monkeypatch.setattr(running, "decode_film", cancelled_meanwhile)
    run_masking(running_one.pk)
    running_one.refresh_from_db()
    film.refresh_from_db()
    assert (running_one.state, film.file_sha256) == ("cancelled", old)
    with pytest.raises(RefusedByRule, match="too late to cancel"):
        cancel_masking(running_one, actor=admin)


def test_boxes_over_nothing_but_background_keep_the_picture(admin: User, film: Instance) -> None:
    masked(film, admin)
    before = film.file_sha256
    masking = masked(film, admin)
    assert (masking.state, masking.original_path) == ("done", "")
    assert film.file_sha256 == before
    assert film_path(film).exists()
    assert MaskedPicture.objects.count() == 1


def test_a_lost_lease_writes_nothing(admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    old = film.file_sha256
    masking = ask(film, admin)
    real = store_film

    def slow(*args: Any, **kwargs: Any) -> Any:
        stored = real(*args, **kwargs)
        lose_worker(masking)
        jobs.requeue_expired(TextMasking)
        return stored

    monkeypatch.setattr(running, "store_film", slow)
    run_masking(masking.pk)
    film.refresh_from_db()
    masking.refresh_from_db()
    assert (masking.state, film.file_sha256) == ("queued", old)


def test_an_original_that_can_t_be_deleted_goes_with_the_next_sweep(
    admin: User, film: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = film_path(film)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _unlink_none_of(old))
        masking = masked(film, admin)
    assert (masking.state, masking.is_original_deleted, old.exists()) == ("done", False, True)
    tend_maskings()
    masking.refresh_from_db()
    assert (masking.is_original_deleted, old.exists()) == (True, False)


def _unlink_none_of(kept: Path) -> Any:
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path == kept:
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, missing_ok=missing_ok)

    return unlink
