"""A real worker brings studies of a PACS in, is killed in the middle, and another goes on."""

import pytest
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.models import FilmToPull, ImportItem, PacsPull, Study
from deepmedix_review.studies.pulling import pulls
from deepmedix_review.studies.pulling.client import StudyQuery
from deepmedix_review.studies.tasks import start_pull
from tests.deepmedix_review.studies.pulling.a_pacs import TOKEN, Pacs, name_source
from tests.factories.accounts import AdminFactory
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_pull_whose_worker_is_killed_goes_on_and_fetches_nothing_twice(
    celery_workers: Workers, pacs: Pacs, settings: Settings
) -> None:
    name_source(celery_workers.home, settings, f'url = "{pacs.url}"\ntoken = "{TOKEN}"')
    admin = AdminFactory.create()
    pull = pulls.search_pacs("main", StudyQuery(), actor=admin)
    pacs.waits_at = "1.2.3.2.9"
    start_pull(pull, numbers=(1, 2), actor=admin)
    wait_until(lambda: pacs.waits_at in pacs.fetched, what="the second film is being fetched")
    celery_workers.kill("io")
    pull.refresh_from_db()
    assert pull.state == JobState.RUNNING
    assert FilmToPull.objects.filter(outcome="accepted").count() == 1
    pacs.goes_on.set()
    celery_workers.start("io")
    wait_until(lambda: PacsPull.objects.get(pk=pull.pk).is_final, what="the pull is taken up again")
    pull.refresh_from_db()
    assert (pull.state, pull.attempt, pull.is_kept) == (JobState.DONE, 2, False), pull.error
    assert list(FilmToPull.objects.values_list("outcome", flat=True)) == ["accepted"] * 3
    assert pacs.fetched == ["1.2.3.1.9", "1.2.3.2.9", "1.2.3.2.9", "1.2.4.4.9"]
    assert (ImportItem.objects.count(), Study.objects.count()) == (3, 2)
    assert AuditEvent.objects.filter(action="receive_film").count() == 3
    log = celery_workers.log("io").read_text("utf-8", errors="replace")
    assert not any(secret in log for secret in ("1.2.3.1.9", "1.2.3.2.9", "1.2.4.4.9", "MRN-4711"))
