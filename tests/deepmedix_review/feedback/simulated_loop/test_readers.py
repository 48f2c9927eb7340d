"""SIMULATED readers say by the reading room's own services what they see on the film."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.simulated_loop.design import design_round
from deepmedix_review.feedback.simulated_loop.readers import ensure_simulated_readers, read_all
from deepmedix_review.feedback.simulated_loop.rounds import _figures
from deepmedix_review.reviews.models import AnswerRating, DrawnRegion, MissedFinding, Reading
from inference.phantoms import DEMO_SEEDS, draw_phantom
from tests.factories.accounts import AdminFactory
from tests.factories.learning import film, said, serving_model_with_weights

SEED = next(seed for seed in DEMO_SEEDS if len(draw_phantom(seed=seed).truth.lesions) == 2)
NOTHING = (
    "<think> The heart size is normal with [30, 50, 80, 90] </think> The answer is: \\boxed{no acute finding}"
)


@pytest.mark.django_db
def test_what_a_completion_lacks_is_added_with_its_place_and_the_reading_is_signed(tmp_path: Path) -> None:
    instance, version = film(SEED), serving_model_with_weights(tmp_path / "model")
    for _ in range(2):
        said(instance, NOTHING, model_version=version)
    readers = list(User.objects.filter(pk__in=ensure_simulated_readers()))
    reader_study = design_round(
        title="SIMULATED readers",
        studies=[instance.study],
        readers=readers,
        num_readings=1,
        kind="all",
        admin=AdminFactory.create(),
        seed=1,
    )
    films = {str(instance.study.pk): SEED}

    def read(tell: Callable[[int, int], None]) -> float:
        return read_all(reader_study, films=films, site="first", kind="all", seed=1, tell=tell)

    minutes = read(lambda number, whole: None)
    reading = Reading.objects.get()
    assert reading.signed_at is not None
    assert minutes > 0.5
    names = {lesion.kind for lesion in draw_phantom(seed=SEED).truth.lesions}
    found = list(MissedFinding.objects.values_list("text", flat=True))
    assert len(found) >= 2
    assert all(any(name in text for name in names) for text in found)
    assert DrawnRegion.objects.exclude(missed_finding=None).count() == len(found)
    assert all(AnswerRating.objects.values_list("rewrite", flat=True))
    assert read(lambda number, whole: pytest.fail("read again")) == minutes


@pytest.mark.django_db
def test_films_that_the_workers_did_not_measure_are_told_by_the_setting_that_differs(tmp_path: Path) -> None:
    version = serving_model_with_weights(tmp_path / "model")
    with pytest.raises(RefusedByRule, match="Give the command the GATE_NUM_PHANTOMS that they have"):
        _figures(version)
