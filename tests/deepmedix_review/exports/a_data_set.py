"""Exports of frozen data sets for tests, written in this process."""

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.services import AskedDataSet, claim_new_export
from deepmedix_review.exports.tasks import write_claimed
from deepmedix_review.feedback.models import PreferenceDataset
from tests.factories.accounts import ResearcherFactory

USE = "Research in our group."


def asked_for(dataset: PreferenceDataset, *, actor: User | None = None) -> Export:
    asked = AskedDataSet(dataset.uid, USE)
    return claim_new_export(asked, actor=actor or ResearcherFactory.create())


def ended(export: Export) -> Export:
    write_claimed(export)
    export.refresh_from_db()
    return export


def done(dataset: PreferenceDataset, *, actor: User | None = None) -> Export:
    export = ended(asked_for(dataset, actor=actor))
    assert export.state == JobState.DONE, export.error
    return export
