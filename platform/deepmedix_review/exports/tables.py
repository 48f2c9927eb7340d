"""The tables of an export, each as a statement for PostgreSQL, and what its columns say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deepmedix_review.exports.pseudonyms import (
    missed_finding_sql,
    patient_sql,
    reader_name,
    reader_sql,
    reading_sql,
)
from deepmedix_review.exports.scope import CHOSEN, IN_USE, Group, Scope, readers_in
from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.rows_said import CANNOT_JUDGE

# PostgreSQL has no more columns in a row than 1,664.
MOST_READERS_SIDE_BY_SIDE = 1500


class Kind(StrEnum):
    """`words` are what a person or a model wrote: as CSV they are made harmless to spreadsheets."""

    TEXT = "text"
    WORDS = "words"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "true or false"


@dataclass(frozen=True)
class Column:
    name: str
    about: str
    kind: Kind = Kind.TEXT


class By(StrEnum):
    """What a table is asked by, some at once."""

    READING = "readings"
    CASE = "cases"
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
    Column("signed_at", "when the reading was signed, UTC, ISO 8601"),
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
SAID = f"""
    SELECT t.reading_id, t.completion_id, NULL::bigint AS step_id, NULL::bigint AS region_id, v.field,
        NULL::text AS key,
        NULL::int AS version, v.value
    FROM ch JOIN reviews_answerrating t ON t.reading_id = ch.id
    CROSS JOIN LATERAL (VALUES ('relevance', t.relevance::text), ('correctness', t.correctness::text),
        ('completeness', t.completeness::text), ('harm', nullif(t.harm, ''))) AS v(field, value)
    WHERE v.value IS NOT NULL
    UNION ALL
    SELECT t.reading_id, NULL, t.step_id, NULL, 'plausibility', NULL, NULL,
        CASE WHEN t.cannot_judge THEN '{CANNOT_JUDGE.replace("'", "''")}' ELSE t.plausibility::text END
    FROM ch JOIN reviews_steprating t ON t.reading_id = ch.id
    WHERE t.cannot_judge OR t.plausibility IS NOT NULL
    UNION ALL
    SELECT t.reading_id, NULL, NULL, t.region_id, 'verdict', NULL, NULL, t.verdict
    FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id
    UNION ALL
    SELECT t.reading_id, NULL, NULL, NULL, t.kind, NULL, NULL, t.side
    FROM ch JOIN reviews_vote t ON t.reading_id = ch.id
    UNION ALL
    SELECT t.reading_id, t.completion_id, t.step_id, t.region_id, NULL, k.key, k.version, one.value #>> '{{}}'
    FROM ch JOIN reviews_criterionrating t ON t.reading_id = ch.id
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

RATINGS = Table(
    "ratings",
    "one row for each answer to a criterion: of a step, a region, an answer, the two outputs, the case",
    (
        *READING,
        Column("output", "side on which the output stood, A or B, dealt anew for each reader"),
        *ITEM,
        *CRITERION,
        Column("value", "what was chosen; several choices are a row each"),
        Column("value_number", "the same where it is a number", Kind.NUMBER),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, ch.output, ch.completion, ch.model, ch.step, ch.step_uid, ch.region, ch.criterion,
        ch.criterion_version, ch.value, {VALUE_NUMBER} AS value_number, {LAST_CELLS}
    FROM ({RATED}) AS ch
    ORDER BY ch.id, ch.output COLLATE "C", ch.step, ch.region, ch.criterion COLLATE "C", ch.criterion_version,
        ch.value COLLATE "C" """,
)
READINGS = Table(
    "readings",
    "one row for each signed reading: which version's output stood on which side, and how long it took",
    (
        *READING,
        Column("amends", "name of the reading that this one amends"),
        Column("completion_a", "uid of the output on side A"),
        Column("model_a", "version that wrote it"),
        Column("completion_b", "uid of the output on side B; empty where one was shown"),
        Column("model_b", "version that wrote it"),
        Column("first_read", "whether the film was read alone before the outputs were shown", Kind.YES_NO),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, ch.amends, ca.uid::text AS completion_a, 'v' || ma.number AS model_a,
        cb.uid::text AS completion_b, 'v' || mb.number AS model_b, ch.asks_first_read AS first_read,
            {LAST_CELLS}
    FROM ch JOIN reasoning_completion ca ON ca.id = ch.completion_a_id
    JOIN registry_modelversion ma ON ma.id = ca.model_version_id
    LEFT JOIN reasoning_completion cb ON cb.id = ch.completion_b_id
    LEFT JOIN registry_modelversion mb ON mb.id = cb.model_version_id
    ORDER BY ch.id""",
)
VOTES = Table(
    "votes",
    "one row for each vote between two outputs, with the output that was preferred",
    (
        *READING,
        *CRITERION,
        Column("value", "as pressed: a, b, tie or both_bad"),
        Column("preferred", "uid of the preferred output; empty at tie and both_bad"),
        Column("preferred_model", "version that wrote it"),
        Column("other", "uid of the other output"),
        Column("other_model", "version that wrote it"),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, coalesce(asked.key, t.kind) AS criterion,
        asked.version::bigint AS criterion_version,
        t.side AS value,
        CASE t.side WHEN 'a' THEN ca.uid WHEN 'b' THEN cb.uid END::text AS preferred,
        CASE t.side WHEN 'a' THEN 'v' || ma.number WHEN 'b' THEN 'v' || mb.number END AS preferred_model,
        CASE t.side WHEN 'a' THEN cb.uid WHEN 'b' THEN ca.uid END::text AS other,
        CASE t.side WHEN 'a' THEN 'v' || mb.number WHEN 'b' THEN 'v' || ma.number END AS other_model,
        {LAST_CELLS}
    FROM ch JOIN reviews_vote t ON t.reading_id = ch.id
    LEFT JOIN asked ON asked.study = ch.study AND asked.field = t.kind
    JOIN reasoning_completion ca ON ca.id = ch.completion_a_id
    JOIN registry_modelversion ma ON ma.id = ca.model_version_id
    JOIN reasoning_completion cb ON cb.id = ch.completion_b_id
    JOIN registry_modelversion mb ON mb.id = cb.model_version_id
    ORDER BY ch.id, t.kind COLLATE "C" """,
)
EDGES = ("x_min", "y_min", "x_max", "y_max")
REGIONS = Table(
    "regions",
    "one row for each region that a reader judged or drew; edges in pixels of the film",
    (
        *READING,
        *ITEM,
        Column("source", "model: the output's own region, judged; reader: drawn by the reader"),
        Column("drawn_for", "of a drawn one: step, missed_finding or first_read"),
        Column("missed_finding", "name in `missed_findings`, of one drawn for it"),
        Column("verdict", "fits, adjusted or wrong, of the output's own"),
        *(Column(f"model_{edge}", "edge of the output's own region", Kind.NUMBER) for edge in EDGES),
        *(Column(edge, "edge as the reader adjusted or drew it", Kind.NUMBER) for edge in EDGES),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, co.uid::text AS completion, 'v' || mv.number AS model,
        st.position::bigint AS step,
        st.uid::text AS step_uid, re.position::bigint AS region, box.source, box.drawn_for,
            {missed_finding_sql("mf.uid::text")} AS missed_finding,
        box.verdict, re.x_min AS model_x_min, re.y_min AS model_y_min, re.x_max AS model_x_max,
        re.y_max AS model_y_max, box.x_min, box.y_min, box.x_max, box.y_max, {LAST_CELLS}
    FROM ch JOIN (
        SELECT t.reading_id, t.region_id, NULL::bigint AS step_id, NULL::bigint AS missed_id,
            'model' AS source,
            NULL AS drawn_for, t.verdict, t.x_min, t.y_min, t.x_max, t.y_max, t.uid
        FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id
        UNION ALL
        SELECT t.reading_id, NULL, t.step_id, t.missed_finding_id, 'reader',
            CASE WHEN t.step_id IS NOT NULL THEN 'step'
                WHEN t.missed_finding_id IS NOT NULL THEN 'missed_finding' ELSE 'first_read' END,
            NULL, t.x_min, t.y_min, t.x_max, t.y_max, t.uid
        FROM ch JOIN reviews_drawnregion t ON t.reading_id = ch.id
    ) AS box ON box.reading_id = ch.id
    LEFT JOIN reasoning_region re ON re.id = box.region_id
    LEFT JOIN reviews_missedfinding mf ON mf.id = box.missed_id
    LEFT JOIN reasoning_reasoningstep st ON st.id = coalesce(re.step_id, box.step_id)
    LEFT JOIN reasoning_completion co ON co.id = coalesce(st.completion_id, mf.completion_id)
    LEFT JOIN registry_modelversion mv ON mv.id = co.model_version_id
    ORDER BY ch.id, co.id, st.position, re.position, box.uid""",
)
FIRST_READS = Table(
    "first_reads",
    "what a reader saw on the film alone, and as a second row what changed after the reveal",
    (
        *READING,
        Column("moment", "before or after the outputs were shown"),
        Column("choice", "one of the reader study's answers", Kind.WORDS),
        Column("findings", "names of the findings that are present, with | between", Kind.WORDS),
        Column("impression", "in the reader's words", Kind.WORDS),
        Column("confidence", "1 to 5", Kind.WHOLE),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, CASE WHEN t.is_after_reveal THEN 'after' ELSE 'before' END AS moment, t.choice,
        coalesce((SELECT string_agg(name, '|' ORDER BY place)
            FROM jsonb_array_elements_text(t.findings) WITH ORDINALITY AS one(name, place)), '') AS findings,
        t.impression, t.confidence::bigint AS confidence, {LAST_CELLS}
    FROM ch JOIN reviews_firstread t ON t.reading_id = ch.id
    ORDER BY ch.id, t.is_after_reveal""",
)
MISSED_FINDINGS = Table(
    "missed_findings",
    "one row for each finding that a reader missed in an output",
    (
        *READING,
        Column("missed_finding", "its name, of this export alone; `regions` has it where it was drawn"),
        Column("completion", "uid of the output"),
        Column("model", "version of the model that wrote it"),
        Column("text", "in the reader's words", Kind.WORDS),
        Column("num_regions", "how many regions were drawn for it", Kind.WHOLE),
        *LAST_COLUMNS,
    ),
    f"""{WITH_CHOSEN}
    SELECT {READING_CELLS}, {missed_finding_sql("t.uid::text")} AS missed_finding, co.uid::text AS completion,
        'v' || mv.number AS model,
        t.text, (SELECT count(*) FROM reviews_drawnregion d WHERE d.missed_finding_id = t.id) AS num_regions,
        {LAST_CELLS}
    FROM ch JOIN reviews_missedfinding t ON t.reading_id = ch.id
    JOIN reasoning_completion co ON co.id = t.completion_id
    JOIN registry_modelversion mv ON mv.id = co.model_version_id
    ORDER BY ch.id, co.id, t.uid""",
)
CASE = (
    Column("reader_study", "uid of the reader study"),
    Column("case", "number of the case in its reader study", Kind.WHOLE),
    Column("study_uid", "keyed UID of the imaging study"),
)
OUTPUTS = """
    SELECT DISTINCT ch.case_id, shown.id FROM ch CROSS JOIN LATERAL (
        VALUES (ch.completion_a_id), (ch.completion_b_id)) AS shown(id) WHERE shown.id IS NOT NULL"""
CASES = Table(
    "cases",
    "one row for each case with a reading here: its patient and its film",
    (
        *CASE,
        Column("role", "data, control, training or calibration"),
        Column("patient", "pseudonym of the patient, of this export alone: films of one patient share it"),
        Column("film_width", "pixels", Kind.WHOLE),
        Column("film_height", "pixels", Kind.WHOLE),
    ),
    f"""{WITH_CHOSEN}
    SELECT rs.uid::text AS reader_study, c.position AS "case", s.study_instance_uid AS study_uid, c.role,
        {patient_sql("s.patient_pseudonym")} AS patient, film.width AS film_width, film.height AS film_height
    FROM reviews_case c JOIN reviews_readerstudy rs ON rs.id = c.reader_study_id
    JOIN studies_study s ON s.id = c.study_id
    LEFT JOIN LATERAL (
        SELECT co.image_width::bigint AS width, co.image_height::bigint AS height
        FROM ch JOIN reasoning_completion co ON co.id = ch.completion_a_id
        WHERE ch.case_id = c.id ORDER BY co.id LIMIT 1
    ) AS film ON true
    WHERE c.id IN (SELECT case_id FROM ch) ORDER BY c.id""",
    By.CASE,
)
COMPLETIONS = Table(
    "completions",
    "one row for each output that a reading here was of",
    (
        *CASE,
        Column("completion", "its uid"),
        Column("model", "version of the model that wrote it, v1, v2 …"),
        Column("alteration", "of a control: wrong_region or foreign_sentence"),
        Column("num_steps", "reasoning steps", Kind.WHOLE),
        Column("answer", "the model's answer", Kind.WORDS),
    ),
    f"""{WITH_CHOSEN}
    SELECT rs.uid::text AS reader_study, c.position AS "case", s.study_instance_uid AS study_uid,
        co.uid::text AS completion, 'v' || mv.number AS model, co.alteration,
        (SELECT count(*) FROM reasoning_reasoningstep st WHERE st.completion_id = co.id) AS num_steps,
            co.answer
    FROM ({OUTPUTS}) AS shown JOIN reviews_case c ON c.id = shown.case_id
    JOIN reviews_readerstudy rs ON rs.id = c.reader_study_id JOIN studies_study s ON s.id = c.study_id
    JOIN reasoning_completion co ON co.id = shown.id
        JOIN registry_modelversion mv ON mv.id = co.model_version_id
    ORDER BY c.id, co.id""",
    By.CASE,
)
STEPS = Table(
    "steps",
    "one row for each reasoning step of these outputs, with its text",
    (
        *CASE,
        Column("completion", "uid of its output"),
        Column("model", "version of the model that wrote it"),
        Column("step", "its number, from 1", Kind.WHOLE),
        Column("step_uid", "its uid"),
        Column("num_regions", "regions that it cites", Kind.WHOLE),
        Column("text", "as the model wrote it", Kind.WORDS),
    ),
    f"""{WITH_CHOSEN}
    SELECT rs.uid::text AS reader_study, c.position AS "case", s.study_instance_uid AS study_uid,
        co.uid::text AS completion, 'v' || mv.number AS model, st.position::bigint AS step,
            st.uid::text AS step_uid,
        (SELECT count(*) FROM reasoning_region re WHERE re.step_id = st.id) AS num_regions, st.text
    FROM ({OUTPUTS}) AS shown JOIN reviews_case c ON c.id = shown.case_id
    JOIN reviews_readerstudy rs ON rs.id = c.reader_study_id JOIN studies_study s ON s.id = c.study_id
    JOIN reasoning_completion co ON co.id = shown.id
        JOIN registry_modelversion mv ON mv.id = co.model_version_id
    JOIN reasoning_reasoningstep st ON st.completion_id = co.id
    ORDER BY c.id, co.id, st.position""",
    By.CASE,
)
CRITERIA = Table(
    "criteria",
    "one row for each value of each criterion that was asked: what a reader means who chooses it",
    (
        *CRITERION,
        Column("name", "as the screen names it", Kind.WORDS),
        Column("question", "as the screen asks it", Kind.WORDS),
        Column("target", "what it is asked of: step, region, answer, vote or case"),
        Column("kind", "scale, choice, choices or text"),
        Column("value", "as `value` of the ratings has it; empty of a text"),
        Column("label", "as the screen shows it", Kind.WORDS),
        Column("meaning", "what a reader means who chooses it", Kind.WORDS),
    ),
    """
    SELECT k.key AS criterion, k.version::bigint AS criterion_version, k.name, k.question, k.target, k.kind,
        one.value ->> 'value' AS value, one.value ->> 'label' AS label, one.value ->> 'anchor' AS meaning
    FROM reviews_criterion k
    LEFT JOIN LATERAL jsonb_array_elements(k.options) WITH ORDINALITY AS one(value, place) ON true
    WHERE (k.key, k.version) IN (
            SELECT key, version
            FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked(study bigint, key text, version int))
        OR k.id IN (
            SELECT d.criterion_id FROM reviews_assignment_doubts d
            JOIN reviews_assignment a ON a.id = d.assignment_id JOIN reviews_case c ON c.id = a.case_id
            WHERE c.reader_study_id = ANY(%(studies)s) AND a.signed_at <= %(as_of)s)
    ORDER BY k.key COLLATE "C", k.version, one.place""",
    By.ALL,
)
LONG = (RATINGS, READINGS, VOTES, REGIONS, FIRST_READS, MISSED_FINDINGS, CASES, COMPLETIONS, STEPS)
STANDING = f"ch.stands AND ch.kind = '{Assignment.Kind.FIRST}'"


def tables_of(scope: Scope, group: Group) -> Iterator[Table]:
    """Those of a folder; figures of agreement and imrmc are of data alone."""
    yield from LONG
    if group.folder == "data":
        readers = readers_in(scope, group)
        if len(readers) <= MOST_READERS_SIDE_BY_SIDE:
            # In the order of their names: that of their accounts would be the same in every export.
            named = sorted((reader_name(scope.secret, uid), key) for key, uid in readers)
            yield _agreement(scope, [(key, name) for name, key in named])
        for criterion, version in scope.scales:
            yield _imrmc(criterion, version)


def _agreement(scope: Scope, readers: Sequence[tuple[int, str]]) -> Table:
    """Items by readers."""
    of_case = "ch.reader_study, ch.case_number, ch.study_uid"
    item = f"{of_case}, ch.completion, ch.model, ch.step, ch.step_uid, ch.region"
    said = "string_agg(ch.value, '|' ORDER BY ch.value COLLATE \"C\")"
    cells = "".join(
        f""",\n {said} FILTER (WHERE ch.reader_id = {key:d}) AS "{name}" """ for key, name in readers
    )
    return Table(
        "agreement",
        "items by readers: one row for each item of each criterion, a column for each reader. Standing first "
        "readings alone; several choices have | between; empty where the reader said nothing of the item",
        (
            *CASE,
            *ITEM,
            *CRITERION,
            *(Column(name, "what this reader said") for _, name in readers),
        ),
        f"""{WITH_CHOSEN}
        SELECT ch.reader_study, ch.case_number AS "case", ch.study_uid, ch.completion, ch.model, ch.step,
            ch.step_uid,
            ch.region, ch.criterion, ch.criterion_version {cells}
        FROM ({RATED}) AS ch WHERE {STANDING}
        GROUP BY ch.case_id, ch.completion_id, ch.criterion, ch.criterion_version, {item}
        ORDER BY ch.case_id, ch.completion_id, ch.step, ch.region, ch.criterion COLLATE "C",
            ch.criterion_version""",
        By.CASE,
    )


def _imrmc(criterion: str, version: int) -> Table:
    """https://cran.r-project.org/package=iMRMC: a data frame of readerID, caseID, modalityID and score."""
    return Table(
        f"imrmc/{criterion}-v{version}",
        f"for iMRMC: the mean of {criterion} v{version} by reader, case and model version, of standing first "
        "readings. Rows of the truth (readerID and modalityID `truth`, score 0 or 1) are to be added where "
        "the analysis needs them: the platform knows of none",
        (
            Column("readerID", "pseudonym of the reader"),
            Column("caseID", "beginning of the reader study's uid, and number of the case"),
            Column("modalityID", "version of the model"),
            Column("score", "mean over what was rated of the case", Kind.NUMBER),
        ),
        f"""{WITH_CHOSEN}
        SELECT ch.reader AS "readerID", left(ch.reader_study, 8) || '-' || ch.case_number AS "caseID",
            coalesce(ch.model, 'all') AS "modalityID", avg({VALUE_NUMBER}) AS score
        FROM ({RATED}) AS ch
        WHERE {STANDING} AND ch.is_number AND ch.criterion = '{criterion}'
            AND ch.criterion_version = {version:d}
        GROUP BY ch.reader, ch.reader_study, ch.case_number, ch.case_id, ch.model, ch.model_number
        ORDER BY ch.case_id, ch.model_number, ch.reader COLLATE "C" """,
        By.CASE,
        is_csv_alone=True,
    )
