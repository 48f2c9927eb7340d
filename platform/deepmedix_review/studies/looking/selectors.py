"""Finds the films that nobody has looked at yet, with what a sheet of them must say when it comes back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.common.paging import page_of
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import MAX_COUNT, StateCount, films_by_series, visible_studies

SHEET_SIZE = 100


@dataclass(frozen=True)
class Unseen:
    """A study on the sheet. `token` names it and its newest film: one that comes later was not looked at."""

    study: Study
    films: Sequence[Instance]
    token: str


@dataclass(frozen=True)
class Sheet:
    studies: tuple[Unseen, ...]
    next_before: int | None


def sheet(user: User, *, before: int | None = None) -> Sheet:
    """The newest studies to look at, those that this user may see."""
    waiting = visible_studies(user).filter(state=Study.State.UNSEEN).prefetch_related(films_by_series())
    page = page_of(waiting, before=before, size=SHEET_SIZE)
    return Sheet(tuple(unseen(study) for study in page.rows), page.next_before)


def unseen(study: Study) -> Unseen:
    """Of a study whose series and films are at hand."""
    films = [film for series in study.series.all() for film in series.instances.all()]
    return Unseen(study, films, token_of(study.uid, films))


def token_of(study: uuid.UUID, films: Sequence[Instance]) -> str:
    return f"{study}:{max((film.pk for film in films), default=0)}"


def count_unseen(user: User) -> StateCount:
    """Nothing for who can't look at them."""
    if not may(user, Capability.DECIDE_HELD_STUDIES):
        return StateCount(Study.State.UNSEEN, 0)
    waiting = Study.objects.filter(state=Study.State.UNSEEN)
    return StateCount(Study.State.UNSEEN, waiting.values("pk")[: MAX_COUNT + 1].count())
