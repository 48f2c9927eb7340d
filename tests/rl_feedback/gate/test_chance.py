"""Retrains as good as their parent are held by chance the less, the more films there are."""

import numpy as np
import pytest

from benchmarks.gate_chance import caught_of_a_kind, held_by_chance
from rl_feedback.gate import CaseScores, Direction, Guard

GUARDS = (
    Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("num_characters", "Length", Direction.SHOULD_NOT_DRIFT, 0.15),
)


@pytest.fixture(scope="module")
def sites() -> list[dict[str, CaseScores]]:
    """Of one site: a lesion on most films, found on seven in ten, and texts of a hundred characters or so."""
    rng = np.random.default_rng(3)
    lesions = rng.integers(0, 3, size=300).astype(float)
    found = np.where(lesions > 0, rng.binomial(1, 0.7, size=300), 0.0)
    long = rng.normal(100, 20, size=300)
    return [
        {
            "lesion_recall": CaseScores(tuple(found.tolist()), tuple(lesions.tolist())),
            "num_characters": CaseScores(tuple(long.tolist()), (1.0,) * 300),
        }
    ]


def share_held(sites: list[dict[str, CaseScores]], *, num_films: int, changed: float) -> float:
    found = held_by_chance(sites, guards=GUARDS, num_films=num_films, changed=changed, num_draws=200)
    assert found.by_figure["num_characters"] == 0
    assert found.by_figure["lesion_recall"] == found.held
    return found.held


def test_who_answers_every_film_as_its_parent_is_never_held(sites: list[dict[str, CaseScores]]) -> None:
    assert share_held(sites, num_films=50, changed=0.0) == 0


def test_more_films_and_fewer_other_answers_hold_fewer_by_chance(
    sites: list[dict[str, CaseScores]],
) -> None:
    few, many = (share_held(sites, num_films=number, changed=0.5) for number in (100, 2000))
    assert few > 0.15
    assert many < few / 3
    assert share_held(sites, num_films=100, changed=0.1) < few


def test_a_kind_of_which_a_third_is_lost_is_caught_the_more_often_the_more_of_it_there_is(
    sites: list[dict[str, CaseScores]],
) -> None:
    guard = Guard("lesion_recall", "Nodule recall", Direction.HIGHER_IS_BETTER, 0.15, fewest=30)
    few, many = (caught_of_a_kind(sites[0], guard, num_films=n, num_draws=200) for n in (40, 300))
    assert 0.5 < few < many
    assert many == 1
    assert caught_of_a_kind(sites[0], guard, num_films=10, num_draws=200) == 0
    assert caught_of_a_kind(sites[0], guard, num_films=300, num_draws=200, planted=(0.9, 0.9)) == 0


def test_too_few_of_a_kind_hold_nobody_by_chance(sites: list[dict[str, CaseScores]]) -> None:
    def held(fewest: int) -> float:
        guard = Guard("lesion_recall", "Nodule recall", Direction.HIGHER_IS_BETTER, 0.03, fewest=fewest)
        return held_by_chance(sites, guards=[guard], num_films=100, changed=0.5, num_draws=100).held

    assert held(1) > 0.1
    assert held(1000) == 0
