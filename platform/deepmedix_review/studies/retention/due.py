"""Finds the studies that fall due: that a rule lets be kept no longer, and nobody keeps longer.

Where several rules are of a study the shortest holds: each says how long it may be kept at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.studies.intake.profiles import PROFILES
from deepmedix_review.studies.models import (
    ImportBatch,
    ImportItem,
    Instance,
    Keeping,
    RetentionRule,
    SourceDataset,
    Study,
)
from deepmedix_review.studies.selectors import MAX_COUNT, StateCount

LOOKS_AHEAD = timedelta(days=30)
WAYS_IN: Mapping[str, str] = {
    ImportBatch.Source.UPLOAD: "dropped on the import page",
    ImportBatch.Source.ARCHIVE: "in an archive",
    ImportBatch.Source.LISTENER: "sent over the DICOM network",
    ImportBatch.Source.PACS: "pulled from a PACS",
    ImportBatch.Source.STOW: "sent over DICOMweb",
    ImportBatch.Source.COMMAND: "by a command on the machine",
}
_CAME_IN = (ImportItem.Outcome.ACCEPTED, ImportItem.Outcome.HELD)


@dataclass(frozen=True)
class Due:
    """`rules` are all that are of it, the one that holds first."""

    study: Study
    at: datetime
    rules: Sequence[RetentionRule]

    @property
    def rule(self) -> RetentionRule:
        return self.rules[0]


def rules_on() -> list[RetentionRule]:
    return list(RetentionRule.objects.filter(is_on=True).order_by("keep_days", "pk"))


def falling_due(*, by: datetime, rules: Sequence[RetentionRule] | None = None) -> QuerySet[Any]:
    """Due by that moment, the longest due first; `due_at` says since when. Phantoms are of nobody."""
    rules = rules_on() if rules is None else rules
    if not rules:
        return Study.objects.none().annotate(due_at=Value(None, output_field=DateTimeField()))
    shortest = min(rule.length for rule in rules)
    studies = Study.objects.filter(is_phantom=False, created_at__lte=by - shortest)
    return with_due(studies, rules).filter(due_at__lte=by).order_by("due_at", "pk")


def with_due(studies: QuerySet[Study], rules: Sequence[RetentionRule]) -> QuerySet[Any]:
    """`due_at` of each; null where no rule is of it. There has to be a rule."""
    ends = [
        Case(
            When(
                of_rule(rule),
                then=ExpressionWrapper(F("created_at") + Value(rule.length), output_field=DateTimeField()),
            ),
            default=Value(None),
            output_field=DateTimeField(),
        )
        for rule in rules
    ]
    by_rules = Least(*ends) if len(ends) > 1 else ends[0]
    kept = Keeping.objects.filter(study=OuterRef("pk"), ended_at=None).values("ends_at")
    # PostgreSQL's GREATEST passes over what is null: a study that no rule is of shall stay without an end.
    return studies.annotate(by_rules=by_rules, kept_until=Subquery(kept[:1])).annotate(
        due_at=Case(
            When(by_rules=None, then=Value(None)),
            default=Greatest("by_rules", "kept_until"),
            output_field=DateTimeField(),
        )
    )


def of_rule(rule: RetentionRule) -> Q:
    """Which studies it is of; never a phantom."""
    match rule.of:
        case RetentionRule.Of.CAME_BY:
            items = ImportItem.objects.filter(
                instance__series__study=OuterRef("pk"), outcome__in=_CAME_IN, batch__source=rule.value
            )
            return Q(Exists(items), is_phantom=False)
        case RetentionRule.Of.DATA_SET:
            return Q(source__uid=UUID(rule.value), is_phantom=False)
        case RetentionRule.Of.PROFILE:
            films = Instance.objects.filter(series__study=OuterRef("pk"), profile=rule.value)
            return Q(Exists(films), is_phantom=False)
        case _:
            return Q(is_phantom=False)


def due_of(studies: Sequence[Any], rules: Sequence[RetentionRule]) -> list[Due]:
    """Of studies that came with `due_at`, in their order: by which rules. A query for each rule."""
    keys = [study.pk for study in studies]
    found = {
        rule.pk: set(Study.objects.filter(of_rule(rule), pk__in=keys).values_list("pk", flat=True))
        for rule in rules
    }
    return [
        Due(study, study.due_at, [rule for rule in rules if study.pk in found[rule.pk]]) for study in studies
    ]


def due_study(uid: UUID, *, at: datetime) -> Due | None:
    """The study, if it is due at that moment."""
    rules = rules_on()
    study = falling_due(by=at, rules=rules).filter(uid=uid).first()
    return None if study is None else due_of([study], rules)[0]


def end_of(study: Study) -> Due | None:
    """When it falls due, whenever that is; None where no rule is of it."""
    rules = rules_on()
    found = with_due(Study.objects.filter(pk=study.pk), rules).first() if rules else None
    return None if found is None or found.due_at is None else due_of([found], rules)[0]


def count_due(user: User) -> StateCount:
    """Nothing for who may not erase them."""
    if not may(user, Capability.ERASE_STUDIES):
        return StateCount("due", 0)
    due = falling_due(by=timezone.now()).order_by().values("pk")
    return StateCount("due", due[: MAX_COUNT + 1].count())


def keepings_of(studies: Sequence[int]) -> list[Keeping]:
    """Those that hold now."""
    found = Keeping.objects.filter(study__in=studies, ended_at=None, ends_at__gt=timezone.now())
    return list(found.select_related("created_by", "study").order_by("pk"))


def keeping_of(study: Study) -> Keeping | None:
    return next(iter(keepings_of([study.pk])), None)


def said_of(rule: RetentionRule) -> str:
    """Which studies, in words."""
    match rule.of:
        case RetentionRule.Of.CAME_BY:
            return f"studies that came {WAYS_IN.get(rule.value, rule.value)}"
        case RetentionRule.Of.DATA_SET:
            source = SourceDataset.objects.filter(uid=rule.value).first()
            return f"studies of {source or 'a data set that is gone'}"
        case RetentionRule.Of.PROFILE:
            return f"studies de-identified by {rule.value}"
        case _:
            return "every study"


def choices_of_studies() -> list[tuple[str, str]]:
    """What a rule can be of, as `of:value`, with its words."""
    every, came_by = RetentionRule.Of.EVERY, RetentionRule.Of.CAME_BY
    sources = SourceDataset.objects.order_by("name").values_list("uid", "name")
    return [
        (f"{every}:", "Every study"),
        *((f"{came_by}:{way}", f"Studies that came {said}") for way, said in WAYS_IN.items()),
        *((f"{RetentionRule.Of.PROFILE}:{one}", f"Studies de-identified by {one}") for one in PROFILES),
        *((f"{RetentionRule.Of.DATA_SET}:{uid}", f"Studies of {name}") for uid, name in sources),
    ]
