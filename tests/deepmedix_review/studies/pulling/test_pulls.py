"""A worker brings the ticked studies of a PACS in, each film once, whatever stops it in between."""

import errno
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from pydicom import dcmread
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies import tasks
from deepmedix_review.studies.models import FilmToPull, ImportBatch, ImportItem, Instance, PacsPull, Study
from deepmedix_review.studies.pulling import pulls, running
from deepmedix_review.studies.pulling.client import FilmAddress, PacsClient
from deepmedix_review.studies.pulling.sources import CannotPull
from deepmedix_review.studies.selectors import film_path
from deepmedix_review.studies.services import receive_sent
from deepmedix_review.studies.taking import NOT_TAKEN
from tests.deepmedix_review.studies.pulling.a_pacs import (
    PATIENT,
    TOKEN,
    Pacs,
    films_in,
    name_source,
    own_certificate,
)
from tests.deepmedix_review.studies.pulling.a_pacs import running as running_pacs
from tests.deepmedix_review.studies.pulling.a_pull import ALL, found, names_kept, run, started
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import receive

pytestmark = pytest.mark.django_db
FILMS = ["1.2.3.1.9", "1.2.3.2.9", "1.2.4.4.9"]


def outcomes(pull: PacsPull) -> list[tuple[int, int, str]]:
    """Study, film and outcome of each."""
    films = FilmToPull.objects.filter(of__pull=pull).order_by("of__number", "place")
    return list(films.values_list("of__number", "place", "outcome"))


def stops_at(uid: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The film with this UID raises; the answer takes that back."""
    fetch = PacsClient.fetch

    def stop(client: PacsClient, film: FilmAddress, folder: Any) -> Any:
        if film.instance == uid:
            raise error
        return fetch(client, film, folder)

    monkeypatch.setattr(PacsClient, "fetch", stop)
    return lambda: monkeypatch.setattr(PacsClient, "fetch", fetch)


def test_a_search_keeps_what_is_ticked_by_and_fetches_nothing(pacs: Pacs) -> None:
    pull = found(patient_id=PATIENT, modality="DX")
    assert pacs.searched[0]["PatientID"] == [PATIENT]
    first = pull.studies.get(number=1)
    assert (first.study_date, first.modalities, first.num_told) == (date(2026, 4, 17), "CT", None)
    assert (pull.state, pull.studies.count(), pacs.fetched) == ("choosing", 2, [])
    event = AuditEvent.objects.get(action="search_pacs")
    assert event.details == {
        "source": "main",
        "searched_by": ["ModalitiesInStudy", "PatientID"],
        "num_found": 2,
    }


def test_only_the_ticked_studies_come_in_and_what_the_pacs_calls_them_is_forgotten(pacs: Pacs) -> None:
    pull = started(numbers=(1,))
    assert pull.studies.count() == 1
    assert "1.2.3" in names_kept(pull)
    run(pull)
    assert (pull.state, pull.error, pull.is_kept) == (JobState.DONE, "", False)
    assert outcomes(pull) == [(1, 1, "accepted"), (1, 2, "accepted")]
    assert pacs.fetched == FILMS[:2]
    assert names_kept(pull) == ""
    assert pull.studies.get().study == Study.objects.get()
    assert pull.batch is not None
    assert pull.batch.source == ImportBatch.Source.PACS
    with pytest.raises(RefusedByRule, match="begun already"):
        tasks.start_pull(pull, numbers=ALL, actor=AdminFactory.create())


def test_a_pacs_over_tls_is_asked_where_its_certificate_is_of_a_named_authority(
    tmp_path: Path, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 3600
    certificate = own_certificate(tmp_path / "pacs.pem")
    with running_pacs(films_in(tmp_path), certificate=certificate) as pacs:
        told = f'url = "{pacs.url}"\ntoken = "{TOKEN}"'
        name_source(tmp_path, settings, told)
        with pytest.raises(CannotPull, match="of the PACS is not trusted"):
            found()
        assert pacs.searched == []
        name_source(tmp_path, settings, f'{told}\nca_file = "{certificate}"')
        assert run(started(numbers=(1,))).state == JobState.DONE
        assert pacs.fetched == FILMS[:2]


def test_films_of_a_pacs_come_in_by_the_profile_that_its_entry_names(
    pacs: Pacs, tmp_path: Path, settings: Settings
) -> None:
    run(started(numbers=(1,)))
    name_source(tmp_path, settings, f'url = "{pacs.url}"\ntoken = "{TOKEN}"\nprofile = "research"')
    run(started(numbers=(2,)))
    assert list(ImportBatch.objects.order_by("pk").values_list("profile", flat=True)) == [
        settings.DEIDENTIFICATION_PROFILE,
        "research",
    ]
    films = Instance.objects.order_by("pk")
    assert [bool(dcmread(film_path(one)).get("StudyDate")) for one in films] == [True, True, False]


def test_what_is_here_is_known_and_not_fetched(pacs: Pacs) -> None:
    run(started(numbers=(2,)))
    again = found()
    assert again.studies.get(number=2).study == Study.objects.get()
    assert again.studies.get(number=1).study is None
    tasks.start_pull(again, numbers=ALL, actor=AdminFactory.create())
    run(again)
    assert outcomes(again) == [(1, 1, "accepted"), (1, 2, "accepted"), (2, 1, "known")]
    assert sorted(pacs.fetched) == FILMS


def test_each_film_is_judged_as_if_it_came_by_itself(pacs: Pacs) -> None:
    # The same picture under other UIDs.
    receive(pacs.films["1.2.4.4.9"])
    Instance.objects.update(sop_instance_uid="2.25.1")
    pacs.faults["1.2.3.1.9"] = "junk"
    pull = started()
    run(pull)
    assert outcomes(pull) == [(1, 1, "refused"), (1, 2, "accepted"), (2, 1, "duplicate")]
    assert pull.state == JobState.DONE
    assert FilmToPull.objects.get(outcome="refused").reason != ""


def test_a_worker_that_dies_is_followed_by_one_that_repeats_nothing(
    pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = started()
    begin_again = stops_at("1.2.3.2.9", SystemExit(1), monkeypatch)
    with pytest.raises(SystemExit):
        run(pull)
    begin_again()
    pull.refresh_from_db()
    assert (pull.state, outcomes(pull)[0]) == (JobState.RUNNING, (1, 1, "accepted"))
    PacsPull.objects.update(lease_expires_at=pull.created_at)
    tasks.tend_pacs_pulls()
    run(pull)
    assert (pull.state, pull.attempt) == (JobState.DONE, 2)
    assert [outcome for *_, outcome in outcomes(pull)] == ["accepted"] * 3
    assert pacs.fetched == FILMS
    assert AuditEvent.objects.filter(action="receive_film").count() == 3


def test_a_film_that_was_judged_before_its_worker_could_tell_is_not_fetched_again(
    pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = started(numbers=(2,))
    judge = running._judge

    def dies(*_: Any, **__: Any) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(running, "_judge", dies)
    with pytest.raises(SystemExit):
        run(pull)
    monkeypatch.setattr(running, "_judge", judge)
    PacsPull.objects.update(lease_expires_at=pull.created_at)
    tasks.tend_pacs_pulls()
    run(pull)
    assert (pull.state, outcomes(pull)) == (JobState.DONE, [(2, 1, "accepted")])
    assert pacs.fetched == ["1.2.4.4.9"]
    assert ImportItem.objects.count() == 1


def test_a_worker_that_lost_the_pull_keeps_nothing_that_another_judged(
    pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = started(numbers=(2,))

    def late(path: Any, **how: Any) -> Any:
        receive_sent(path, **how)
        PacsPull.objects.filter(pk=pull.pk).update(attempt=2)
        return receive_sent(path, **how)

    monkeypatch.setattr(running, "receive_sent", late)
    run(pull)
    assert (pull.state, pull.attempt, outcomes(pull)) == (JobState.RUNNING, 2, [(2, 1, "waiting")])
    assert AuditEvent.objects.filter(action="receive_film").count() == 1


def test_a_pacs_that_breaks_in_the_middle_is_tried_again_from_there(pacs: Pacs) -> None:
    pacs.faults["1.2.3.2.9"] = "down"
    pull = run(started())
    assert pull.state == JobState.FAILED
    assert pull.error == (
        "The PACS did not give 1 study and 1 film. Try again: nothing else is fetched then."
    )
    assert outcomes(pull) == [(1, 1, "accepted"), (1, 2, "failed")]
    assert "status 503" in FilmToPull.objects.get(outcome="failed").reason
    assert "status 503" in pull.studies.get(number=2).problem
    assert pull.may_be_tried_again
    pacs.answer = 200
    pacs.faults.clear()
    tasks.retry_pull(pull, actor=AdminFactory.create())
    assert pull.state == JobState.QUEUED
    run(pull)
    assert (pull.state, pull.error) == (JobState.DONE, "")
    assert outcomes(pull) == [(1, 1, "accepted"), (1, 2, "accepted"), (2, 1, "accepted")]
    assert pacs.fetched == ["1.2.3.1.9", "1.2.3.2.9", "1.2.3.2.9", "1.2.4.4.9"]
    assert names_kept(pull) == ""
    with pytest.raises(RefusedByRule, match="Only what failed"):
        tasks.retry_pull(pull, actor=AdminFactory.create())


def test_a_pacs_that_is_down_is_not_asked_for_every_film(pacs: Pacs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_MISSES", 1)
    pacs.faults["1.2.3.1.9"] = "down"
    pull = run(started())
    assert (pull.state, "failed 1 times in a row" in pull.error) == (JobState.FAILED, True)
    assert outcomes(pull) == [(1, 1, "failed"), (1, 2, "waiting")]
    assert pacs.fetched == ["1.2.3.1.9"]


def test_a_pacs_that_refuses_the_account_ends_it_with_the_way_out(pacs: Pacs) -> None:
    pull = started()
    pacs.answer = 403
    run(pull)
    assert (pull.state, "refuses the account" in pull.error) == (JobState.FAILED, True)
    assert pull.may_be_tried_again


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, f"full: {PATIENT}"), "The disk is full."),
        (KeyError(f"1.2.3 of {PATIENT}"), "The platform failed (KeyError)."),
    ],
)
def test_what_the_platform_stumbles_over_is_said_without_its_words(
    pacs: Pacs,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    sentence: str,
) -> None:
    pull = started()
    works_again = stops_at("1.2.3.2.9", error, monkeypatch)
    run(pull)
    assert (pull.state, pull.error[: len(sentence)]) == (JobState.FAILED, sentence)
    assert PATIENT not in caplog.text
    assert "1.2.3" not in caplog.text
    works_again()
    tasks.retry_pull(pull, actor=AdminFactory.create())
    assert run(pull).state == JobState.DONE
    assert sorted(pacs.fetched) == FILMS


def test_a_film_that_the_platform_stumbles_over_stops_no_other(
    pacs: Pacs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumbles(path: Any, **how: Any) -> Any:
        if how["number"] == 1:
            raise ValueError(f"of {PATIENT}")
        return receive_sent(path, **how)

    monkeypatch.setattr(running, "receive_sent", stumbles)
    pull = run(started())
    assert pull.state == JobState.DONE
    assert outcomes(pull) == [(1, 1, "refused"), (1, 2, "accepted"), (2, 1, "accepted")]
    assert FilmToPull.objects.get(outcome="refused").reason == NOT_TAKEN
    assert "ValueError" in caplog.text
    assert PATIENT not in caplog.text


def test_a_cancelled_one_stops_and_what_is_in_stays(pacs: Pacs, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminFactory.create()
    pull = started(admin)
    fetch = PacsClient.fetch

    def cancelled_meanwhile(client: PacsClient, film: FilmAddress, folder: Any) -> Any:
        pulls.cancel_pull(PacsPull.objects.get(pk=pull.pk), actor=admin)
        return fetch(client, film, folder)

    monkeypatch.setattr(PacsClient, "fetch", cancelled_meanwhile)
    run(pull)
    assert (pull.state, pull.is_kept, names_kept(pull)) == (JobState.CANCELLED, False, "")
    assert outcomes(pull) == [(1, 1, "accepted"), (1, 2, "waiting")]
    assert Study.objects.count() == 1
    assert AuditEvent.objects.filter(action="cancel_pull", actor=admin).count() == 1


@pytest.mark.parametrize("begins", [False, True])
def test_one_that_waits_is_cancelled_at_once(pacs: Pacs, begins: bool) -> None:
    pull = started() if begins else found()
    pulls.cancel_pull(pull, actor=AdminFactory.create())
    assert (run(pull).state, names_kept(pull), pacs.fetched) == (JobState.CANCELLED, "", [])


def test_one_pull_has_its_turn_and_the_oldest_is_next(pacs: Pacs, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [started() for _ in range(3)]
    woken: list[int] = []
    monkeypatch.setattr(tasks.run_pacs_pull, "apply_async", lambda args, **_: woken.append(args[0]))
    first = jobs.claim_in_turn(PacsPull, job_id=waiting[1].pk)
    assert first
    assert run(waiting[0]).state == JobState.QUEUED
    tasks.tend_pacs_pulls()
    assert woken == []
    PacsPull.objects.filter(pk=first.pk).update(state=JobState.DONE)
    tasks.tend_pacs_pulls()
    assert woken == [waiting[0].pk]


def test_the_database_lets_none_begin_without_an_import() -> None:
    with pytest.raises(IntegrityError, match="a_pull_that_began_has_an_import"):
        PacsPull.objects.create(requested_by=AdminFactory.create(), source="main", state="queued")


@pytest.mark.parametrize(
    "asked",
    [{"patient_id": "MRN*"}, {"accession": "A\\B"}, {"since": date(2026, 2, 1), "until": date(2026, 1, 1)}],
)
def test_what_would_find_more_than_was_typed_is_not_asked(pacs: Pacs, asked: dict[str, Any]) -> None:
    with pytest.raises(CannotPull):
        found(**asked)
    assert pacs.searched == []


def test_who_may_not_import_does_nothing_with_a_pacs(pacs: Pacs) -> None:
    pull = found()
    for person in (ExpertFactory.create(), ResearcherFactory.create()):
        for act in (pulls.cancel_pull, pulls.retry_pull, pulls.give_up_pull):
            with pytest.raises(NotYours):
                act(pull, actor=person)
        with pytest.raises(NotYours):
            tasks.start_pull(pull, numbers=ALL, actor=person)
        with pytest.raises(NotYours):
            found(person)
    assert len(pacs.searched) == 1
