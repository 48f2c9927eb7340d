"""Writes what a reader adds of their own: the first read, missed findings, drawn regions, own criteria."""

import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Manager, Q

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.models import (
    Criterion,
    CriterionRating,
    DrawnRegion,
    FirstRead,
    MissedFinding,
    Reading,
)
from deepmedix_review.reviews.reading.belonging import of_another_case, require_inside, shown_completions
from deepmedix_review.reviews.reading.changes import (
    AddFinding,
    CriterionValue,
    DrawRegion,
    FirstReadMoment,
    RateCriterion,
    SayFirstRead,
)

# A page that sends more of them than this has gone astray.
MOST_REGIONS = 200
MOST_FINDINGS = 50
MAX_CRITERION_TEXT = 4_000

Own = TypeVar("Own", MissedFinding, DrawnRegion)
Target = Criterion.Target
Kind = Criterion.Kind


def say_first_read(reading: Reading, change: SayFirstRead) -> None:
    _require_moment(reading, "after_reveal" if change.is_after_reveal else "first")
    choices = reading.assignment.case.reader_study.first_read_choices
    if change.choice and change.choice not in choices:
        raise RefusedByRule("That answer is not among those of this reader study. Reload the page.")
    if choices and change.findings:
        raise RefusedByRule("This reader study asks for one of its answers, not for findings. Choose one.")
    said = FirstRead(
        reading=reading,
        is_after_reveal=change.is_after_reveal,
        choice=change.choice,
        findings=sorted(set(change.findings), key=change.findings.index),
        impression=change.impression,
        confidence=change.confidence,
    )
    FirstRead.objects.bulk_create(
        [said],
        update_conflicts=True,
        unique_fields=["reading", "is_after_reveal"],
        update_fields=["choice", "findings", "impression", "confidence"],
    )


def add_finding(reading: Reading, change: AddFinding) -> None:
    known = MissedFinding.objects.filter(uid=change.uid).select_related("completion").first()
    if known is not None and (known.reading_id != reading.pk or known.completion.uid != change.completion):
        raise of_another_case("finding")
    if change.text is None:
        MissedFinding.objects.filter(uid=change.uid, reading=reading).delete()
        return
    if known is not None:
        MissedFinding.objects.filter(pk=known.pk).update(text=change.text)
        return
    completion = _one_of(
        Completion.with_altered.filter(pk__in=shown_completions(reading)), change.completion, "answer"
    )
    if MissedFinding.objects.filter(reading=reading).count() >= MOST_FINDINGS:
        raise RefusedByRule(f"{MOST_FINDINGS} findings were added already. Take one back first.")
    _make(
        MissedFinding(uid=change.uid, reading=reading, completion_id=completion, text=change.text), "finding"
    )


def draw_region(reading: Reading, change: DrawRegion) -> None:
    owners = [owner for owner in (change.step, change.missed_finding, change.first_read) if owner is not None]
    if len(owners) != 1:
        raise RefusedByRule("A drawn region belongs to a step, a finding or the first read. Name one.")
    if change.first_read is not None:
        _require_moment(reading, change.first_read)
    region = DrawnRegion.objects.filter(uid=change.uid).first()
    if region is not None and region.reading_id != reading.pk:
        raise of_another_case("region")
    if change.box is None:
        if region is not None:
            _require_same_owner(region, _owner(reading, change))
            DrawnRegion.objects.filter(pk=region.pk).delete()
        return
    require_inside(change.box, reading.completion_a.instance)
    owner = _owner(reading, change)
    edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), change.box, strict=True))
    if region is not None:
        _require_same_owner(region, owner)
        DrawnRegion.objects.filter(pk=region.pk).update(**edges)
        return
    if DrawnRegion.objects.filter(reading=reading).count() >= MOST_REGIONS:
        raise RefusedByRule(f"{MOST_REGIONS} regions were drawn already. Take one back first.")
    _make(DrawnRegion(uid=change.uid, reading=reading, **owner, **edges), "region")


def rate_criterion(reading: Reading, change: RateCriterion) -> None:
    reader_study = reading.assignment.case.reader_study
    is_asked = Q(asked__reader_study=reader_study) | Q(pk__in=reading.assignment.doubts.values("pk"))
    criterion = Criterion.objects.filter(is_asked, uid=change.criterion).first()
    if criterion is None:
        raise RefusedByRule("This reader study does not ask that question. Reload the page.")
    if criterion.field:
        raise RefusedByRule(f"{criterion.name} has its own place on the page. Answer it there.")
    item = _item(reading, criterion, change)
    if change.value is None:
        CriterionRating.objects.filter(reading=reading, criterion=criterion, **item).delete()
        return
    CriterionRating.objects.bulk_create(
        [
            CriterionRating(
                reading=reading, criterion=criterion, value=_checked_value(criterion, change.value), **item
            )
        ],
        update_conflicts=True,
        unique_fields=["reading", "criterion", "completion", "step", "region"],
        update_fields=["value"],
    )


def _make(own: Own, noun: str) -> None:
    """Another reading may make the same uid at this very moment: the second of the two is refused."""
    rows: Manager[Own] = type(own)._default_manager
    rows.bulk_create([own], ignore_conflicts=True)
    if not rows.filter(uid=own.uid, reading=own.reading).exists():
        raise of_another_case(noun)


def _require_moment(reading: Reading, moment: FirstReadMoment) -> None:
    """The first read until it is locked, the change of mind from then on."""
    if not reading.asks_first_read:
        raise RefusedByRule("This case asks for no first read. Reload the page.")
    if moment == "first" and reading.is_revealed:
        raise RefusedByRule("Your first read is locked. Say what you think now as a change of mind.")
    if moment == "after_reveal" and not reading.is_revealed:
        raise RefusedByRule("A change of mind comes after the first read. Lock your first read first.")


def _owner(reading: Reading, change: DrawRegion) -> dict[str, Any]:
    """The one thing that the region belongs to, by primary key."""
    owner: dict[str, Any] = {"step_id": None, "missed_finding_id": None, "first_read_id": None}
    if change.step is not None:
        steps = ReasoningStep.objects.filter(completion__in=shown_completions(reading))
        owner["step_id"] = _one_of(steps, change.step, "step")
    elif change.missed_finding is not None:
        findings = MissedFinding.objects.filter(reading=reading)
        owner["missed_finding_id"] = _one_of(findings, change.missed_finding, "finding")
    else:
        said, _ = FirstRead.objects.get_or_create(
            reading=reading, is_after_reveal=change.first_read == "after_reveal"
        )
        owner["first_read_id"] = said.pk
    return owner


def _require_same_owner(region: DrawnRegion, owner: dict[str, Any]) -> None:
    if any(getattr(region, name) != value for name, value in owner.items()):
        raise RefusedByRule("That region belongs to something else of this case. Reload the page.")


def _item(reading: Reading, criterion: Criterion, change: RateCriterion) -> dict[str, Any]:
    """What the criterion is asked of, by primary key: the one thing that its target says, and no other."""
    named = {"completion": change.completion, "step": change.step, "region": change.region}
    wanted = {Target.STEP: "step", Target.REGION: "region", Target.ANSWER: "completion"}.get(
        Target(criterion.target)
    )
    if {name for name, uid in named.items() if uid is not None} != ({wanted} if wanted else set()):
        raise RefusedByRule(
            f"{criterion.name} is asked of {criterion.get_target_display()}. Name that and nothing else."
        )
    if criterion.target == Target.VOTE and reading.completion_b_id is None:
        raise RefusedByRule("This case shows one completion, so there is nothing to vote between.")
    item: dict[str, Any] = {"completion_id": None, "step_id": None, "region_id": None}
    shown = shown_completions(reading)
    if change.step is not None:
        item["step_id"] = _one_of(ReasoningStep.objects.filter(completion__in=shown), change.step, "step")
    elif change.region is not None:
        regions = Region.objects.filter(step__completion__in=shown)
        item["region_id"] = _one_of(regions, change.region, "region")
    elif change.completion is not None:
        answers = Completion.with_altered.filter(pk__in=shown)
        item["completion_id"] = _one_of(answers, change.completion, "answer")
    return item


def _checked_value(criterion: Criterion, value: CriterionValue) -> Any:
    """Raises RefusedByRule for a value that the criterion does not offer."""
    offered = [option["value"] for option in criterion.options]
    if criterion.kind == Kind.TEXT:
        if not isinstance(value, str) or not value.strip():
            raise RefusedByRule(f"{criterion.name} is answered in words. Write some, or take it back.")
        if len(value) > MAX_CRITERION_TEXT:
            raise RefusedByRule(
                f"The text is longer than {MAX_CRITERION_TEXT} characters. Shorten it to save it."
            )
        return value
    chosen: Sequence[int | str] = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) != (criterion.kind == Kind.CHOICES) or not chosen:
        several = "one or more of its values" if criterion.kind == Kind.CHOICES else "one of its values"
        raise RefusedByRule(f"{criterion.name} is answered by {several}. Choose again.")
    if any(not _is_offered(one, offered) for one in chosen) or len(set(chosen)) < len(chosen):
        raise RefusedByRule(f"{criterion.name} has no such value. Choose one that is offered.")
    return list(value) if isinstance(value, tuple) else value


def _is_offered(value: int | str, offered: Sequence[Any]) -> bool:
    return any(type(value) is type(other) and value == other for other in offered)


def _one_of(rows: Any, uid: uuid.UUID, noun: str) -> int:
    """The primary key of the row with this uid among `rows`."""
    found: int | None = rows.filter(uid=uid).values_list("pk", flat=True).first()
    if found is None:
        raise of_another_case(noun)
    return found
