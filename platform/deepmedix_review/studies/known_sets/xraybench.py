"""XrayBench (Qika/xraybench): reports of MIMIC-CXR and Open-i to be written, and questions about chest films.

arXiv 2509.03906. Its columns are looked for by the names that `rl_feedback.evaluation.xraybench` lists.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deepmedix_review.studies.archives import unpacking_folder
from deepmedix_review.studies.known_sets.said import (
    ImageSaid,
    LayoutRefused,
    Note,
    Problem,
    Source,
    StudySaid,
)
from deepmedix_review.studies.known_sets.tables import Shelf
from deepmedix_review.studies.known_sets.words import split_called
from deepmedix_review.studies.known_sets.xraybench_rows import (
    BenchRow,
    BenchTable,
    rows_in,
    tables_in,
)
from deepmedix_review.studies.models import Split
from rl_feedback.counting import counted
from rl_feedback.evaluation.samples import Task
from rl_feedback.evaluation.xraybench import HUB_NAME, MAY_BE_THERE, SIZES

SOURCE = Source(
    "XrayBench",
    "Of its parts: PhysioNet Credentialed Health Data License 1.5.0 for MIMIC-CXR, CC BY-NC-ND 4.0 for "
    "Open-i; for others see its card; cite arXiv 2509.03906",
    is_credentialed=True,
)
# The published one has 14,213; what is known of each is held in memory.
MAX_ROWS = 500_000


def read_xraybench(
    folder: Path, *, columns: Mapping[str, str] | None = None
) -> Iterator[StudySaid | Problem | Note]:
    """Rows that share a picture are one study, of a patient of its own: the set says of no two that they are
    of one person. `columns` names a column outright, as ("answer": "solution")."""
    tables = tables_in(folder, columns=columns or {})
    bench = _Bench()
    for table in tables:
        for row in rows_in(table, folder=folder):
            if isinstance(row, Problem):
                bench.problems.put("problem", "", [row.where, row.what])
            else:
                bench.add(row, is_test=_is_test(table))
            if bench.num_rows > MAX_ROWS:
                raise LayoutRefused(
                    f"{folder.name} has more than {MAX_ROWS:,} rows; XrayBench has {sum(SIZES.values()):,}."
                )
    if not bench.has_pictures:
        raise LayoutRefused(_unlike(folder, tables, bench))
    return _studies(folder, tables, bench)


class _Bench:
    """What the rows say, and which pictures are of one study. Pictures go by the sha256 of their bytes: an
    embedded one has its file's last name alone, which many of Open-i share."""

    def __init__(self) -> None:
        self.problems, self.rows = Shelf(), Shelf()
        self.num_rows = self.num_questions = 0
        self._above: dict[str, str] = {}
        self._pictures: dict[str, None] = {}

    @property
    def has_pictures(self) -> bool:
        return bool(self._pictures)

    def add(self, row: BenchRow, *, is_test: bool) -> None:
        self.num_rows += 1
        if not row.pictures:
            return
        is_report = row.sample.task == Task.REPORT
        self.num_questions += not is_report
        keys = [picture.sha256 for picture in row.pictures]
        self._pictures.update(dict.fromkeys(keys))
        # Numbers of studies join reports of one set alone: questions come from several sets that may each
        # have a study 1.
        joins = [*keys, f"{row.sample.dataset}\n{row.study}"] if is_report and row.study else keys
        for key in joins[1:]:
            self._above[self.study_of(key)] = self.study_of(keys[0])
        section, text = (row.sample.category, row.sample.reference) if is_report else ("", "")
        self.rows.put("row", keys[0], [self.num_rows, row.where, section, text.strip(), is_test])

    def study_of(self, key: str) -> str:
        """The key by which all that was joined with it goes."""
        while (above := self._above.get(key, key)) != key:
            self._above[key] = self._above.get(above, above)
            key = above
        return key

    def studies(self) -> dict[str, list[str]]:
        """The pictures of each, in the order of the rows."""
        studies = defaultdict(list)
        for picture in self._pictures:
            studies[self.study_of(picture)].append(picture)
        return dict(studies)


def _studies(
    folder: Path, tables: Sequence[BenchTable], bench: _Bench
) -> Iterator[StudySaid | Problem | Note]:
    for where, what in bench.problems.get("problem", ""):
        yield Problem(where, what)
    studies = bench.studies()
    # A picture lies here from the row that brings it until its study was received.
    with unpacking_folder() as scratch:
        waiting: dict[str, dict[str, Path]] = defaultdict(dict)
        for table in tables:
            for row in rows_in(table, folder=folder):
                for picture in row.pictures if isinstance(row, BenchRow) else ():
                    study = bench.study_of(picture.sha256)
                    if study not in studies or picture.sha256 in waiting[study]:
                        continue
                    waiting[study][picture.sha256] = picture.put_in(scratch)
                    if len(waiting[study]) == len(studies[study]):
                        files = waiting.pop(study)
                        yield from _study(studies.pop(study), files, bench)
                        for path in files.values():
                            if path.parent == scratch:
                                path.unlink()
    for pictures in studies.values():
        yield Problem(_rows_of(pictures, bench)[0][1], "Its picture was changed while the folder was read.")
    if bench.num_questions:
        yield Note(
            f"Left: {counted(bench.num_questions, 'question')} about these pictures, as a reference holds no "
            "answers. `python -m rl_feedback evaluate --references FOLDER` measures a model by them."
        )


def _study(
    pictures: Sequence[str], files: Mapping[str, Path], bench: _Bench
) -> Iterator[StudySaid | Problem]:
    rows = _rows_of(pictures, bench)
    texts: dict[str, str] = {}
    for _, where, section, text, _ in rows:
        if section and texts.setdefault(section, text) != text:
            yield Problem(where, f"Its {section} is not that of an earlier row of its study, which stays.")
    where = rows[0][1]
    # The least, as that is the same whichever file is read first.
    key = min(pictures)
    yield StudySaid(
        patient=key,
        key=key,
        where=where,
        images=[ImageSaid(picture, files[picture], where) for picture in pictures],
        split=Split.TEST if any(row[-1] for row in rows) else None,
        findings=texts.get("findings", ""),
        impression=texts.get("impression", ""),
    )


def _rows_of(pictures: Sequence[str], bench: _Bench) -> list[tuple[int, str, str, str, bool]]:
    """Number, place, section, text and side of each, in the order of the rows."""
    return sorted(tuple(row) for picture in pictures for row in bench.rows.get("row", picture))


def _is_test(table: BenchTable) -> bool:
    """`test-00000-of-00001.parquet`. Its train side says nothing: so the hub calls what has no sides."""
    return split_called(table.path.stem.partition("-")[0]) is Split.TEST


def _unlike(folder: Path, tables: Sequence[BenchTable], bench: _Bench) -> str:
    """What was expected of rows none of which can be used, and what was found."""
    problems = bench.problems.get("problem", "")
    first = " ".join(f"The first, {where}: {what}" for where, what in problems[:1])
    if not bench.num_rows:
        return f"None of the rows in {folder.name} is one of XrayBench. {first}"
    columns = sorted({table.names["image"] for table in tables} - {""}) or MAY_BE_THERE["image"]
    return (
        f"Pictures were expected in {folder.name}: embedded in the rows, or files that the rows name, in a "
        f"column {', '.join(columns)}. No row has one. {first} Download all of it (hf download --repo-type "
        f"dataset {HUB_NAME} --local-dir FOLDER), unpack archives that lie in it, or name the column with "
        "--column image=NAME."
    )
