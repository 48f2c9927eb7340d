"""Readers who saw candidate and parent blinded have a word: whom they do not prefer is not promoted."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.gating.preference import preference_of
from deepmedix_review.feedback.gating.promoting import require_promotable
from deepmedix_review.feedback.models import GateDecision
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading, Vote
from deepmedix_review.studies.models import Split, Study
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import finished_run, patient_on
from tests.factories.registry import ModelVersionFactory
from tests.factories.reviews import reader_study

pytestmark = pytest.mark.django_db

NUM_CASES = 12


@pytest.fixture
def versions() -> tuple[ModelVersion, ModelVersion]:
    """A candidate that passed, and its parent, with a reader study in which each film shows both."""
    reader_study(num_cases=NUM_CASES)
    parent = ModelVersion.objects.get(state=ModelVersion.State.SERVING)
    candidate = ModelVersionFactory.create(number=900, parent=parent, folder=str(settings.SHIPPED_MODEL))
    GateDecision.objects.create(
        candidate=candidate, parent=parent, outcome="passed", policy={}, comparisons=[], sentence="Passed."
    )
    for number, reading in enumerate(Reading.objects.order_by("pk")):
        shown = reading.completion_a if number % 2 else reading.completion_b
        assert shown is not None
        shown.model_version = candidate
        shown.save(update_fields=["model_version"])
    return candidate, parent


def vote(
    candidate: ModelVersion, *, num_for_candidate: int, is_signed: bool = True, most: int = NUM_CASES
) -> None:
    """The first `most` readings vote for one side, A and B by turns; the first ones for the candidate's."""
    for number, reading in enumerate(Reading.objects.order_by("pk")[:most]):
        assert reading.completion_a is not None
        candidate_is_a = reading.completion_a.model_version == candidate
        is_a = candidate_is_a == (number < num_for_candidate)
        Vote.objects.create(reading=reading, side=Vote.Side.A if is_a else Vote.Side.B)
    if is_signed:
        Reading.objects.update(opened_at=timezone.now(), signed_at=timezone.now())


def learned_from_what_is_rated(candidate: ModelVersion, parent: ModelVersion) -> None:
    finished_run(
        freeze_dataset(title="Round 1", actor=ResearcherFactory.create()), parent=parent, candidate=candidate
    )


def test_without_a_shadow_study_there_is_no_preference(versions: tuple[ModelVersion, ModelVersion]) -> None:
    candidate, parent = versions
    assert preference_of(candidate, parent=parent).comparison is None
    vote(candidate, num_for_candidate=0, is_signed=False)
    assert preference_of(candidate, parent=parent).comparison is None
    assert require_promotable(candidate)


def test_a_candidate_that_readers_prefer_may_serve(versions: tuple[ModelVersion, ModelVersion]) -> None:
    candidate, parent = versions
    vote(candidate, num_for_candidate=9)
    found = preference_of(candidate, parent=parent)
    assert found.comparison is not None
    assert found.comparison.note.startswith("12 cases are too few to tell")
    assert (found.comparison.candidate, found.num_votes, found.num_readers) == (9 / NUM_CASES, NUM_CASES, 1)
    assert found.comparison.low < 0.25 < found.comparison.high
    assert require_promotable(candidate)


def test_a_candidate_whose_parent_readers_prefer_is_not_promoted(
    versions: tuple[ModelVersion, ModelVersion],
) -> None:
    candidate, parent = versions
    vote(candidate, num_for_candidate=2)
    with pytest.raises(RefusedByRule, match=f"Readers prefer {parent}: they chose v900 on 17% of 12 films"):
        require_promotable(candidate)


def test_a_preference_on_few_films_says_that_they_are_too_few_to_tell(
    versions: tuple[ModelVersion, ModelVersion], client: Client
) -> None:
    candidate, parent = versions
    Study.objects.update(patient_pseudonym=patient_on(Split.TEST))
    vote(candidate, num_for_candidate=NUM_CASES, most=3)
    found = preference_of(candidate, parent=parent)
    assert found.comparison is not None
    few = "3 cases are too few to tell: where 0.65 prefer one version it takes about 39."
    assert (found.comparison.candidate, found.comparison.note) == (1.0, few)
    learned_from_what_is_rated(candidate, parent)
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[candidate.uid])).content.decode()
    assert f'<small class="quiet">{few}</small>' in page


def test_votes_on_patients_that_the_candidate_learned_from_do_not_count(
    versions: tuple[ModelVersion, ModelVersion],
) -> None:
    candidate, parent = versions
    for number, reading in enumerate(Reading.objects.order_by("pk")):
        study = reading.assignment.case.study
        study.patient_pseudonym = patient_on(Split.TRAIN if number < 5 else Split.TEST)
        study.save(update_fields=["patient_pseudonym"])
    vote(candidate, num_for_candidate=7)
    learned_from_what_is_rated(candidate, parent)
    found = preference_of(candidate, parent=parent)
    assert found.comparison is not None
    assert (found.comparison.candidate, found.num_votes, found.num_left_out) == (2 / 7, 7, 5)
