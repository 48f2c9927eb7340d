"""A data set that was frozen when each row had one reading is carried over as it was, and closed again."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from deepmedix_review.feedback.models import PreferenceDataset, PreferencePair
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Split
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ServingModelFactory

BEFORE = "0003_runs_follow_recipes"


def migrate(name: str = "") -> Any:
    """The apps as they are at that migration of this one, or all at their last: others rest on this one's."""
    executor = MigrationExecutor(connection)
    target = [("feedback", name)] if name else executor.loader.graph.leaf_nodes()
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def readings(transactional_db: None) -> Iterator[list[Reading]]:
    """Two of the train side and one that is held out."""
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    sides = (Split.TRAIN, Split.TRAIN, Split.TEST)
    yield [a_reading_to_learn_from(model, seed=2_000_000 + 10 * n, side=side) for n, side in enumerate(sides)]
    migrate()


def test_old_rows_name_their_reading_their_side_and_their_certainty(readings: list[Reading]) -> None:
    old = migrate(BEFORE)
    dataset = old.get_model("feedback", "PreferenceDataset").objects.create(
        title="Old", as_of=timezone.now(), num_readings=3, num_pairs=3, num_labels=3, sha256="a" * 64
    )
    for position, reading in enumerate(readings, 1):
        of_reading = {
            "dataset": dataset,
            "position": position,
            "reading_id": reading.pk,
            "completion_id": reading.completion_a_id,
        }
        old.get_model("feedback", "PreferencePair").objects.create(
            **of_reading, origin="vote", prompt="p", chosen="a", rejected="b", weight=0.5
        )
        old.get_model("feedback", "PreferenceLabel").objects.create(
            **of_reading, criterion="correctness", value=0.75
        )
    migrate()
    kept = PreferenceDataset.objects.get(title="Old")
    assert kept.sha256 == "a" * 64
    assert [pair.readings for pair in kept.pairs.all()] == [[reading.pk] for reading in readings]
    assert [pair.split for pair in kept.pairs.all()] == ["train", "train", "test"]
    assert {(pair.weight, pair.probability) for pair in kept.pairs.all()} == {(0.5, 0.75)}
    assert [(row.reading_id, row.split) for row in kept.readings.all()] == [
        (reading.pk, split) for reading, split in zip(readings, ("train", "train", "test"), strict=True)
    ]
    assert {(label.value, label.num_readers) for label in kept.labels.all()} == {(0.75, 1)}
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        PreferencePair.objects.filter(dataset=kept).update(weight=0.1)
