"""Who reads which case of a reader study, in which order, on which sides, as it was drawn and moved since."""

from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.results.figures import Cell, Table

COLUMNS = (
    "reader",
    "place in the list",
    "name of the case for the reader",
    "case",
    "study",
    "role",
    "reading",
    "block",
    "anchor",
    "first read",
    "output A",
    "model of A",
    "output B",
    "model of B",
    "state",
    "signed",
)
READING = {
    Assignment.Kind.FIRST: "first",
    Assignment.Kind.REPEAT: "hidden repeat",
    Assignment.Kind.ADJUDICATION: "adjudication",
}


def readers_lists(reader_study: ReaderStudy) -> Table:
    """Every reading that was given to somebody, by reader and place, those taken away again among them."""
    readings = (
        Reading.objects.filter(assignment__case__reader_study=reader_study, amends=None)
        .select_related(
            "assignment__reader",
            "assignment__case__study",
            "completion_a__model_version",
            "completion_b__model_version",
        )
        .defer("completion_a__text", "completion_a__prompt", "completion_b__text", "completion_b__prompt")
        .order_by("assignment__reader__pseudonym", "assignment__position", "pk")
    )
    return Table(COLUMNS, tuple(_row(reading, reader_study) for reading in readings.iterator()))


def _row(reading: Reading, reader_study: ReaderStudy) -> tuple[Cell, ...]:
    assignment, side_a, side_b = reading.assignment, reading.completion_a, reading.completion_b
    case = assignment.case
    return (
        assignment.reader.pseudonym,
        assignment.position,
        assignment.label,
        case.position,
        case.study.label,
        "practice" if case.role == Case.Role.TRAINING else case.role,
        READING[Assignment.Kind(assignment.kind)],
        case.block + 1 if reader_study.num_blocks > 1 and case.role == Case.Role.DATA else None,
        "yes" if case.is_anchor else "no",
        "yes" if reading.asks_first_read else "no",
        str(side_a.uid),
        str(side_a.model_version),
        str(side_b.uid) if side_b else None,
        str(side_b.model_version) if side_b else None,
        _state(reading),
        reading.signed_at.isoformat(timespec="seconds") if reading.signed_at else None,
    )


def _state(reading: Reading) -> str:
    if reading.signed_at is not None:
        return "signed"
    if reading.assignment.withdrawn_at is not None:
        return "taken away"
    return "opened" if reading.opened_at is not None else "not opened"
