"""Exports for tests: asked for as people do, written in this process, and unpacked."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.folders import archive_path
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.services import Asked, claim_new_export
from deepmedix_review.exports.tasks import write_claimed
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy
from tests.factories.accounts import ResearcherFactory
from tests.factories.simulated_readers import eight_readers, simulated_reader_study

USE = "Agreement of readers, by our group alone, until the end of the study."


def a_read_study() -> ReaderStudy:
    """Two readers, six films, some of them read twice, some of them controls: everything is signed."""
    design = ReaderStudyDesign(control_share=0.25, repeat_share=0.5, washout_cases=1)
    return simulated_reader_study(num_cases=6, readers=eight_readers()[:2], design=design)


def written(*reader_studies: ReaderStudy, actor: User | None = None, **asked: Any) -> Export:
    """Done, or failed with a sentence."""
    export = claim_new_export(
        Asked(
            data_use=asked.pop("data_use", USE),
            reader_studies=[one.uid for one in reader_studies] or None,
            **asked,
        ),
        actor=actor or ResearcherFactory.create(),
    )
    write_claimed(export)
    export.refresh_from_db()
    return export


def done(*reader_studies: ReaderStudy, **asked: Any) -> Export:
    export = written(*reader_studies, **asked)
    assert export.state == JobState.DONE, export.error
    return export


def archive_of(export: Export) -> bytes:
    return archive_path(export).read_bytes()


def unpacked(content: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def files_of(export: Export) -> Mapping[str, bytes]:
    return unpacked(archive_of(export))


def manifest_of(export: Export) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files_of(export)["manifest.json"])
    return found


def rows_of(export: Export, table: str) -> Sequence[Mapping[str, str]]:
    text = files_of(export)[f"{table}.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))
