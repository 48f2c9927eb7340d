"""A run is refused, or fails, with a sentence that says what to do."""

import pytest
from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import cancel_training, freeze_dataset
from deepmedix_review.feedback.tasks import request_training, request_training_retry, run_training
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from inference.prompts import FINDINGS_QUERY
from rl_feedback.training.examples import TaughtText
from rl_feedback.training.recipe import Recipe
from rl_feedback.training.stages import STAGES
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db


def dpo(**choices: object) -> dict[str, object]:
    return {"stages": [{"kind": "dpo", **choices}]}


@pytest.fixture
def researcher() -> User:
    user: User = ResearcherFactory.create()
    return user


@pytest.fixture
def model() -> ModelVersion:
    version: ModelVersion = ServingModelFactory.create(
        image_preparation="square", min_pixels=12544, max_pixels=12544
    )
    return version


@pytest.fixture
def dataset(researcher: User, model: ModelVersion) -> PreferenceDataset:
    a_reading_to_learn_from(model)
    return freeze_dataset(title="Round 1", actor=researcher)


def test_a_run_starts_from_the_serving_model_and_is_audited(
    dataset: PreferenceDataset, researcher: User, model: ModelVersion
) -> None:
    run = request_training(dataset=dataset, actor=researcher, recipe=dpo(num_steps=3))
    assert (run.parent_version, run.state, run.num_steps) == (model, JobState.QUEUED, 3)
    assert AuditEvent.objects.get(action="request_training").subject_uid == str(run.uid)
    with pytest.raises(NotYours):
        request_training(dataset=dataset, actor=AdminFactory.create())


def test_a_setting_that_cannot_work_is_refused_by_name(dataset: PreferenceDataset, researcher: User) -> None:
    with pytest.raises(RefusedByRule, match="Stage 1: learning_rate must be"):
        request_training(dataset=dataset, actor=researcher, recipe=dpo(learning_rate=5))
    with pytest.raises(RefusedByRule, match="There is no setting steps"):
        request_training(dataset=dataset, actor=researcher, recipe=dpo(steps=5))


def test_drawn_films_are_replayed_for_models_that_learned_from_them_alone(
    dataset: PreferenceDataset, researcher: User, model: ModelVersion
) -> None:
    [stage] = request_training(dataset=dataset, actor=researcher, recipe=dpo()).recipe["stages"]
    assert (stage["replay_from"], stage["replay_per_step"]) == ("drawn", 8)
    ModelVersion.objects.filter(pk=model.pk).update(prompt_template="deepmedix-r1")
    [stage] = request_training(dataset=dataset, actor=researcher, recipe=dpo()).recipe["stages"]
    assert (stage["replay_from"], stage["replay_per_step"]) == ("kept", 8)
    Completion.objects.update(problems=["no_answer"])
    [stage] = request_training(dataset=dataset, actor=researcher, recipe=dpo()).recipe["stages"]
    assert stage["replay_per_step"] == 0


def test_questions_are_taught_bare_with_the_answers_that_readers_let_stand(
    dataset: PreferenceDataset, researcher: User, model: ModelVersion
) -> None:
    with pytest.raises(RefusedByRule, match=r"Stage 1 has nothing to learn from.*of the origin question"):
        request_training(dataset=dataset, actor=researcher, recipe=Recipe.of("instruction").as_json())
    Completion.objects.update(query="Is the heart enlarged?")
    taught = examples_of(dataset, parent=model).of(STAGES["instruction"].config)
    assert [(one.prompt, one.text) for one in taught if isinstance(one, TaughtText)] == [
        ("Is the heart enlarged?", f"\\boxed{{{completion.answer}}}") for completion in _let_stand(dataset)
    ]
    # Where the model is told to reason beside the question, its own question is one to answer at once too.
    ModelVersion.objects.filter(pk=model.pk).update(prompt_template="deepmedix-r1")
    Completion.objects.update(query=FINDINGS_QUERY)
    taught = examples_of(dataset, parent=model).of(STAGES["instruction"].config)
    assert {one.prompt for one in taught} == {FINDINGS_QUERY}


def test_the_published_three_stages_run_in_a_row(dataset: PreferenceDataset, researcher: User) -> None:
    Completion.objects.update(query="Is the heart enlarged?")
    chosen = Recipe.of("instruction", "cold-start", "grpo").as_json()
    run = request_training(dataset=dataset, actor=researcher, recipe=chosen)
    assert [stage["kind"] for stage in run.recipe["stages"]] == ["sft", "sft", "grpo"]


def _let_stand(dataset: PreferenceDataset) -> list[Completion]:
    """Whose text readers corrected, then those that they found good as they were."""
    corrected = {pair.completion.pk for pair in dataset.pairs.exclude(origin="vote")}
    good = dataset.labels.filter(criterion="overall").values_list("completion", flat=True)
    both = [*sorted(corrected), *(pk for pk in good.order_by("position") if pk not in corrected)]
    return [Completion.objects.get(pk=pk) for pk in both]


def test_pairs_in_coordinates_that_the_serving_model_does_not_write_are_refused(
    dataset: PreferenceDataset, researcher: User, model: ModelVersion
) -> None:
    ModelVersion.objects.filter(pk=model.pk).update(state=ModelVersion.State.RETIRED)
    ServingModelFactory.create(number=700, box_frame="norm1000")
    with pytest.raises(RefusedByRule, match="2 of 2 pairs have regions in coordinates that v700 does not"):
        request_training(dataset=dataset, actor=researcher)


def test_a_data_set_without_pairs_is_refused(researcher: User, model: ModelVersion) -> None:
    reading = a_reading_to_learn_from(model, vote=Vote.Side.TIE, moves_a_region=False)
    dataset = freeze_dataset(title="Ties", actor=researcher)
    assert (dataset.num_readings, dataset.num_pairs) == (1, 0)
    assert dataset.labels.filter(readings=[reading.pk]).exists()
    with pytest.raises(RefusedByRule, match="nothing to learn from"):
        request_training(dataset=dataset, actor=researcher)


def test_a_run_whose_films_are_gone_fails_and_says_so(dataset: PreferenceDataset, researcher: User) -> None:
    run = request_training(dataset=dataset, actor=researcher)
    pair = dataset.pairs.earliest("position")
    (settings.FILM_FOLDER / pair.completion.instance.file_path).unlink()
    run_training(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.FAILED
    assert run.error.startswith("Of this data set's films 1 can't be found in the film folder.")


def test_only_a_run_that_ended_badly_is_tried_again(dataset: PreferenceDataset, researcher: User) -> None:
    run = request_training(dataset=dataset, actor=researcher)
    with pytest.raises(RefusedByRule, match="This run is queued"):
        request_training_retry(run, actor=researcher)
    cancel_training(run, actor=researcher)
    assert run.state == JobState.CANCELLED
    request_training_retry(run, actor=researcher)
    assert run.state == JobState.QUEUED
