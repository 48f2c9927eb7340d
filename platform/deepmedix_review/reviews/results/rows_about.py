"""What the rows of readings and ratings speak of: cases with their films and outputs, and questions."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Assignment, Case, Criterion, ReaderStudy
from deepmedix_review.reviews.results.figures import Cell
from deepmedix_review.reviews.results.rows_said import CANNOT_JUDGE

CASE_COLUMNS = (
    "case", "role", "study", "patient", "film width", "film height",
    "version written first", "completion written first", "version written later", "completion written later",
)  # fmt: skip
QUESTION_COLUMNS = ("question", "of", "kind", "value", "label", "meaning")
# Teaching and tuning cases are in no row.
IN_ROWS = (Case.Role.DATA, Case.Role.CONTROL)


@dataclass(frozen=True)
class RowFile:
    """`rows` makes them while they are sent."""

    name: str
    about: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[tuple[Cell, ...]]]


def about_rows(reader_study: ReaderStudy) -> tuple[RowFile, ...]:
    return (
        RowFile(
            "cases.csv",
            "One row for each case of data and each control, read or not: its study and patient, as the "
            "platform calls them, the size of its film in pixels, and its outputs by when they were written.",
            CASE_COLUMNS,
            lambda: _case_rows(reader_study),
        ),
        RowFile(
            "questions.csv",
            "One row for each value of each question: what it says on the screen, and what a reader means "
            "who chooses it.",
            QUESTION_COLUMNS,
            lambda: _question_rows(reader_study),
        ),
    )


def all_asked(reader_study: ReaderStudy) -> list[Criterion]:
    """By the reader study, and outright of its judges."""
    doubts = Assignment.doubts.through._default_manager.filter(assignment__case__reader_study=reader_study)
    outright = Criterion.objects.filter(pk__in=doubts.values("criterion")).order_by("pk")
    return [*(one.criterion for one in asked_of(reader_study)), *outright]


def _case_rows(reader_study: ReaderStudy) -> Iterator[tuple[Cell, ...]]:
    cases = Case.objects.filter(reader_study=reader_study, role__in=IN_ROWS).select_related("study")
    through = Case.completions.through._default_manager.filter(case__in=cases).order_by("completion")
    outputs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    films: dict[int, tuple[int, int]] = {}
    for key, uid, version, columns, rows in through.values_list(
        "case",
        "completion__uid",
        "completion__model_version__number",
        "completion__instance__columns",
        "completion__instance__rows",
    ):
        outputs[key].append((f"v{version}", str(uid)))
        films[key] = (columns, rows)
    for case in cases.order_by("position"):
        written = [*outputs[case.pk], ("", ""), ("", "")][:2]
        size: tuple[Cell, Cell] = films.get(case.pk, ("", ""))
        patient = case.study.patient_pseudonym
        yield case.position, str(case.role), case.study.label, patient, *size, *written[0], *written[1]


def _question_rows(reader_study: ReaderStudy) -> Iterator[tuple[Cell, ...]]:
    for one in all_asked(reader_study):
        about = (one.name, one.get_target_display(), one.get_kind_display())
        if not one.options:
            yield *about, "", "", one.question
        for option in one.options:
            yield *about, option["value"], str(option["label"]), str(option["anchor"])
        if one.field == "plausibility":
            yield *about, CANNOT_JUDGE, CANNOT_JUDGE, "the reader can't tell on this film"
