"""What readings speak of: cases, outputs, steps, and the criteria that were asked."""

from deepmedix_review.exports.pseudonyms import (
    patient_sql,
)
from deepmedix_review.exports.table_parts import CRITERION, WITH_CHOSEN, By, Column, Kind, Table

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
