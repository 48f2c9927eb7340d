"""What lies in an archive beside the tables: what each is, and a manifest by which all can be checked."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import connection

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.exports.about_tables import CRITERIA
from deepmedix_review.exports.coco import BOXES
from deepmedix_review.exports.dicom.files import OBJECTS
from deepmedix_review.exports.models import COCO, DICOM, PICTURES, TABULAR, Export, WrittenFile
from deepmedix_review.exports.own_code import said_code
from deepmedix_review.exports.pictures import FOLDER, PICTURES_TABLE, is_part, pictures_in
from deepmedix_review.exports.scope import ALL_ROLES, CHOSEN, GROUPS, IN_USE, Scope
from deepmedix_review.exports.table_parts import Table
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.rows_said import CANNOT_JUDGE
from deepmedix_review.studies.intake.profiles import CLEAN_PIXEL_DATA, Profile, said_profiles
from deepmedix_review.studies.models import SourceDataset
from rl_feedback.croissant import CROISSANT

README, MANIFEST = "README.txt", "manifest.json"
PIECE_BYTES = 1024 * 1024
# A member's time tells nothing: the earliest that a zip can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def manifest_of(
    export: Export, scope: Scope, files: Iterable[Mapping[str, Any]], *, texts: Mapping[str, str]
) -> str:
    """JSON; nothing in it depends on when it was written, or by whom. `files` as `told_of_files` tells them,
    `texts` lie beside them."""
    reader_studies = ReaderStudy.objects.filter(pk__in=scope.studies).order_by("pk")
    about = {
        "format": 1,
        "as_of": export.as_of.isoformat(),
        "data_use": export.data_use,
        "reader_studies": [
            {"uid": str(one.uid), "shows": one.shows, "design": one.design, "seed": one.seed}
            for one in reader_studies
        ],
        "readers": "pseudonyms of this request alone; the platform's own are not in it",
        "files": [*files, *({"name": name, **told_of_text(text)} for name, text in texts.items())],
        "audit": audit_head(export),
        "criteria": sorted({(key, version) for _, _, key, version in scope.asked}),
        "models": said_models(models_in(scope)),
        "code": said_code(),
        "left_out": export.left_out,
        "deidentification": [
            {"profile": one.name, "codes": [option.code for option in one.options]}
            for one in profiles_in(scope)
        ],
        "films_with_text_overwritten": {"num": num_masked_in(scope), "code": CLEAN_PIXEL_DATA.code},
        "licences_of_sources": [{"source": one.name, "licence": one.licence} for one in sources_in(scope)],
    }
    return json.dumps(about, indent=2, ensure_ascii=False) + "\n"


def told_of_files(
    folder: Path, files: Sequence[WrittenFile], *, check: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """What a manifest says of each file in the archive; each picture is one."""
    for one in files:
        if is_part(one.name):
            for name, picture in pictures_in(folder / one.name):
                check()
                yield {"name": name, "sha256": sha256(picture).hexdigest(), "rows": 1, "bytes": len(picture)}
        else:
            yield {"name": one.name, "sha256": one.sha256, "rows": one.num_rows, "bytes": one.num_bytes}


def told_of_text(text: str) -> dict[str, Any]:
    """What a manifest says of a text that lies beside the data."""
    content = text.encode()
    return {"sha256": sha256(content).hexdigest(), "rows": 0, "bytes": len(content)}


def audit_head(export: Export) -> dict[str, Any] | None:
    """Of the audit chain at that moment."""
    head = AuditEvent.objects.filter(at__lte=export.as_of).order_by("-sequence").first()
    return None if head is None else {"sequence": head.sequence, "hash": head.hash}


def said_models(models: Iterable[ModelVersion]) -> list[dict[str, str]]:
    return [
        {"model": str(one), "name": one.name, "sha256": one.sha256, "licence": one.licence} for one in models
    ]


def readme_of(export: Export, tables: Sequence[tuple[str, Table]]) -> str:
    """`tables` are of the data's folder and the root, each with its name there."""
    lines = [
        "DeepMedix Review: a data set of readers' work on models' outputs. For research, not for diagnosis.",
        "",
        f"What it may be used for: {export.data_use}",
        f"Signed up to {export.as_of.isoformat()}.",
        "",
        "Folders, which have the same files:",
        *(f"- {group.folder}/: {group.about}" for group in GROUPS),
        "",
        f"{MANIFEST} has the sha256 and the rows of each file, and what was left out and why;",
        f"{CROISSANT} describes it for programs (Croissant, mlcommons.org/croissant).",
        "Readers, readings and patients have names of this export alone. Times are UTC. In CSV an empty",
        'cell is null, "" the empty text, and what a spreadsheet would take for a formula has an apostrophe',
        "before it, in CSV alone. For one word of each reader on a case take rows whose `kind` is first,",
        f"`stands` true. Where a reader could not judge a step, `value` is {CANNOT_JUDGE} and `value_number`",
        "null. The mean plausibility of each version: of data/ratings, `criterion` plausibility, `kind`",
        "first, `stands` true, the mean of `value_number` by `model`. In imrmc each row is a case's mean.",
    ]
    if COCO in export.formats:
        lines += ["", f"data/{BOXES.name}.json", f"  {BOXES.about}."]
    if PICTURES in export.formats:
        lines += ["", f"data/{FOLDER}/", f"  {PICTURES_TABLE.about}."]
    for form in [form for form in DICOM if form in export.formats]:
        lines += ["", f"data/{form}.tar", f"  {OBJECTS[form].about}."]
        lines += ["  The patient is named as the film names them, so that a PACS files both as one study."]
    for name, table in tables if set(TABULAR) & set(export.formats) else ():
        lines += ["", f"{name}", f"  {table.about}."]
        if table.name != "agreement":
            lines += [f"  - {column.name} ({column.kind}): {column.about}" for column in table.columns]
        else:
            lines += ["  - the item as in ratings, then a column for each reader (text)"]
    return "\n".join(lines) + "\n"


def described(scope_tables: Sequence[Table]) -> list[tuple[str, Table]]:
    return [(f"data/{table.name}", table) for table in scope_tables] + [(CRITERIA.name, CRITERIA)]


def pack(
    folder: Path,
    archive: Path,
    *,
    texts: Mapping[str, str],
    files: Sequence[WrittenFile],
    check: Callable[[], None],
) -> None:
    """Texts first, then the files by name; Parquet and pictures are compressed already."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, text in texts.items():
            packed.writestr(_member(name), text)
        for one in files:
            if is_part(one.name):
                for name, picture in pictures_in(folder / one.name):
                    check()
                    packed.writestr(_member(name), picture, zipfile.ZIP_STORED)
                continue
            member = _member(one.name)
            if one.name.endswith(".parquet"):
                member.compress_type = zipfile.ZIP_STORED
            with (folder / one.name).open("rb") as file, packed.open(member, "w", force_zip64=True) as into:
                while piece := file.read(PIECE_BYTES):
                    check()
                    into.write(piece)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, NO_TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member


def models_in(scope: Scope) -> list[ModelVersion]:
    """Whose outputs were read."""
    completions = "unnest(ARRAY[r.completion_a_id, r.completion_b_id])"
    keys = _chosen(
        scope,
        f"SELECT DISTINCT co.model_version_id FROM reasoning_completion co "
        f"WHERE co.id IN (SELECT {completions} {CHOSEN} {IN_USE})",
    )
    return list(ModelVersion.objects.filter(pk__in=keys).order_by("number"))


def sources_in(scope: Scope) -> list[SourceDataset]:
    """Published data sets that films of it come from."""
    keys = _chosen(scope, f"SELECT DISTINCT s.source_id {CHOSEN} {IN_USE} AND s.source_id IS NOT NULL")
    return list(SourceDataset.objects.filter(pk__in=keys).order_by("name"))


def profiles_in(scope: Scope) -> list[Profile]:
    """Of de-identification, by which films of it came in."""
    return said_profiles(
        _chosen(
            scope,
            "SELECT DISTINCT f.profile FROM studies_instance f JOIN studies_series e ON e.id = f.series_id "
            f"WHERE e.study_id IN (SELECT s.id {CHOSEN} {IN_USE})",
        )
    )


def num_masked_in(scope: Scope) -> int:
    """Films of it on which text was overwritten."""
    [num] = _chosen(
        scope,
        "SELECT count(*) FROM studies_instance f JOIN studies_series e ON e.id = f.series_id "
        f"WHERE f.masked_at IS NOT NULL AND e.study_id IN (SELECT s.id {CHOSEN} {IN_USE})",
    )
    return int(num)


def _chosen(scope: Scope, statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values(ALL_ROLES))
        return [key for (key,) in cursor.fetchall()]
