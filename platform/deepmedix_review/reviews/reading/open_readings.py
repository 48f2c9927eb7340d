"""Finds a reader's own open reading and holds it, so that changes to it come one after the other."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS as DATABASE

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.prepared import prepared_cursor
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.guards import (
    STANDING_COLUMNS,
    STANDING_TABLES,
    Standing,
    refuse_reading,
    require_may_change,
)
from deepmedix_review.reviews.models import Assignment, Case, Reading
from deepmedix_review.reviews.selectors import require_not_withdrawn
from deepmedix_review.reviews.study_services.pool import renew_lease
from deepmedix_review.studies.models import Instance, Study

HELD_COLUMNS = (
    "id",
    "uid",
    "assignment_id",
    "completion_a_id",
    "completion_b_id",
    "amends_id",
    "asks_first_read",
    "opened_at",
    "revealed_at",
    "signed_at",
)
# SQL, since both run at every click. What the second reads must be as it is once the first holds the reading.
HOLD = f"""
SELECT {", ".join(f"reading.{name}" for name in HELD_COLUMNS)}
FROM reviews_reading reading JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
WHERE reading.uid = %s AND assignment.reader_id = %s
FOR UPDATE OF reading
"""
AROUND = f"""
SELECT film.id, film.sop_instance_uid, film.rows, film.columns, image_study.state, c.id, study.id,
    assignment.kind,
    (SELECT answer FROM reviews_readingchange WHERE reading_id = %s AND change_id = %s),
    (SELECT array_agg(criterion.field::text) FROM reviews_readerstudycriterion asked
     JOIN reviews_criterion criterion ON criterion.id = asked.criterion_id
     WHERE asked.reader_study_id = study.id),
    {STANDING_COLUMNS}
FROM {STANDING_TABLES}
JOIN studies_study image_study ON image_study.id = c.study_id
JOIN reasoning_completion completion ON completion.id = %s
JOIN studies_instance film ON film.id = completion.instance_id
WHERE assignment.id = %s
"""


@dataclass(frozen=True)
class Held:
    """A reading that is held until the transaction ends.

    `first_answer` is what the change was answered with before; None for a new one. `asked` are the fields of
    the questions that the reader study names, "" for its own; empty where it names none.
    """

    reading: Reading
    study: Study
    standing: Standing
    first_answer: Any
    asked: frozenset[str]


def hold_reading(reading_uid: uuid.UUID, *, reader: User, change_id: uuid.UUID) -> Held:
    """The reader's own reading with its film, by two queries; other columns are fetched when asked for."""
    require(reader, Capability.READ_CASES)
    with prepared_cursor() as cursor:
        cursor.execute(HOLD, [reading_uid, reader.pk])
        held = cursor.fetchone()
        if held is None:
            raise refuse_reading(reading_uid, reader=reader)
        reading = Reading.from_db(DATABASE, HELD_COLUMNS, held)
        cursor.execute(AROUND, [reading.pk, change_id, reading.completion_a_id, reading.assignment_id])
        film, sop_instance_uid, rows, columns, state, case, reader_study, kind, answer, asked, *standing = (
            cursor.fetchone()
        )
    reading.completion_a = Completion.from_db(
        DATABASE, ["id", "instance_id"], [reading.completion_a_id, film]
    )
    reading.completion_a.instance = Instance.from_db(
        DATABASE, ["id", "sop_instance_uid", "rows", "columns"], [film, sop_instance_uid, rows, columns]
    )
    reading.assignment = Assignment.from_db(
        DATABASE, ["id", "case_id", "kind"], [reading.assignment_id, case, kind]
    )
    reading.assignment.case = Case.from_db(DATABASE, ["id", "reader_study_id"], [case, reader_study])
    return Held(
        reading=reading,
        study=Study.from_db(DATABASE, ["state"], [state]),
        standing=Standing(*standing),
        first_answer=None if answer is None else json.loads(answer),
        asked=frozenset(asked or ()),
    )


def guard(held: Held, sop_instance_uid: str) -> None:
    """Nothing is kept for a film that was not on the screen, or after the signature."""
    reading = held.reading
    if reading.signed_at is not None:
        raise RefusedByRule("This reading is signed and locked. Amend it to change it.")
    require_not_withdrawn(held.study)
    renew_lease(reading.assignment_id, require_may_change(reading, held.standing))
    if sop_instance_uid != reading.completion_a.instance.sop_instance_uid:
        raise RefusedByRule(
            "The film on the screen is not the film of this case, so nothing was saved. Reload the page."
        )
