"""Films and the regions on them in one file as COCO has boxes (cocodataset.org/#format-data)."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from deepmedix_review.exports.files import PIECE_BYTES, copy_json
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.table_parts import WITH_CHOSEN, By, Table

MODEL, ADJUSTED, STEP, MISSED, FIRST = range(1, 6)
CATEGORIES = (
    {"id": MODEL, "name": "model_region", "supercategory": "model"},
    {"id": ADJUSTED, "name": "adjusted_region", "supercategory": "reader"},
    {"id": STEP, "name": "region_drawn_for_a_step", "supercategory": "reader"},
    {"id": MISSED, "name": "region_of_a_missed_finding", "supercategory": "reader"},
    {"id": FIRST, "name": "region_of_a_first_read", "supercategory": "reader"},
)
# Of each case the films that its outputs are of, numbered on from those of the cases before; with pictures,
# those alone that have one.
FILMS = """
shown AS MATERIALIZED (
    SELECT DISTINCT ch.case_id, one.id FROM ch CROSS JOIN LATERAL (
        VALUES (ch.completion_a_id), (ch.completion_b_id)) AS one(id) WHERE one.id IS NOT NULL
), film AS MATERIALIZED (
    SELECT found.*, %(num_images)s + row_number() OVER (ORDER BY case_id, instance_id) AS image_id
    FROM (SELECT DISTINCT ON (shown.case_id, co.instance_id) shown.case_id, co.instance_id,
            co.image_width, co.image_height
        FROM shown JOIN reasoning_completion co ON co.id = shown.id
        WHERE NOT co.instance_id = ANY(%(away)s)
        ORDER BY shown.case_id, co.instance_id, co.id) AS found
)"""
IMAGES = f"""{WITH_CHOSEN}, {FILMS}
SELECT film.image_id AS id, film.image_width AS width, film.image_height AS height,
    i.sop_instance_uid || '.png' AS file_name, 1 AS license,
    rs.uid::text AS reader_study, c.position AS "case", s.study_instance_uid AS study_uid
FROM film JOIN studies_instance i ON i.id = film.instance_id
JOIN reviews_case c ON c.id = film.case_id JOIN reviews_readerstudy rs ON rs.id = c.reader_study_id
JOIN studies_study s ON s.id = c.study_id
ORDER BY film.image_id"""
_NO_READER = "NULL::text AS reader, NULL::text AS reading, NULL::text AS kind, NULL::boolean AS stands"
ANNOTATIONS = f"""{WITH_CHOSEN}, {FILMS}, box AS (
    SELECT shown.case_id, shown.id AS completion_id, {MODEL} AS category_id, re.step_id, re.id AS region_id,
        0::bigint AS reading_key, {_NO_READER}, NULL::text AS verdict, nullif(re.problem, '') AS problem,
        (SELECT json_agg(json_build_object('reader', ch.reader, 'reading', ch.reading, 'kind', ch.kind,
                'stands', ch.stands, 'verdict', t.verdict) ORDER BY ch.id)
            FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id
            WHERE ch.case_id = shown.case_id AND t.region_id = re.id) AS verdicts,
        re.uid, re.x_min, re.y_min, re.x_max, re.y_max
    FROM shown JOIN reasoning_reasoningstep st ON st.completion_id = shown.id
    JOIN reasoning_region re ON re.step_id = st.id AND re.x_min < re.x_max AND re.y_min < re.y_max
    UNION ALL
    SELECT ch.case_id, st.completion_id, {ADJUSTED}, st.id, re.id, ch.id,
        ch.reader, ch.reading, ch.kind, ch.stands, t.verdict, NULL, NULL,
        t.uid, t.x_min, t.y_min, t.x_max, t.y_max
    FROM ch JOIN reviews_regionannotation t ON t.reading_id = ch.id AND t.x_min IS NOT NULL
    JOIN reasoning_region re ON re.id = t.region_id JOIN reasoning_reasoningstep st ON st.id = re.step_id
    UNION ALL
    SELECT ch.case_id, coalesce(st.completion_id, mf.completion_id),
        CASE WHEN t.step_id IS NOT NULL THEN {STEP} WHEN t.missed_finding_id IS NOT NULL THEN {MISSED}
            ELSE {FIRST} END,
        t.step_id, NULL, ch.id, ch.reader, ch.reading, ch.kind, ch.stands, NULL, NULL, NULL,
        t.uid, t.x_min, t.y_min, t.x_max, t.y_max
    FROM ch JOIN reviews_drawnregion t ON t.reading_id = ch.id
    LEFT JOIN reasoning_reasoningstep st ON st.id = t.step_id
    LEFT JOIN reviews_missedfinding mf ON mf.id = t.missed_finding_id
), placed AS (
    SELECT box.*, film.image_id FROM box
    JOIN reasoning_completion co ON co.id = coalesce(box.completion_id, (
        SELECT r.completion_a_id FROM reviews_reading r WHERE r.id = box.reading_key))
    JOIN film ON film.case_id = box.case_id AND film.instance_id = co.instance_id
)
SELECT %(num_annotations)s + row_number() OVER (
        ORDER BY p.image_id, p.reading_key, p.category_id, p.completion_id, st.position, re.position, p.uid
    ) AS id,
    p.image_id, p.category_id,
    json_build_array(p.x_min, p.y_min, p.x_max - p.x_min, p.y_max - p.y_min) AS bbox,
    (p.x_max - p.x_min) * (p.y_max - p.y_min) AS area, 0 AS iscrowd, json_build_array() AS segmentation,
    co.uid::text AS completion, 'v' || mv.number AS model, st.position AS step, re.position AS region,
    p.problem, p.verdicts, p.reader, p.reading, p.kind, p.stands, p.verdict
FROM placed p LEFT JOIN reasoning_completion co ON co.id = p.completion_id
LEFT JOIN registry_modelversion mv ON mv.id = co.model_version_id
LEFT JOIN reasoning_reasoningstep st ON st.id = p.step_id LEFT JOIN reasoning_region re ON re.id = p.region_id
ORDER BY id"""
BOXES = Table(
    "coco",
    "COCO boxes: films, the regions of outputs, and those that readers adjusted or drew; pixels of the film",
    (),
    ANNOTATIONS,
    By.CASE,
)


class CocoFile:
    """One object; annotations wait in a file beside it until the last image is written."""

    def __init__(self, export: Export, file: IO[bytes]) -> None:
        self._file = file
        self._annotations = TemporaryFile(dir=Path(file.name).parent)  # noqa: SIM115
        self._num = {"num_images": 0, "num_annotations": 0}
        head = {
            "info": {
                "description": "DeepMedix Review: regions of models' outputs, and what readers made of them",
                "version": "1",
                "date_created": export.as_of.isoformat(),
            },
            "licenses": [{"id": 1, "name": export.data_use, "url": ""}],
            "categories": CATEGORIES,
        }
        file.write(json.dumps(head, ensure_ascii=False)[:-1].encode() + b',\n"images": [')

    def append(self, values: Mapping[str, Any]) -> int:
        """The number of images and annotations."""
        named = {**values, **self._num}
        num_images = self._copy(IMAGES, named, self._file, is_first=not self._num["num_images"])
        num_annotations = self._copy(
            ANNOTATIONS, named, self._annotations, is_first=not self._num["num_annotations"]
        )
        self._num["num_images"] += num_images
        self._num["num_annotations"] += num_annotations
        return num_images + num_annotations

    def close(self) -> None:
        with self._annotations:
            self._file.write(b'\n],\n"annotations": [')
            self._annotations.seek(0)
            shutil.copyfileobj(self._annotations, self._file, PIECE_BYTES)
            self._file.write(b"\n]}\n")
        self._file.flush()

    def _copy(self, query: str, values: Mapping[str, Any], into: IO[bytes], *, is_first: bool) -> int:
        before = b"\n" if is_first else b",\n"

        def write(lines: bytes) -> None:
            nonlocal before
            if lines:
                into.write(before + lines.rstrip(b"\n").replace(b"\n", b",\n"))
                before = b",\n"

        return copy_json(query, values, write)
