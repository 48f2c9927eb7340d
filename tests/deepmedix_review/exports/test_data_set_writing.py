"""Whatever stops the writing of a data set, none leaves that is half or holds what was withdrawn."""

from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.exports import sharing as writing
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.tasks import write_claimed, write_export
from deepmedix_review.feedback.datasets import sharing
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.studies.models import Instance, Study
from rl_feedback.hugging_face import show_film
from tests.deepmedix_review.exports.a_data_set import asked_for, done, ended
from tests.deepmedix_review.exports.an_export import archive_of

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The worker's process is gone."""


def test_a_worker_that_takes_it_up_again_keeps_whole_parts_and_gives_the_same_bytes(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "FILMS_PER_PART", 1)
    expected = archive_of(done(dataset))
    export = asked_for(dataset)
    shown = 0

    def die_at_the_third(*args: Any, **named: Any) -> Any:
        nonlocal shown
        shown += 1
        if shown == 3:
            raise Killed
        return show_film(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "show_film", die_at_the_third)
        with pytest.raises(Killed):
            write_claimed(export)
    export.refresh_from_db()
    whole = {one.name for one in export.written}
    assert whole
    # One of them is damaged meanwhile: its part is written again.
    damaged = sorted(whole)[0]
    (parts_folder(export) / damaged).write_bytes(b"half")
    Export.objects.filter(pk=export.pk).update(lease_expires_at="2001-01-01T00:00Z")
    assert export.pk in jobs.requeue_expired(Export)
    write_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempt) == (JobState.DONE, 2), export.error
    ending = Path(damaged).name
    assert {one.name for one in export.written if one.attempt == 1} == {
        name for name in whole if not name.endswith(ending)
    }
    assert {one.name for one in export.written if one.attempt == 1}
    assert archive_of(export) == expected
    assert (export.num_done, export.num_total) == (ANY, export.num_done)


def test_a_film_that_is_withdrawn_while_it_is_written_is_in_no_file(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn = Study.objects.filter(pk__in=dataset.pairs.values("completion__study")).earliest("pk")

    def withdraw_once(*args: Any, **named: Any) -> Any:
        Study.objects.filter(pk=withdrawn.pk).update(state=Study.State.REJECTED)
        return show_film(*args, **named)

    monkeypatch.setattr(writing, "show_film", withdraw_once)
    export = done(dataset)
    assert [one["reason"] for one in export.left_out] == [
        "pairs and labels of films that are held, unseen or rejected now"
    ]
    monkeypatch.undo()
    assert archive_of(done(dataset)) == archive_of(export)


def test_text_that_is_overwritten_while_it_is_written_is_in_no_picture(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = dataset.pairs.earliest("pk").completion.instance_id
    shown: list[str] = []

    def show(*args: Any, **named: Any) -> Any:
        shown.append(named["name"])
        return show_film(*args, **named)

    def overwrite(*args: Any, **named: Any) -> Any:
        Instance.objects.filter(pk=film).update(file_sha256="0" * 64)
        return show(*args, **named)

    monkeypatch.setattr(writing, "show_film", show)
    expected, once = archive_of(done(dataset)), list(shown)
    shown.clear()
    monkeypatch.setattr(writing, "show_film", overwrite)
    # Its file is the same here: what shows is that all films were looked at anew.
    assert archive_of(done(dataset)) == expected
    assert shown == [*once, *once]


def test_what_goes_wrong_is_said_and_leaves_nothing(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked_for(dataset)

    def cancel(*args: Any, **named: Any) -> Any:
        Export.objects.filter(pk=export.pk).update(cancel_requested=True)
        return show_film(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "show_film", cancel)
        assert ended(export).state == JobState.CANCELLED
    films = [settings.FILM_FOLDER / path for path in Instance.objects.values_list("file_path", flat=True)]
    lost = [path.rename(path.with_suffix(".lost")) for path in films]
    failed = ended(asked_for(dataset))
    assert (failed.state, failed.error) == (
        JobState.FAILED,
        "A film of the data set is missing or can't be read. Restore it, then ask again.",
    )
    for path in lost:
        path.rename(path.with_suffix(".dcm"))
    for one in (export, failed):
        assert not archive_path(one).exists()
        assert not parts_folder(one).exists()
