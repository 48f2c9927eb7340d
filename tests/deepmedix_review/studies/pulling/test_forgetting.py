"""What a PACS calls a study stays no longer than it is needed, and whose it is stands nowhere."""

import logging
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies import tasks
from deepmedix_review.studies.models import FilmToPull, ImportItem, PacsPull, StudyToPull
from deepmedix_review.studies.pulling import pulls
from tests.deepmedix_review.studies.pulling.a_pacs import PATIENT, TOKEN, Pacs, name_source
from tests.deepmedix_review.studies.pulling.a_pull import ALL, found, names_kept, run, started
from tests.factories.accounts import AdminFactory

pytestmark = pytest.mark.django_db


def test_one_that_is_left_forgets_what_the_pacs_calls_its_studies(pacs: Pacs) -> None:
    pull = started()
    with pytest.raises(RefusedByRule, match="Cancel it first"):
        pulls.give_up_pull(pull, actor=AdminFactory.create())
    pacs.answer = 500
    run(pull)
    assert "1.2.3" in names_kept(pull)
    pulls.give_up_pull(pull, actor=AdminFactory.create())
    assert (pull.state, pull.may_be_tried_again, names_kept(pull)) == (JobState.FAILED, False, "")


def test_what_nothing_comes_of_is_forgotten_in_time(pacs: Pacs, settings: Settings) -> None:
    new, old, failed = found(), found(), started()
    PacsPull.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - pulls.CHOSEN_WITHIN - timedelta(seconds=1)
    )
    pacs.answer = 500
    run(failed)
    # A worker died over it after somebody had cancelled it.
    cancelled = started_by_hand()
    pulls.tidy_pulls()
    assert set(PacsPull.objects.all()) == {new, failed, cancelled}
    assert names_kept(cancelled) == ""
    assert names_kept(failed) != ""
    settings.PULL_DAYS = 0
    pulls.tidy_pulls()
    assert (names_kept(failed), "1.2.3" in names_kept(new)) == ("", True)


def started_by_hand() -> PacsPull:
    pull = PacsPull.objects.create(requested_by=AdminFactory.create(), source="main", state="cancelled")
    StudyToPull.objects.create(pull=pull, number=1, study_uid="1.2.3")
    return pull


def test_whose_studies_they_are_stands_nowhere(pacs: Pacs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="root")
    pull = found(patient_id=PATIENT, accession="ACC-99", since=date(2026, 4, 17))
    tasks.start_pull(pull, numbers=ALL, actor=AdminFactory.create())
    pacs.faults["1.2.3.2.9"] = "cut"
    run(pull)
    pacs.answer = 503
    tasks.retry_pull(pull, actor=AdminFactory.create())
    run(pull)
    pulls.give_up_pull(pull, actor=AdminFactory.create())
    pull.refresh_from_db()
    written = caplog.text + pull.error
    for rows in (
        AuditEvent.objects.values_list("action", "details"),
        ImportItem.objects.values_list("file_name", "reason"),
        StudyToPull.objects.values_list("study_uid", "study_date", "problem", "modalities"),
        FilmToPull.objects.values_list("series_uid", "instance_uid", "reason"),
    ):
        written += str(list(rows))
    for secret in (PATIENT, "ACC-99", TOKEN, "1.2.3", "1.2.4", "2026-04-17", "20260417", "datetime.date"):
        assert secret not in written
    ended = AuditEvent.objects.filter(action="pull_from_pacs").order_by("sequence")
    assert [event.details["state"] for event in ended] == ["failed", "failed"]
    assert ended[0].details["accepted"] == 2


def test_a_pacs_that_is_away_leaves_no_address_in_the_log(
    pacs: Pacs, tmp_path: Any, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    pull = started()
    name_source(tmp_path, settings, 'url = "http://127.0.0.1:1/dicom-web"')
    run(pull)
    assert (pull.state, "can't be reached" in pull.error) == (JobState.FAILED, True)
    assert "1.2.3" not in caplog.text
