"""Which questions the design page asks: a usual set, or those that are ticked one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, library
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designs.planning import AnswerKind
from deepmedix_review.reviews.models import Criterion

OWN = "own"
# All that the reading room has keys for, in the order of a reading.
ROOM_KEYS = (
    *("plausibility", "region-verdict", "relevance", "correctness", "completeness", "harm"),
    *("better-grounded", "better-overall"),
)
ANSWER_KEYS = ("relevance", "correctness", "completeness", "harm")


@dataclass(frozen=True)
class CriterionRow:
    """A question on the page: whether it is asked, at which place, and whether it must be answered."""

    criterion: Criterion
    place: int
    is_asked: bool
    is_required: bool


def asked_by(posted: QueryDict, *, already: Sequence[Asked]) -> Sequence[Asked]:
    """What a form asks: its usual set, else what is ticked in it."""
    name = posted.get("preset", OWN)
    preset = presets().get(name) if name != OWN else None
    return preset if preset is not None else _ticked(posted, choices.criteria_to_ask(already))


def presets() -> dict[str, tuple[Asked, ...]]:
    """The usual sets by name, each of the newest versions."""
    offered = {criterion.key: criterion for criterion in library().filter(is_library=True)}
    return {
        "usual": default_criteria(),
        "room": tuple(Asked(offered[key]) for key in ROOM_KEYS if key in offered),
        "answer": tuple(Asked(offered[key]) for key in ANSWER_KEYS if key in offered),
        "all": tuple(Asked(criterion) for criterion in offered.values()),
    }


def preset_of(asked: Sequence[Asked], *, has_sides: bool) -> str:
    """The usual set that these questions are; own where they are none."""
    wanted = fitting(asked, has_sides=has_sides)
    found = (name for name, preset in presets().items() if fitting(preset, has_sides=has_sides) == wanted)
    return next(found, OWN)


def fitting(asked: Sequence[Asked], *, has_sides: bool) -> list[Asked]:
    """One output is no vote between two."""
    return [item for item in asked if has_sides or item.criterion.target != Criterion.Target.VOTE]


def kind_of(criterion: Criterion) -> AnswerKind | None:
    """What its answers are; None where they are words."""
    if criterion.target == Criterion.Target.VOTE:
        return "vote"
    if criterion.field == "verdict":
        return "region"
    match criterion.kind:
        case Criterion.Kind.SCALE:
            return "scale"
        case Criterion.Kind.CHOICE | Criterion.Kind.CHOICES:
            return "choice"
        case _:
            return None


def rows(asked: Sequence[Asked], *, already: Sequence[Asked]) -> list[CriterionRow]:
    """In the order of the places, the others behind."""
    offered = choices.criteria_to_ask(already)
    there = {criterion.pk for criterion in offered}
    # A usual set asks the newest versions, an earlier draft perhaps an older one.
    offered = [*(item.criterion for item in asked if item.criterion.pk not in there), *offered]
    places = {item.criterion.pk: number for number, item in enumerate(asked, start=1)}
    optional = {item.criterion.pk for item in asked if not item.is_required}
    found = [
        CriterionRow(
            criterion,
            places.get(criterion.pk, len(offered)),
            criterion.pk in places,
            criterion.pk not in optional,
        )
        for criterion in offered
    ]
    return sorted(found, key=lambda row: (not row.is_asked, row.place))


def _ticked(posted: QueryDict, offered: Sequence[Criterion]) -> list[Asked]:
    """The chosen questions in the order of their numbers; equal numbers keep the order of the page."""
    chosen, required = set(posted.getlist("asked")), set(posted.getlist("required"))

    def place(criterion: Criterion) -> int:
        number = posted.get(f"place-{criterion.uid}", "")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 10_000

    listed = [criterion for criterion in offered if str(criterion.uid) in chosen]
    return [
        Asked(criterion, is_required=str(criterion.uid) in required)
        for criterion in sorted(listed, key=place)
    ]
