"""What is due is erased once an admin has said so, study by study; what is read stays and says why."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure import erasing
from deepmedix_review.erasure.files import delete_files
from deepmedix_review.erasure.models import Erasure, FileToDelete, RetentionBatch
from deepmedix_review.erasure.retention import batches
from deepmedix_review.erasure.retention.batches import AskedBatch, cancel_batch, queue_batch, to_erase
from deepmedix_review.erasure.retention.page import overdue, preview_batch, soon
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.services import Asked, queue_erasure
from deepmedix_review.erasure.tasks import run_erasure, tend_erasures
from deepmedix_review.exports.models import Export
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.studies.models import Keeping, Study
from deepmedix_review.studies.retention.services import end_keeping, keep_longer, switch_rule
from deepmedix_review.studies.storage import film_path
from tests.deepmedix_review.erasure.a_due_study import (
    WHY,
    a_rule,
    asked_batch,
    came,
    came_at,
    days_ago,
    run,
)
from tests.deepmedix_review.erasure.an_erasure import a_used_study, rows_that_lead_to
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As kill -9 would: nothing is cleaned up."""


def here(*studies: Study) -> list[bool]:
    return [Study.objects.filter(pk=study.pk).exists() for study in studies]


def said_in(batch: RetentionBatch) -> dict[Any, str]:
    return dict(batch.studies.exclude(said="").values_list("study_uid", "said"))


def test_what_is_due_goes_with_all_of_it_and_what_had_used_it_is_named(admin: User) -> None:
    used = a_used_study(admin)
    ReaderStudy.objects.update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    came_at(used.study, days_ago(40))
    came_at(used.other, days_ago(20))
    keep_longer(used.study, last_day=timezone.now().date(), because="over today", actor=admin)
    Keeping.objects.update(ends_at=days_ago(1))
    a_rule(admin, 30)
    found = preview_batch(admin, as_of=timezone.now())
    assert (found.num_studies, found.num_films, found.num_read) == (1, 1, 0)
    assert found.num_signed > 0
    assert {use.name for kind in found.uses for use in kind.uses} >= {"Round 1", "Winter"}
    batch = run(asked_batch(admin))
    assert (batch.state, batch.error) == (JobState.DONE, "")
    assert here(used.study, used.other) == [False, True]
    assert not [path for path in used.files if path.exists()]
    assert not [table for table, num in rows_that_lead_to(used.study) if num]
    [one] = batch.studies.all()
    erasure = one.erasure
    assert erasure is not None
    assert (erasure.state, erasure.why, erasure.note) == (JobState.DONE, "retention", WHY)
    assert erasure.requested_by == admin
    assert {use.kind for use in erasure.uses.all()} >= {"data_set", "model", "training_run", "export"}
    actions = list(AuditEvent.objects.filter(subject_uid=str(erasure.uid)).values_list("action", flat=True))
    assert actions == ["request_erasure", "erase_studies", "delete_erased_files"]
    told = AuditEvent.objects.get(action="finish_retention_batch")
    assert told.details == {"num_erased": 1, "num_kept": 0}
    assert check_chain().broken_at is None


def test_what_something_reads_is_not_erased_and_says_why(admin: User) -> None:
    used = a_used_study(admin)
    came_at(used.study, days_ago(40))
    free, exported = came(days_ago(50)), came(days_ago(45))
    a_rule(admin, 30)
    # Both are of the reader study; the other is young.
    came_at(used.other, days_ago(1))
    assert used.reader_study.state == ReaderStudy.State.RUNNING
    [row] = [row for row in overdue(admin, now=timezone.now()).rows if row.hindrance]
    assert row.due.study == used.study
    assert f"It is read in “{used.reader_study.title}”" in row.hindrance
    assert preview_batch(admin, as_of=timezone.now()).num_read == 1
    batch = asked_batch(admin)
    assert batch.studies.count() == 2
    # From the moment of asking on, too.
    ReaderStudy.objects.update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    second = asked_batch(admin)
    ReaderStudy.objects.update(state=ReaderStudy.State.PAUSED, locked_at=None)
    assert run(batch).state == JobState.DONE
    assert run(second).state == JobState.DONE
    assert here(free, exported, used.study) == [False, False, True]
    assert said_in(batch) == {}
    assert "which is not locked. Lock it first" in said_in(second)[used.study.uid]
    ReaderStudy.objects.update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    Export.objects.update(state=JobState.RUNNING)
    third = run(asked_batch(admin))
    assert said_in(third) == {
        used.study.uid: "An export that has it is being written. Wait for it, or cancel it on the page "
        "Exports."
    }
    Export.objects.update(state=JobState.DONE)
    run(asked_batch(admin))
    assert here(used.study) == [False]


def test_what_is_kept_longer_since_or_erased_otherwise_is_left_and_named(admin: User) -> None:
    kept, gone, other = came(days_ago(50)), came(days_ago(49)), came(days_ago(48))
    rule = a_rule(admin, 30)
    batch = asked_batch(admin)
    keep_longer(kept, last_day=timezone.now().date(), because="a court asks", actor=admin)
    scope = study_scope(admin, gone.uid)
    by_hand = queue_erasure(scope, Asked("withdrawn", "", scope.name), actor=admin)
    run_erasure(by_hand.pk)
    run(batch)
    assert here(kept, gone, other) == [True, False, False]
    assert said_in(batch) == {
        kept.uid: "It is not due any more: it is kept longer by now, or no rule is of it.",
        gone.uid: "It is not here any more: it was erased otherwise.",
    }
    Keeping.objects.update(ended_at=timezone.now())
    again = asked_batch(admin)
    switch_rule(rule, is_on=False, actor=admin)
    run(again)
    assert here(kept) == [True]


def test_what_is_kept_longer_or_read_after_its_worker_was_killed_stays(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = a_used_study(admin)
    ReaderStudy.objects.update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    came_at(used.study, days_ago(50))
    a_rule(admin, 30)
    batch = asked_batch(admin)

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(batches, "erase", die)
        with pytest.raises(Killed):
            run(batch)
    erasure = Erasure.objects.get()
    keeping = keep_longer(used.study, last_day=timezone.now().date(), because="a court asks", actor=admin)
    for sentence in ("It is not due any more", "which is not locked"):
        Erasure.objects.update(state=JobState.QUEUED)
        run_erasure(erasure.pk)
        erasure.refresh_from_db()
        assert (erasure.state, erasure.erased_at) == (JobState.FAILED, None)
        assert sentence in erasure.error
        end_keeping(keeping, actor=admin)
        ReaderStudy.objects.update(state=ReaderStudy.State.RUNNING, locked_at=None)
    assert here(used.study) == [True]


def test_a_worker_killed_between_rows_and_files_is_followed_and_nothing_goes_twice(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [store_phantom(seed=seed) for seed in (1, 2, 3)]
    for place, film in enumerate(films):
        came_at(film.study, days_ago(50 - place))
    a_rule(admin, 30)
    batch = asked_batch(admin)
    num_deleted = 0

    def die_at_the_second(*args: Any, **named: Any) -> None:
        nonlocal num_deleted
        num_deleted += 1
        if num_deleted == 2:
            raise Killed
        delete_files(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "delete_files", die_at_the_second)
        with pytest.raises(Killed):
            run(batch)
    first, second, third = (film.series.study for film in films)
    assert here(first, second, third) == [False, False, True]
    assert [film_path(film).exists() for film in films] == [False, True, True]
    assert Erasure.objects.filter(state=JobState.RUNNING).count() == 1
    # Nobody is asked about what is on the list already.
    with pytest.raises(RefusedByRule, match="Nothing is due"):
        asked_batch(admin)
    for model in (RetentionBatch, Erasure):
        model.objects.filter(state=JobState.RUNNING).update(lease_expires_at=days_ago(1))
        jobs.requeue_expired(model)
    run(batch)
    assert (batch.state, batch.attempt) == (JobState.DONE, 2)
    # What was left in the middle goes on by itself.
    [left] = Erasure.objects.filter(state=JobState.QUEUED)
    run_erasure(left.pk)
    assert [film_path(film).exists() for film in films] == [False, False, False]
    assert not FileToDelete.objects.exists()
    assert Erasure.objects.filter(state=JobState.DONE).count() == 3
    assert AuditEvent.objects.filter(action="erase_studies").count() == 3
    tend_erasures()
    assert check_chain().broken_at is None


def test_many_are_due_and_a_batch_takes_the_longest_due(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(batches, "MOST_AT_ONCE", 3)
    monkeypatch.setattr("deepmedix_review.erasure.retention.page.MOST_AT_ONCE", 3)
    monkeypatch.setattr(batches, "WRITTEN_AT_ONCE", 2)
    studies = [came(days_ago(100 - days)) for days in range(5)]
    a_rule(admin, 30)
    found = preview_batch(admin, as_of=timezone.now())
    assert (found.num_studies, found.num_later) == (3, 2)
    batch = run(asked_batch(admin))
    assert here(*studies) == [False, False, False, True, True]
    assert [one.study_uid for one in batch.studies.order_by("pk")] == [one.uid for one in studies[:3]]
    for _ in range(30):
        came(days_ago(90))
    with django_assert_max_num_queries(8):
        assert overdue(admin, now=timezone.now()).num == 32
    # One that falls due soon is no longer due when it is overdue, and before.
    came(days_ago(1))
    assert soon(admin, now=timezone.now()).num == 1


def test_the_number_is_typed_and_a_cancelled_batch_leaves_what_it_had_not_begun(admin: User) -> None:
    studies = [came(days_ago(50)) for _ in range(2)]
    a_rule(admin, 30)
    for num in (0, 1, 3):
        with pytest.raises(RefusedByRule, match=r"2 are due by .* Look at them again, and type 2"):
            queue_batch(AskedBatch(num), actor=admin)
    # A moment that is to come is now.
    with pytest.raises(RefusedByRule, match="type 2"):
        queue_batch(AskedBatch(9, as_of=timezone.now() + timedelta(days=999)), actor=admin)
    with pytest.raises(RefusedByRule, match="Nothing is due"):
        queue_batch(AskedBatch(2, as_of=days_ago(30)), actor=admin)
    assert not RetentionBatch.objects.exists()
    batch = asked_batch(admin)
    cancel_batch(batch, actor=admin)
    assert run(batch).state == JobState.CANCELLED
    assert here(*studies) == [True, True]
    assert len(to_erase(as_of=timezone.now())) == 2
    with pytest.raises(RefusedByRule, match="nothing is left to cancel"):
        cancel_batch(batch, actor=admin)


def test_nobody_but_an_admin_erases_what_is_due(admin: User) -> None:
    came(days_ago(50))
    a_rule(admin, 30)
    batch = asked_batch(admin)
    for person in (ExpertFactory.create(), ResearcherFactory.create()):
        for act in (
            lambda who: queue_batch(AskedBatch(1), actor=who),
            lambda who: cancel_batch(batch, actor=who),
            lambda who: preview_batch(who, as_of=timezone.now()),
            lambda who: overdue(who, now=timezone.now()),
        ):
            with pytest.raises(NotYours, match="may not erase studies"):
                act(person)
    # Who asked for it is no admin any more: nothing goes in that name.
    User.objects.filter(pk=admin.pk).update(role="expert")
    batch = run(RetentionBatch.objects.get())
    assert batch.state == JobState.FAILED
    assert "may not erase studies" in batch.error
    assert Study.objects.count() == 1
