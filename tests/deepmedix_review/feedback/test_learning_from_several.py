"""What training takes of words of several readers: the train side, spreads of regions, ratings of steps."""

from dataclasses import asdict

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.expert_spreads import spread_at, spreads_of
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.rated_steps import rated_steps
from deepmedix_review.feedback.services import freeze_dataset, queue_training
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.studies.models import Split
from deepmedix_review.studies.selectors import film_path
from inference.phantoms import DEMO_SEEDS
from inference.regions import Box
from rl_feedback.training.examples import RatedStep, RewardedCase, TaughtText, TrainingPair
from rl_feedback.training.recipe import Recipe
from tests.factories.learning import (
    a_reading_to_learn_from,
    a_study_read_by_several,
)
from tests.factories.reasoning import QUERY

pytestmark = pytest.mark.django_db


def test_only_the_train_side_reaches_training(dataset: PreferenceDataset, model: ModelVersion) -> None:
    examples = examples_of(dataset, parent=model)
    learned = examples.by_kind[TrainingPair]
    assert 0 < len(learned) == dataset.pairs.filter(split="train").count() < dataset.num_pairs
    assert any(isinstance(pair, TrainingPair) and pair.prefix for pair in learned)
    held_out = {
        str(film_path(label.completion.instance))
        for label in dataset.labels.exclude(split="train").select_related("completion__instance")
    }
    for every in examples.by_kind.values():
        assert not held_out & {one.film for one in every}


def test_a_stage_is_taught_the_question_alone(dataset: PreferenceDataset, model: ModelVersion) -> None:
    """Training puts the chat and the film around it."""
    examples = examples_of(dataset, parent=model)
    assert {kind for kind, every in examples.by_kind.items() if every} >= {TaughtText, RewardedCase}
    assert {one.prompt for every in examples.by_kind.values() for one in every} == {QUERY}


def test_a_set_of_held_out_patients_alone_is_refused_with_the_way_out(
    model: ModelVersion, researcher: User
) -> None:
    a_reading_to_learn_from(model, side=Split.TEST)
    dataset = freeze_dataset(title="Held out", actor=researcher)
    assert dataset.num_pairs == 2
    with pytest.raises(RefusedByRule, match="held out for tuning or testing"):
        queue_training(dataset=dataset, actor=researcher)


def test_texts_of_other_patients_are_learned_from_though_every_pair_is_of_one_who_is_held_out(
    model: ModelVersion, researcher: User
) -> None:
    a_reading_to_learn_from(model, side=Split.TEST)
    for number in range(4):
        seed = DEMO_SEEDS.start + 10 * (number + 1)
        a_reading_to_learn_from(model, seed=seed, vote=Vote.Side.TIE, moves_a_region=False)
    dataset = freeze_dataset(title="Held out and kept", actor=researcher)
    assert not dataset.pairs.filter(split=Split.TRAIN).exists()
    run = queue_training(dataset=dataset, actor=researcher, recipe=Recipe.of("corrections").as_json())
    assert run.num_steps
    with pytest.raises(RefusedByRule, match="every pair of this data set is of a patient who is"):
        queue_training(dataset=dataset, actor=researcher, recipe=Recipe.of("dpo").as_json())


def test_ratings_of_steps_are_learned_from_by_numbers_and_only_those_that_a_label_rests_on(
    model: ModelVersion, dataset: PreferenceDataset
) -> None:
    rated = rated_steps(dataset, parent=model)
    assert examples_of(dataset, parent=model).by_kind[RatedStep] == rated
    labels = dataset.labels.filter(criterion="plausibility", step__isnull=False, split=Split.TRAIN)
    assert len(rated) == sum(len(label.readings) for label in labels) > 0
    assert {one.reader for one in rated} == {"reader 1", "reader 2", "reader 3"}
    assert all(one.patient.startswith("patient ") for one in rated)
    for one in rated:
        RatedStep.from_json(asdict(one))
    others = ModelVersion(box_frame="input", image_preparation="square", min_pixels=1, max_pixels=2)
    assert not rated_steps(dataset, parent=others)


def test_a_case_carries_how_far_apart_its_readers_drew_a_region(
    model: ModelVersion, researcher: User
) -> None:
    a_study_read_by_several(model, num_films=9, num_readers=4)
    dataset = freeze_dataset(title="Several", actor=researcher)
    spreads = spreads_of(dataset.regions.all())
    assert spreads
    region, spread = next(iter(spreads.values()))[0]
    near = Box(region.x_min + 1, region.y_min, region.x_max, region.y_max)
    assert spread_at(near, [(region, spread)]) == spread
    assert spread_at(Box(0, 0, 2, 2), [(region, spread)]) is None
    known = [
        known["tolerance"]
        for case in examples_of(dataset, parent=model).by_kind[RewardedCase]
        if isinstance(case, RewardedCase)
        for known in case.regions or ()
        if "tolerance" in known
    ]
    drawn = [list(spread) for some in spreads.values() for _, spread in some]
    assert known
    assert all(one in drawn for one in known)
