"""What reads a study now stands against its erasure, by a sentence that says the way out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.previewing import preview
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.services import Asked, cancel_erasure, queue_erasure, requeue_erasure
from deepmedix_review.erasure.tasks import erase_claimed
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.models import HandOver, TrainingRun
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reviews.models import Assignment, Reading
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.models import (
    ArchiveImport,
    ImportBatch,
    ImportItem,
    PacsPull,
    SentMessage,
    Study,
)
from tests.deepmedix_review.erasure.an_erasure import Used, a_used_study, erased

pytestmark = pytest.mark.django_db


def a_model_writes(used: Used) -> None:
    InferenceJob.objects.filter(study=used.study).update(state=JobState.RUNNING)


def an_archive_comes_in(used: Used) -> None:
    batch = ImportBatch.objects.create(source=ImportBatch.Source.ARCHIVE)
    ImportItem.objects.create(batch=batch, file_name="1.dcm", outcome="accepted", instance=used.film)
    ArchiveImport.objects.create(batch=batch, file_name="a.zip", num_bytes=1, num_received=1, state="running")


def a_message_comes_in(used: Used) -> None:
    batch = ImportBatch.objects.create(source=ImportBatch.Source.STOW)
    ImportItem.objects.create(batch=batch, file_name="part 1", outcome="accepted", instance=used.film)
    SentMessage.objects.create(batch=batch, num_films=2, num_bytes=1, num_done=1, state="running")


def it_is_pulled(used: Used) -> None:
    PacsPull.objects.filter(studies__study=used.study).update(state="running")


def a_reader_is_at_it(used: Used) -> None:
    reading = Reading.objects.filter(assignment__case__study=used.study, signed_at=None).earliest("pk")
    Reading.objects.filter(pk=reading.pk).update(opened_at=timezone.now())


def a_reader_took_it(used: Used) -> None:
    case = Assignment.objects.filter(case__study=used.study, signed_at=None)
    case.update(lease_expires_at=timezone.now() + timedelta(hours=1))


def a_run_learns_from_it(used: Used) -> None:
    TrainingRun.objects.filter(pk=used.run.pk).update(state=JobState.RUNNING)


def the_gate_measures_on_it(used: Used) -> None:
    Evaluation.objects.filter(model_version=used.candidate).update(state=JobState.RUNNING)


def a_bundle_is_written(used: Used) -> None:
    HandOver.objects.create(
        dataset=used.dataset,
        parent_version=used.run.parent_version,
        created_by=used.export.created_by,
        reward="grounded",
        num_train=1,
        num_validation=1,
        state=JobState.RUNNING,
    )


def an_export_is_written(used: Used) -> None:
    Export.objects.filter(pk=used.export.pk).update(state=JobState.RUNNING)


def an_export_lost_its_worker(used: Used) -> None:
    Export.objects.filter(pk=used.export.pk).update(state=JobState.QUEUED, attempt=1)


@pytest.mark.parametrize(
    ("begin", "says"),
    [
        (a_model_writes, "cancel it on the page Inference"),
        (an_archive_comes_in, "cancel it on the page Import films"),
        (a_message_comes_in, "cancel it on the page Import films"),
        (it_is_pulled, "cancel it on the page From a PACS"),
        (a_reader_is_at_it, "Put the study on hold on its page"),
        (a_reader_took_it, "Put the study on hold on its page"),
        (a_run_learns_from_it, "have a researcher cancel it"),
        (the_gate_measures_on_it, "The gate is measuring a model on it"),
        (a_bundle_is_written, "have a researcher cancel it"),
        (an_export_is_written, "cancel it on the page Exports"),
        (an_export_lost_its_worker, "cancel it on the page Exports"),
    ],
)
def test_what_is_in_use_is_not_erased_and_the_sentence_says_what_to_do(
    admin: User, begin: Callable[[Used], None], says: str
) -> None:
    used = a_used_study(admin)
    scope = study_scope(admin, used.study.uid)
    assert preview(scope).hindrances == []
    begin(used)
    [sentence] = preview(scope).hindrances
    assert says in sentence
    with pytest.raises(RefusedByRule, match=says):
        queue_erasure(scope, Asked("retention", "", scope.name), actor=admin)
    assert not Erasure.objects.exists()
    assert Study.objects.filter(pk=used.study.pk).exists()


def test_a_reader_at_a_case_loses_it_by_the_hold_and_then_it_can_be_erased(admin: User) -> None:
    used = a_used_study(admin)
    a_reader_is_at_it(used)
    hold_study(used.study, reason="It is to be erased", actor=admin)
    assert erased(study_scope(admin, used.study.uid), actor=admin).state == JobState.DONE


def test_what_begins_between_asking_and_erasing_takes_nothing_and_it_can_be_tried_again(admin: User) -> None:
    used = a_used_study(admin)
    scope = study_scope(admin, used.study.uid)
    erasure = queue_erasure(scope, Asked("retention", "", scope.name), actor=admin)
    a_model_writes(used)
    _run(erasure)
    assert erasure.state == JobState.FAILED
    assert "Nothing was erased." in erasure.error
    assert "cancel it on the page Inference" in erasure.error
    assert all(path.is_file() for path in used.files)
    InferenceJob.objects.update(state=JobState.CANCELLED)
    requeue_erasure(erasure, actor=admin)
    _run(erasure)
    assert (erasure.state, erasure.error) == (JobState.DONE, "")
    assert not any(path.exists() for path in used.files)


def test_it_is_cancelled_before_anything_went_and_not_after(admin: User) -> None:
    used = a_used_study(admin)
    scope = study_scope(admin, used.study.uid)
    erasure = queue_erasure(scope, Asked("retention", "", scope.name), actor=admin)
    with pytest.raises(RefusedByRule, match="being erased already"):
        queue_erasure(scope, Asked("retention", "", scope.name), actor=admin)
    cancel_erasure(erasure, actor=admin)
    assert erasure.state == JobState.CANCELLED
    assert jobs.claim(Erasure, job_id=erasure.pk) is None
    assert Study.objects.filter(pk=used.study.pk).exists()
    done = erased(scope, actor=admin)
    with pytest.raises(RefusedByRule, match="too late"):
        cancel_erasure(done, actor=admin)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked("", "", "S"), "Choose why"),
        (Asked("other", " ", "S"), "Say in words why"),
        (Asked("retention", "x" * 301, "S"), "at most 300"),
        (Asked("retention", "", "S-00000000"), "To confirm, type S-"),
    ],
)
def test_what_is_not_said_in_full_erases_nothing(admin: User, asked: Asked, says: str) -> None:
    used = a_used_study(admin)
    with pytest.raises(RefusedByRule, match=says):
        queue_erasure(study_scope(admin, used.study.uid), asked, actor=admin)
    assert not Erasure.objects.exists()


def _run(erasure: Erasure) -> None:
    claimed = jobs.claim(Erasure, job_id=erasure.pk)
    assert claimed is not None
    erase_claimed(claimed)
    erasure.refresh_from_db()
