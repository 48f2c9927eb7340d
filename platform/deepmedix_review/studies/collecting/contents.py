"""What is in a version of a collection, counted once when it is frozen: patients by side, films by view."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from deepmedix_review.studies.collecting.filters import NO_VIEW
from deepmedix_review.studies.models import CollectionVersion, Split

SIDES = (Split.TRAIN, Split.TUNE, Split.TEST)


@dataclass(frozen=True)
class SideCount:
    """One side of the split."""

    side: Split
    num_studies: int
    num_patients: int


@dataclass(frozen=True)
class ViewCount:
    """The films of one view, by side in the order of `SIDES`."""

    view: str
    num_films: tuple[int, ...]

    @property
    def name(self) -> str:
        return "not named" if self.view == NO_VIEW else self.view

    @property
    def total(self) -> int:
        return sum(self.num_films)


@dataclass(frozen=True)
class Contents:
    sides: tuple[SideCount, ...]
    views: tuple[ViewCount, ...]

    def num_studies_of(self, side: str) -> int:
        """Of all sides where `side` is empty."""
        return sum(count.num_studies for count in self.sides if side in ("", count.side))

    def as_json(self) -> dict[str, Any]:
        return {
            "sides": {str(count.side): [count.num_studies, count.num_patients] for count in self.sides},
            "views": {count.view: list(count.num_films) for count in self.views},
        }

    @classmethod
    def of(cls, version: CollectionVersion) -> "Contents":
        """As they were counted when the version was frozen."""
        said: Mapping[str, Any] = version.contents
        return cls(
            sides=tuple(SideCount(side, *said["sides"].get(side, (0, 0))) for side in SIDES),
            views=tuple(ViewCount(view, tuple(numbers)) for view, numbers in said["views"].items()),
        )


def count_members(version: CollectionVersion) -> Contents:
    """Grouped in the database, in two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT split, sum(number), count(*) FROM (
                SELECT member.split, study.patient_pseudonym, count(*) AS number
                FROM studies_collectionmember member JOIN studies_study study ON study.id = member.study_id
                WHERE member.version_id = %s GROUP BY member.split, study.patient_pseudonym) by_patient
            GROUP BY split
            """,
            [version.pk],
        )
        sides = {split: (int(studies), patients) for split, studies, patients in cursor.fetchall()}
        cursor.execute(
            """
            SELECT film.view_position, member.split, count(*)
            FROM studies_collectionmember member
            JOIN studies_series series ON series.study_id = member.study_id
            JOIN studies_instance film ON film.series_id = series.id
            WHERE member.version_id = %s GROUP BY film.view_position, member.split
            """,
            [version.pk],
        )
        films: dict[str, dict[str, int]] = {}
        for view, split, number in cursor.fetchall():
            films.setdefault(view or NO_VIEW, {})[split] = number
    views = [ViewCount(view, tuple(counts.get(side, 0) for side in SIDES)) for view, counts in films.items()]
    return Contents(
        sides=tuple(SideCount(side, *sides.get(side, (0, 0))) for side in SIDES),
        views=tuple(sorted(views, key=lambda count: (-count.total, count.view))),
    )


def sha256_of_members(version: CollectionVersion) -> str:
    """Of the studies' uids in order, a line each: what `sort uids.txt | sha256sum` says of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT encode(sha256(convert_to(
                string_agg(study.uid::text || E'\\n', '' ORDER BY study.uid), 'UTF8')), 'hex')
            FROM studies_collectionmember member JOIN studies_study study ON study.id = member.study_id
            WHERE member.version_id = %s
            """,
            [version.pk],
        )
        return str(cursor.fetchone()[0])
