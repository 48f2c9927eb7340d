"""What readers said, each as a statement for PostgreSQL, and what its columns say."""

from deepmedix_review.exports.pseudonyms import (
    missed_finding_sql,
)
from deepmedix_review.exports.table_parts import (
    CRITERION,
    IN_SPAN,
    ITEM,
    LAST_CELLS,
    LAST_COLUMNS,
    RATED,
    READING,
    READING_CELLS,
    VALUE_NUMBER,
    WITH_CHOSEN,
    Column,
    Kind,
    Table,
)

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
    FROM ch JOIN reviews_vote t ON t.reading_id = ch.id AND {IN_SPAN}
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
        FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id AND {IN_SPAN}
        UNION ALL
        SELECT t.reading_id, NULL, t.step_id, t.missed_finding_id, 'reader',
            CASE WHEN t.step_id IS NOT NULL THEN 'step'
                WHEN t.missed_finding_id IS NOT NULL THEN 'missed_finding' ELSE 'first_read' END,
            NULL, t.x_min, t.y_min, t.x_max, t.y_max, t.uid
        FROM ch JOIN reviews_drawnregion t ON t.reading_id = ch.id AND {IN_SPAN}
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
    FROM ch JOIN reviews_firstread t ON t.reading_id = ch.id AND {IN_SPAN}
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
    FROM ch JOIN reviews_missedfinding t ON t.reading_id = ch.id AND {IN_SPAN}
    JOIN reasoning_completion co ON co.id = t.completion_id
    JOIN registry_modelversion mv ON mv.id = co.model_version_id
    ORDER BY ch.id, co.id, t.uid""",
)
