"""Signed readings become a data set that never changes again and says where each of its rows came from."""

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.models import PreferenceDataset, PreferenceLabel, PreferencePair
from deepmedix_review.feedback.services import freeze_dataset, queue_training
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.studies.holding import hold_study
from rl_feedback.training.examples import TrainingPair
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, an_open_reading_to_learn_from

pytestmark = pytest.mark.django_db


def test_a_signed_reading_gives_a_vote_pair_a_corrected_pair_and_labels_with_their_provenance(
    model: ModelVersion,
) -> None:
    reading = a_reading_to_learn_from(model, vote=Vote.Side.B)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    pairs = {pair.origin: pair for pair in dataset.pairs.all()}
    assert set(pairs) == {"vote", "region"}
    assert pairs["vote"].completion == reading.completion_b
    assert (pairs["vote"].chosen, pairs["vote"].rejected) == (
        reading.completion_b.text if reading.completion_b else "",
        reading.completion_a.text,
    )
    assert pairs["region"].rejected == reading.completion_a.text
    assert pairs["region"].chosen != reading.completion_a.text
    assert {tuple(pair.readings) for pair in pairs.values()} == {(reading.pk,)}
    assert pairs["vote"].rejected_completion == reading.completion_a
    assert pairs["vote"].weight == pytest.approx(2 * (pairs["vote"].probability - 0.5))
    assert {"plausibility", "grounding", "correctness"} <= set(
        dataset.labels.values_list("criterion", flat=True)
    )
    assert (dataset.num_readings, dataset.num_pairs, dataset.num_labels) == (1, 2, dataset.labels.count())


def test_a_moved_region_is_moved_by_as_much_in_the_models_own_pixels(model: ModelVersion) -> None:
    """8 film pixels of 224 are 4 of the model's 112."""
    reading = a_reading_to_learn_from(model)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    first = reading.completion_a.steps.get(position=1).regions.get(position=1)
    written = "[" + ", ".join(str(round(value)) for value in first.model_box) + "]"
    moved = "[" + ", ".join(str(round(value) + 4) for value in first.model_box) + "]"
    pair = dataset.pairs.get(origin="region")
    assert pair.chosen == reading.completion_a.text.replace(written, moved, 1)


def test_the_same_readings_freeze_to_the_same_sha256_and_one_more_changes_it(model: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    a_reading_to_learn_from(model, seed=2_000_000)
    first = freeze_dataset(title="Round 1", actor=researcher)
    second = freeze_dataset(title="Round 1, again", actor=researcher)
    a_reading_to_learn_from(model, seed=2_000_010)
    third = freeze_dataset(title="Round 2", actor=researcher)
    assert first.sha256 == second.sha256 != third.sha256


def test_an_unsigned_reading_is_no_part_of_a_data_set(model: ModelVersion) -> None:
    an_open_reading_to_learn_from(model)
    with pytest.raises(RefusedByRule, match="No reading is signed yet"):
        freeze_dataset(title="Too early", actor=ResearcherFactory.create())


def test_what_gave_no_pair_is_kept_with_its_reason(model: ModelVersion) -> None:
    a_reading_to_learn_from(model, vote=Vote.Side.TIE)
    dataset = freeze_dataset(title="Ties", actor=ResearcherFactory.create())
    assert "The votes name no better output." in [row["reason"] for row in dataset.left_out]


def test_the_database_refuses_every_later_change(model: ModelVersion) -> None:
    a_reading_to_learn_from(model)
    dataset = freeze_dataset(title="Frozen", actor=ResearcherFactory.create())
    pair = dataset.pairs.earliest("position")
    late = {
        field.attname: getattr(pair, field.attname)
        for field in PreferencePair._meta.fields
        if field.name != "id"
    }
    # Foreign keys are checked at the commit, and PostgreSQL empties no table with checks outstanding.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    for change in (
        lambda: PreferenceDataset.objects.filter(pk=dataset.pk).update(title="Thawed"),
        lambda: PreferencePair.objects.filter(pk=pair.pk).update(weight=0.1),
        lambda: PreferencePair.objects.filter(pk=pair.pk).delete(),
        lambda: PreferenceLabel.objects.filter(dataset=dataset).delete(),
        lambda: PreferencePair.objects.create(**{**late, "position": dataset.num_pairs + 1}),
        lambda: connection.cursor().execute("TRUNCATE feedback_preferencepair"),
    ):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            change()


def test_only_a_researcher_freezes_and_the_act_is_audited(model: ModelVersion) -> None:
    a_reading_to_learn_from(model)
    for user in (ExpertFactory.create(), AdminFactory.create()):
        with pytest.raises(NotYours):
            freeze_dataset(title="Round 1", actor=user)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    event = AuditEvent.objects.get(action="freeze_dataset")
    assert (event.subject_uid, event.details["sha256"]) == (str(dataset.uid), dataset.sha256)


def test_a_data_set_needs_a_title(model: ModelVersion) -> None:
    with pytest.raises(RefusedByRule, match="title"):
        freeze_dataset(title="  ", actor=ResearcherFactory.create())


@pytest.mark.parametrize("num_readings", [2, 4])
def test_freezing_takes_as_many_queries_for_many_readings_as_for_few(
    model: ModelVersion,
    num_readings: int,
    django_assert_max_num_queries,
) -> None:
    researcher = ResearcherFactory.create()
    for number in range(num_readings):
        a_reading_to_learn_from(model, seed=2_000_000 + 10 * number)
    with django_assert_max_num_queries(41):
        freeze_dataset(title="Many", actor=researcher)


def test_films_of_the_pairs_are_where_training_finds_them(model: ModelVersion) -> None:
    a_reading_to_learn_from(model)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    pairs = examples_of(dataset, parent=model).by_kind[TrainingPair]
    assert len(pairs) == 2
    assert all(Path(pair.film).is_file() for pair in pairs)


def test_pairs_of_a_study_that_was_put_on_hold_later_reach_no_training(model: ModelVersion) -> None:
    reading = a_reading_to_learn_from(model)
    researcher = ResearcherFactory.create()
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    assert len(examples_of(dataset, parent=model).by_kind[TrainingPair]) == dataset.num_pairs
    hold_study(reading.assignment.case.study, reason="text burned into the film", actor=AdminFactory.create())
    assert not any(examples_of(dataset, parent=model).by_kind.values())
    with pytest.raises(RefusedByRule, match=r"holds no texts to follow .* of studies that are ready"):
        queue_training(dataset=dataset, actor=researcher)
