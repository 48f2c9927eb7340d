"""Keeps the questions that readers answer: a version with ratings stays, and a change makes the next one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.text import slugify

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.criteria.library import DEFAULT_KEYS, LIBRARY, LibraryCriterion, Option
from deepmedix_review.reviews.models import Criterion, CriterionRating, ReaderStudy, ReaderStudyCriterion

MOST_OPTIONS = 20
CONTENT = ("name", "question", "target", "kind", "options", "field", "asked_if")


@dataclass(frozen=True)
class Asked:
    """A criterion that a reader study asks, and whether a reading can be signed without an answer."""

    criterion: Criterion
    is_required: bool = True


@dataclass(frozen=True)
class SavedCriterion:
    """`reason` says why a new version was made; empty where the old one was changed."""

    criterion: Criterion
    reason: str


def ensure_library(**_: Any) -> None:
    """The product's own criteria are there, in their latest words. Runs after every migration."""
    if Criterion._meta.db_table not in connection.introspection.table_names():
        # Migrated back to before there were any.
        return
    newest = {criterion.key: criterion for criterion in _newest().filter(is_library=True)}
    for offered in LIBRARY:
        fields = _fields(offered)
        criterion = newest.get(offered.key)
        if criterion is None:
            Criterion.objects.get_or_create(
                key=offered.key, version=1, defaults={**fields, "is_library": True}
            )
        elif any(getattr(criterion, name) != value for name, value in fields.items()):
            _write(criterion, fields, actor=None)


def library() -> QuerySet[Criterion]:
    """What a new reader study may ask: the newest version of each criterion that is neither retired nor asked
    of judges alone."""
    return _newest().filter(retired_at=None, finding="").order_by("-is_library", "pk")


def asked_of(reader_study: ReaderStudy) -> tuple[Asked, ...]:
    """What this reader study asks, in order; where nothing was chosen, what was always asked."""
    rows = ReaderStudyCriterion.objects.filter(reader_study=reader_study).select_related("criterion")
    asked = tuple(Asked(row.criterion, row.is_required) for row in rows.order_by("position"))
    return asked or default_criteria()


def default_criteria() -> tuple[Asked, ...]:
    found = {c.key: c for c in library().filter(is_library=True, key__in=DEFAULT_KEYS)}
    return tuple(Asked(found[key]) for key in DEFAULT_KEYS if key in found)


@transaction.atomic
def ask(reader_study: ReaderStudy, asked: Sequence[Asked]) -> None:
    """Write down what a draft asks, in this order, in place of what it asked before."""
    if len({item.criterion.key for item in asked}) < len(asked):
        raise RefusedByRule("A criterion is asked twice. Take one of them out.")
    ReaderStudyCriterion.objects.filter(reader_study=reader_study).delete()
    ReaderStudyCriterion.objects.bulk_create(
        ReaderStudyCriterion(
            reader_study=reader_study,
            criterion=item.criterion,
            position=position,
            is_required=item.is_required,
        )
        for position, item in enumerate(asked, start=1)
    )


def why_new_version(criterion: Criterion) -> str:
    """Why a change of this criterion would make a new version; empty where it would not."""
    if CriterionRating.objects.filter(criterion=criterion).exists():
        return "Readers have answered this version, so it stays as it is and your change makes a new one."
    studies = ReaderStudy.objects.filter(asked__criterion=criterion).exclude(state=ReaderStudy.State.DRAFT)
    if studies.exists():
        return "A reader study asks this version, so it stays as it is and your change makes a new one."
    return ""


@transaction.atomic
def save_criterion(
    *,
    actor: User,
    name: str,
    question: str,
    target: str,
    kind: str,
    options: Sequence[Option] = (),
    criterion: Criterion | None = None,
) -> SavedCriterion:
    """A new criterion, or a change of one: a new version where the old one has ratings or is asked.

    Raises RefusedByRule for a criterion of the library, for one that readers could not answer, and for the
    name of another one that can be asked.
    """
    require(actor, Capability.DESIGN_READER_STUDIES)
    _require_answerable(name=name, question=question, target=target, kind=kind, options=options)
    _require_own_name(name.strip(), criterion)
    fields = {
        "name": name.strip(),
        "question": question.strip(),
        "target": target,
        "kind": kind,
        "options": [asdict(option) for option in options],
        "field": "",
    }
    if criterion is None:
        saved = SavedCriterion(
            Criterion.objects.create(key=_free_key(name), created_by=actor, **fields), reason=""
        )
    else:
        saved = _change(criterion, fields, actor=actor)
    record_event(
        actor=actor,
        action="save_criterion",
        subject=saved.criterion,
        details={"key": saved.criterion.key, "version": saved.criterion.version},
    )
    return saved


@transaction.atomic
def retire_criterion(*, criterion: Criterion, actor: User) -> None:
    """No new reader study may ask it; those that do go on."""
    require(actor, Capability.DESIGN_READER_STUDIES)
    if criterion.is_library:
        raise RefusedByRule("This criterion comes with the product and stays. Leave it out of your study.")
    Criterion.objects.filter(key=criterion.key, retired_at=None).update(retired_at=timezone.now())
    record_event(actor=actor, action="retire_criterion", subject=criterion)


def _change(criterion: Criterion, fields: dict[str, Any], *, actor: User) -> SavedCriterion:
    # Two admins who change one criterion make two versions, one after the other.
    versions = Criterion.objects.select_for_update().filter(key=criterion.key)
    latest = versions.order_by("-version")[0]
    if latest.is_library:
        raise RefusedByRule(
            "This criterion comes with the product and stays as it is. Make one of your own beside it."
        )
    if latest.pk != criterion.pk:
        raise RefusedByRule(
            f"Version {latest.version} was made meanwhile. Open it and make your change there."
        )
    if all(getattr(latest, name) == value for name, value in fields.items()):
        return SavedCriterion(latest, reason="")
    reason = why_new_version(latest)
    return SavedCriterion(_write(latest, fields, actor=actor), reason=reason)


def _write(criterion: Criterion, fields: dict[str, Any], *, actor: User | None) -> Criterion:
    if not why_new_version(criterion) and not _is_kept_in_a_column(criterion):
        Criterion.objects.filter(pk=criterion.pk).update(**fields)
        criterion.refresh_from_db()
        return criterion
    return Criterion.objects.create(
        key=criterion.key,
        version=criterion.version + 1,
        is_library=criterion.is_library,
        created_by=actor,
        **fields,
    )


def _is_kept_in_a_column(criterion: Criterion) -> bool:
    """Answers in a column name no version, so its ratings can't be told from here."""
    return bool(criterion.field)


def _newest() -> QuerySet[Criterion]:
    later = Criterion.objects.filter(key=OuterRef("key"), version__gt=OuterRef("version"))
    return Criterion.objects.filter(~Exists(later))


def _fields(offered: LibraryCriterion) -> dict[str, Any]:
    values = asdict(offered)
    values["options"] = [asdict(option) for option in offered.options]
    return {name: values[name] for name in CONTENT}


def _free_key(name: str) -> str:
    stem = slugify(name)[:50] or "criterion"
    taken = set(Criterion.objects.filter(key__startswith=stem).values_list("key", flat=True))
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(key for key in numbered if key not in taken)


def _require_own_name(name: str, criterion: Criterion | None) -> None:
    """Lists, results and exports call criteria by their names alone."""
    others = _newest().filter(name__iexact=name, retired_at=None)
    if criterion is not None:
        others = others.exclude(key=criterion.key)
    other = others.first()
    if other is not None:
        raise RefusedByRule(
            f"There is a criterion {other.name} already. Change that one, or choose another name."
        )


def _require_answerable(
    *, name: str, question: str, target: str, kind: str, options: Sequence[Option]
) -> None:
    if not name.strip():
        raise RefusedByRule("The criterion has no name. Give it one, a word or two.")
    if len(name.strip()) > 60:
        raise RefusedByRule("The name is longer than 60 characters. Put the rest into the question.")
    if len(question.strip()) > 300:
        raise RefusedByRule("The question is longer than 300 characters. Shorten it.")
    if target not in Criterion.Target.values or kind not in Criterion.Kind.values:
        raise RefusedByRule("Choose what the criterion is asked of, and how it is answered.")
    if kind == Criterion.Kind.TEXT:
        if options:
            raise RefusedByRule("A text has no options. Take them out, or choose another kind.")
        return
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise RefusedByRule(f"Give readers 2 to {MOST_OPTIONS} options; there are {len(options)}.")
    if len({str(option.value) for option in options}) < len(options):
        raise RefusedByRule("Two options have the same value. Make each value different.")
    if any(not str(option.value).strip() or not option.label.strip() for option in options):
        raise RefusedByRule("Every option has a value and a label. Fill them in.")
    bare = [option.label for option in options if not option.anchor.strip()]
    if bare:
        lacking = f"{', '.join(bare)} {'has' if len(bare) == 1 else 'have'} no anchor."
        raise RefusedByRule(
            f"{lacking} Say of every value what a reader means by it, or empty the row of one you don't ask."
        )
    if kind == Criterion.Kind.SCALE:
        values = [option.value for option in options]
        if not all(isinstance(value, int) for value in values) or values != sorted(values, key=int):
            raise RefusedByRule("The values of a scale are whole numbers that rise. Number them 1, 2, 3 …")
