"""The demo takes the same road as any study, once, and says so when no worker answers."""

from pathlib import Path

import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model
from deepmedix_review.reviews.demo import announce_demo, load_demo
from deepmedix_review.reviews.known_answers import read_known_answer
from deepmedix_review.reviews.models import ReaderStudy, Reading
from deepmedix_review.studies.models import ImportBatch, Study
from deepmedix_review.studies.selectors import LONGEST_DEMO, demo_import
from inference.presets import PRESETS
from tests.factories.models import write_untrained_model
from tests.factories.registry import ServingModelFactory
from tests.workers import Workers


def test_real_workers_answer_the_demo_films_and_the_expert_finds_them_once(
    celery_workers: Workers, tmp_path: Path
) -> None:
    version = register_model(
        folder=write_untrained_model(tmp_path / "model"), preset=PRESETS["phantom"], card={}, actor=None
    )
    promote(version, actor=None)
    ModelVersion.objects.filter(pk=version.pk).update(max_new_tokens=20)
    told: list[str] = []
    reader_study = load_demo(tell=told.append, num_films=2)
    expert = User.objects.get(username="expert")
    readings = Reading.objects.filter(assignment__reader=expert, completion_b__isnull=False)
    assert sorted(readings.values_list("assignment__case__role", flat=True)) == ["data", "training"]
    practice = readings.get(assignment__case__role="training")
    assert practice.assignment.position == 1
    known = read_known_answer(practice.assignment.case.known_answer or {})
    assert known.findings == ("Lung Lesion",)
    [region] = known.regions
    film = practice.completion_a.instance
    assert 0 <= region.box[0] < region.box[2] <= film.columns
    assert 0 <= region.box[1] < region.box[3] <= film.rows
    assert Study.objects.filter(is_phantom=True).count() == 2
    assert told[-1] == "2 cases wait on the worklist of expert."
    assert load_demo(tell=told.append, num_films=2) == reader_study
    assert ReaderStudy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_worker_the_demo_says_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepmedix_review.reviews.demo.POLL_SECONDS", 0.01)
    ServingModelFactory.create()
    with pytest.raises(RefusedByRule, match=r"No inference worker has answered.*load_demo again"):
        load_demo(tell=lambda line: None, num_films=1, patience_seconds=0.05)


@pytest.mark.django_db
def test_a_demo_that_was_announced_long_ago_and_never_came_is_promised_once_it_is_being_made() -> None:
    announce_demo()
    ImportBatch.objects.update(created_at=timezone.now() - 2 * LONGEST_DEMO)
    assert demo_import() is None
    with pytest.raises(RefusedByRule, match="No demo film"):
        load_demo(tell=lambda line: None, num_films=0)
    assert demo_import() is not None
