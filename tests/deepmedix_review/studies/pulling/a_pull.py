"""Pulls from a PACS for tests: searched, started, and run in this process."""

from typing import Any

from deepmedix_review.accounts.models import User
from deepmedix_review.studies import tasks
from deepmedix_review.studies.models import FilmToPull, PacsPull, StudyToPull
from deepmedix_review.studies.pulling import pulls
from deepmedix_review.studies.pulling.client import StudyQuery
from tests.factories.accounts import AdminFactory

ALL = (1, 2)


def found(actor: User | None = None, **asked: Any) -> PacsPull:
    return pulls.search_pacs("main", StudyQuery(**asked), actor=actor or AdminFactory.create())


def started(actor: User | None = None, *, numbers: tuple[int, ...] = ALL) -> PacsPull:
    """It waits for a worker."""
    admin = actor or AdminFactory.create()
    pull = found(admin)
    tasks.start_pull(pull, numbers=numbers, actor=admin)
    return pull


def run(pull: PacsPull) -> PacsPull:
    tasks.run_pacs_pull(pull.pk)
    pull.refresh_from_db()
    return pull


def names_kept(pull: PacsPull) -> str:
    """Whatever the rows still hold of what the PACS calls its studies."""
    studies = StudyToPull.objects.filter(pull=pull).values_list("study_uid", "study_date")
    films = FilmToPull.objects.filter(of__pull=pull).values_list("series_uid", "instance_uid")
    return "".join(str(one) for row in (*studies, *films) for one in row if one)
