"""Studies that came in long ago, rules of how long they are kept, and batches in this process."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.erasure.models import RetentionBatch
from deepmedix_review.erasure.retention.batches import AskedBatch, erase_batch, queue_batch, to_erase
from deepmedix_review.studies.models import Instance, RetentionRule, Study
from deepmedix_review.studies.retention.services import AskedRule, make_rule
from tests.factories.studies import InstanceFactory, SeriesFactory, StudyFactory

WHY = "The ethics vote lets us keep films of the trial for so long"


def came(moment: datetime, *, profile: str = "keep-dates-shifted", **fields: Any) -> Study:
    """With a film; the first of it came at that moment."""
    study: Study = StudyFactory.create(**{"is_phantom": False, **fields})
    InstanceFactory.create(series=SeriesFactory.create(study=study), profile=profile)
    return came_at(study, moment)


def came_at(study: Study, moment: datetime) -> Study:
    Study.objects.filter(pk=study.pk).update(created_at=moment, is_phantom=False)
    study.refresh_from_db()
    return study


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def film_of(study: Study) -> Instance:
    return Instance.objects.get(series__study=study)


def a_rule(admin: User, days: int, *, of: str = "every:", because: str = WHY) -> RetentionRule:
    return make_rule(AskedRule(of=of, keep_days=days, because=because), actor=admin)


def asked_batch(admin: User) -> RetentionBatch:
    now = timezone.now()
    return queue_batch(AskedBatch(len(to_erase(as_of=now)), as_of=now), actor=admin)


def run(batch: RetentionBatch) -> RetentionBatch:
    """As a worker does: to its end, whichever."""
    jobs.carry_out(RetentionBatch, job_id=batch.pk, work=erase_batch)
    batch.refresh_from_db()
    return batch
