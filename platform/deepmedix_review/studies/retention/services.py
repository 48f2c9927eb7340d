"""Makes, switches and deletes rules of retention, and keeps single studies longer."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.dates import say_day
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.models import Keeping, RetentionRule, Study
from deepmedix_review.studies.models.retention import LONGEST_DAYS
from deepmedix_review.studies.retention.due import choices_of_studies

LONGEST_REASON = 300


@dataclass(frozen=True)
class AskedRule:
    """`of` is one of `choices_of_studies`."""

    of: str
    keep_days: int
    because: str


def make_rule(asked: AskedRule, *, actor: User) -> RetentionRule:
    """It erases nothing: what it makes due waits for an admin."""
    require(actor, Capability.ERASE_STUDIES)
    if asked.of not in dict(choices_of_studies()):
        raise RefusedByRule("Choose of which studies the rule is.")
    if not 1 <= asked.keep_days <= LONGEST_DAYS:
        raise RefusedByRule(f"Say for how many days studies are kept: 1 to {LONGEST_DAYS:,}.")
    because = _reason(asked.because, of="the rule is there")
    of, _, value = asked.of.partition(":")
    with transaction.atomic():
        rule = RetentionRule.objects.create(
            of=of, value=value, keep_days=asked.keep_days, because=because, created_by=actor
        )
        record_event(actor=actor, action="make_retention_rule", subject=rule, details=_told(rule))
    return rule


@transaction.atomic
def switch_rule(rule: RetentionRule, *, is_on: bool, actor: User) -> RetentionRule:
    """Off, it makes nothing due. Twice the same is once."""
    require(actor, Capability.ERASE_STUDIES)
    held = RetentionRule.objects.select_for_update().get(pk=rule.pk)
    if held.is_on != is_on:
        held.is_on = is_on
        held.save(update_fields=["is_on"])
        action = "switch_retention_rule_on" if is_on else "switch_retention_rule_off"
        record_event(actor=actor, action=action, subject=held, details=_told(held))
    return held


@transaction.atomic
def delete_rule(rule: RetentionRule, *, actor: User) -> None:
    """What was erased by it stays erased, and the audit record keeps what it said."""
    require(actor, Capability.ERASE_STUDIES)
    record_event(actor=actor, action="delete_retention_rule", subject=rule, details=_told(rule))
    RetentionRule.objects.filter(pk=rule.pk).delete()


def keep_longer(study: Study, *, last_day: date, because: str, actor: User) -> Keeping:
    """Up to the end of that day, UTC. It takes the place of one before."""
    require(actor, Capability.ERASE_STUDIES)
    now = timezone.now()
    said = _reason(because, of="it is kept longer")
    if last_day < now.date():
        raise RefusedByRule(f"{say_day(last_day)} is over. Choose a day that is to come.")
    if last_day > now.date() + timedelta(days=LONGEST_DAYS):
        raise RefusedByRule("Choose a day within a hundred years.")
    ends_at = datetime.combine(last_day + timedelta(days=1), time(), UTC)
    with transaction.atomic():
        # Of two that come at once the later one takes the place of the other.
        Study.objects.select_for_update(of=("self",)).get(pk=study.pk)
        Keeping.objects.filter(study=study, ended_at=None).update(ended_at=now)
        keeping = Keeping.objects.create(study=study, ends_at=ends_at, because=said, created_by=actor)
        record_event(
            actor=actor,
            action="keep_study_longer",
            subject=study,
            details={"last_day": last_day.isoformat(), "because": said},
        )
    return keeping


@transaction.atomic
def end_keeping(keeping: Keeping, *, actor: User) -> None:
    """From now on the rules hold again. Twice is once."""
    require(actor, Capability.ERASE_STUDIES)
    ended = Keeping.objects.filter(pk=keeping.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        record_event(actor=actor, action="end_keeping_study", subject=keeping.study)


def _told(rule: RetentionRule) -> dict[str, object]:
    return {"of": str(rule.of), "value": rule.value, "keep_days": rule.keep_days, "because": rule.because}


def _reason(words: str, *, of: str) -> str:
    said = " ".join(words.split())
    if not said:
        raise RefusedByRule(f"Say in words why {of}, without names.")
    if len(said) > LONGEST_REASON:
        raise RefusedByRule(f"The words have {len(said)} characters; write at most {LONGEST_REASON}.")
    return said
