"""What a table of an export is, and what all rows of a reading begin with."""

from dataclasses import dataclass
from enum import StrEnum

from deepmedix_review.exports.pseudonyms import (
    reader_sql,
    reading_sql,
)
from deepmedix_review.exports.scope import CHOSEN, IN_USE
from deepmedix_review.reviews.results.rows_said import CANNOT_JUDGE


class Kind(StrEnum):
    """`words` are what a person or a model wrote: as CSV they are made harmless to spreadsheets."""

    TEXT = "text"
    WORDS = "words"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "true or false"
    MOMENT = "date and time"


@dataclass(frozen=True)
class Column:
    name: str
    about: str
    kind: Kind = Kind.TEXT


class By(StrEnum):
    """What a table is asked by, some at once."""

    READING = "readings"
    CASE = "cases"
    FILM = "films"
    ALL = "all"


@dataclass(frozen=True)
class Table:
    """`query` gives the columns in their order, its rows sorted; it names the values of `Scope.values`."""

    name: str
    about: str
    columns: tuple[Column, ...]
    query: str
    by: By = By.READING
    is_csv_alone: bool = False


READING = (
    Column("reader_study", "uid of the reader study"),
    Column("case", "number of the case in its reader study", Kind.WHOLE),
    Column("study_uid", "keyed UID of the imaging study"),
    Column("reading", "name of the reading, of this export alone; tables of one folder join by it"),
    Column("reader", "pseudonym of the reader, of this export alone"),
    Column("kind", "first, repeat or adjudication: what the reader was given the case for"),
    Column("attempt", "the same, or amendment where a signed reading was amended by this one"),
    Column("stands", "false where a later amendment was signed by the moment of the export", Kind.YES_NO),
)
LAST_COLUMNS = (
    Column("active_seconds", "time at work on the case; of an amendment, its original's", Kind.WHOLE),
    Column("signed_at", "when the reading was signed, UTC, ISO 8601", Kind.MOMENT),
)
READING_CELLS = """
    ch.reader_study, ch.case_number AS "case", ch.study_uid, ch.reading, ch.reader, ch.kind,
    ch.attempt, ch.stands"""
LAST_CELLS = "ch.active_seconds, ch.signed_at"

ITEM = (
    Column("completion", "uid of the output; empty where both are meant, or none"),
    Column("model", "version of the model that wrote it, v1, v2 …"),
    Column("step", "number of the reasoning step in its output", Kind.WHOLE),
    Column("step_uid", "uid of the step's text in `steps`"),
    Column("region", "number of the region in its step", Kind.WHOLE),
)
CRITERION = (
    Column("criterion", "key of the criterion in `criteria`"),
    Column("criterion_version", "its version, as the reader study asked it", Kind.WHOLE),
)


def _moment(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


# What all rows of a reading begin with.
WITH_CHOSEN = f"""
WITH ch AS MATERIALIZED (
    SELECT r.id, {reading_sql("r.uid::text")} AS reading, r.completion_a_id, r.completion_b_id,
        r.asks_first_read,
        c.id AS case_id, c.position AS case_number, rs.id AS study, rs.uid::text AS reader_study,
        s.study_instance_uid AS study_uid, a.kind, a.reader_id,
        {reader_sql("(SELECT u.uid::text FROM accounts_user u WHERE u.id = a.reader_id)")} AS reader,
        CASE WHEN r.amends_id IS NULL THEN a.kind ELSE 'amendment' END AS attempt,
        NOT EXISTS (
            SELECT FROM reviews_reading later WHERE later.amends_id = r.id AND later.signed_at <= %(as_of)s
        ) AS stands,
        (SELECT {reading_sql("o.uid::text")} FROM reviews_reading o WHERE o.id = r.amends_id) AS amends,
        coalesce((
            SELECT o.active_seconds FROM reviews_reading o
            WHERE o.assignment_id = r.assignment_id AND o.amends_id IS NULL
        ), r.active_seconds) AS active_seconds,
        {_moment("r.signed_at")} AS signed_at
    {CHOSEN} {IN_USE}
), asked AS MATERIALIZED (
    SELECT study, field, key, version
    FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked(study bigint, field text, key text, version int)
)
"""
# Of a row `t` that is of a reading. What is said by the readings of a span lies together in its index, which
# PostgreSQL uses once the span is named here, too; by the join alone it reads the whole table for each span.
IN_SPAN = "t.reading_id > %(first)s AND t.reading_id <= %(last)s"
SAID = f"""
    SELECT t.reading_id, t.completion_id, NULL::bigint AS step_id, NULL::bigint AS region_id, v.field,
        NULL::text AS key,
        NULL::int AS version, v.value
    FROM ch JOIN reviews_answerrating t ON t.reading_id = ch.id AND {IN_SPAN}
    CROSS JOIN LATERAL (VALUES ('relevance', t.relevance::text), ('correctness', t.correctness::text),
        ('completeness', t.completeness::text), ('harm', nullif(t.harm, ''))) AS v(field, value)
    WHERE v.value IS NOT NULL
    UNION ALL
    SELECT t.reading_id, NULL, t.step_id, NULL, 'plausibility', NULL, NULL,
        CASE WHEN t.cannot_judge THEN '{CANNOT_JUDGE.replace("'", "''")}' ELSE t.plausibility::text END
    FROM ch JOIN reviews_steprating t ON t.reading_id = ch.id AND {IN_SPAN}
    WHERE t.cannot_judge OR t.plausibility IS NOT NULL
    UNION ALL
    SELECT t.reading_id, NULL, NULL, t.region_id, 'verdict', NULL, NULL, t.verdict
    FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id AND {IN_SPAN}
    UNION ALL
    SELECT t.reading_id, NULL, NULL, NULL, t.kind, NULL, NULL, t.side
    FROM ch JOIN reviews_vote t ON t.reading_id = ch.id AND {IN_SPAN}
    UNION ALL
    SELECT t.reading_id, t.completion_id, t.step_id, t.region_id, NULL, k.key, k.version, one.value #>> '{{}}'
    FROM ch JOIN reviews_criterionrating t ON t.reading_id = ch.id AND {IN_SPAN}
    JOIN reviews_criterion k ON k.id = t.criterion_id AND k.kind != 'text'
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(t.value) WHEN 'array' THEN t.value ELSE jsonb_build_array(t.value) END
    ) AS one(value)"""
RATED = f"""
    SELECT ch.*, said.value, said.value ~ '^-?[0-9]+([.][0-9]+)?$' AS is_number,
        co.id AS completion_id, co.uid::text AS completion, mv.number AS model_number,
            'v' || mv.number AS model,
        CASE co.id WHEN ch.completion_a_id THEN 'A' WHEN ch.completion_b_id THEN 'B' END AS output,
        st.position::bigint AS step, st.uid::text AS step_uid, re.position::bigint AS region,
        coalesce(said.key, asked.key, said.field) AS criterion,
        coalesce(said.version, asked.version)::bigint AS criterion_version
    FROM ch JOIN ({SAID}) AS said ON said.reading_id = ch.id
    LEFT JOIN asked ON asked.study = ch.study AND asked.field = said.field
    LEFT JOIN reasoning_region re ON re.id = said.region_id
    LEFT JOIN reasoning_reasoningstep st ON st.id = coalesce(re.step_id, said.step_id)
    LEFT JOIN reasoning_completion co ON co.id = coalesce(st.completion_id, said.completion_id)
    LEFT JOIN registry_modelversion mv ON mv.id = co.model_version_id"""
VALUE_NUMBER = "CASE WHEN ch.is_number THEN ch.value::float8 END"
