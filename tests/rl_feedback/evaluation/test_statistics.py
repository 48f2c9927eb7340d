"""Intervals, tests and weighted means have the values of published and of enumerated examples."""

from itertools import product

import numpy as np
import pytest

from rl_feedback.evaluation.published import COMPOSITES, TABLE
from rl_feedback.evaluation.reports import bleu
from rl_feedback.evaluation.statistics import (
    ALL,
    Design,
    Scored,
    compare,
    estimate,
    holm,
    mean_at,
    sample_weighted,
)
from rl_feedback.evaluation.xraybench import SIZES

# B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), table 2.1: survival of treated mice.
MICE = [94.0, 197, 16, 38, 99, 141, 23]


def means_of(values) -> Scored:
    numbers = np.asarray(values, dtype=float)
    return Scored(np.column_stack([numbers, np.ones(len(numbers))]), {"mean": mean_at(0, 1)})


def design_of(num: int, *, studies=None, subsets=None) -> Design:
    return Design(
        np.arange(num) if studies is None else np.asarray(studies),
        subsets or {"own": np.arange(num)},
        {},
    )


def compared(first, second, **design):
    return compare(
        means_of(first),
        means_of(second),
        design_of(len(first), **design),
        better={"mean": 1},
        num_draws=500,
        num_shuffles=20_000,
        seed=3,
    )["mean"]


def test_the_bootstrap_of_a_mean_has_its_published_standard_error() -> None:
    found = estimate(means_of(MICE), design_of(7), num_draws=8000, seed=1)["mean"][ALL]
    assert found.value == pytest.approx(86.857, abs=1e-3)
    assert found.low is not None
    assert found.high is not None
    # Ideal bootstrap standard error 23.36; a percentile interval of a mean is near 1.96 of it either way.
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(23.36, rel=0.04)


def test_repeats_of_a_study_make_nothing_surer_and_one_study_has_no_interval() -> None:
    once = estimate(means_of(MICE), design_of(7), num_draws=2000, seed=1)["mean"][ALL]
    twice = estimate(means_of(MICE * 2), design_of(14, studies=[*range(7)] * 2), num_draws=2000, seed=1)[
        "mean"
    ][ALL]
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    alone = estimate(means_of([1, 2]), design_of(2, studies=[0, 0]), num_draws=100, seed=1)["mean"][ALL]
    assert (alone.value, alone.low, alone.high) == (1.5, None, None)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    first, again, other = (
        estimate(means_of(MICE), design_of(7), num_draws=200, seed=seed)["mean"][ALL] for seed in (1, 1, 2)
    )
    assert first == again
    assert first.low != other.low


def test_approximate_randomisation_comes_to_the_enumerated_p() -> None:
    first, second = [0.9, 0.7, 0.8, 0.6, 0.9, 0.2], [0.5, 0.6, 0.4, 0.5, 0.8, 0.4]
    apart = np.subtract(first, second)
    seen = abs(apart.sum())
    signs = np.array(list(product([1, -1], repeat=6)))
    exact = np.mean(np.abs(signs @ apart) >= seen - 1e-9)
    found = compared(first, second)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.value == pytest.approx(apart.mean())
    assert (found.wins, found.ties, found.losses) == (5, 0, 1)


def test_models_that_are_the_same_never_differ() -> None:
    found = compared(MICE, MICE)
    assert (found.value, found.p, found.wins, found.ties, found.losses) == (0, 1, 0, 7, 0)


def test_cases_of_one_study_are_exchanged_together() -> None:
    # Two studies of three cases: of four exchanges two differ as much, whatever the number of cases.
    found = compared([1.0] * 6, [0.0] * 6, studies=[0, 0, 0, 1, 1, 1])
    assert found.p == pytest.approx(0.5, abs=0.02)


def test_a_corpus_figure_is_drawn_as_it_is_defined() -> None:
    texts = [("a b c d", "a b c d"), ("a b x y", "a b c d"), ("e", "e f g h")]
    counts = np.array([bleu.counts_of(a.split(), b.split()) for a, b in texts], float)
    scored = Scored(counts, {"bleu": lambda sums: bleu.bleu_of(sums, order=2)})
    found = estimate(scored, design_of(3), num_draws=300, seed=1)["bleu"][ALL]
    assert found.value == pytest.approx(float(bleu.bleu_of(counts.sum(axis=0), order=2)))
    assert found.value != pytest.approx(scored.cases("bleu").mean())


def test_all_is_weighted_by_numbers_of_samples_and_leaves_out_what_does_not_exist() -> None:
    counts = np.array([[1.0, 1], [0, 1], [1, 1], [0, 0]])
    scored = Scored(counts, {"share": mean_at(0, 1)})
    subsets = {"a": np.array([0, 1]), "b": np.array([2]), "c": np.array([3])}
    found = estimate(scored, design_of(4, subsets=subsets), num_draws=10, seed=1)["share"]
    assert (found["a"].value, found["b"].value, found["c"].value) == (0.5, 1.0, None)
    assert found[ALL].value == pytest.approx((2 * 0.5 + 1 * 1.0) / 3)


def test_holm_has_the_values_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(("model", "place"), [("DeepMedix", 0), ("DeepMedix-R1", 1)])
def test_the_papers_own_aggregates_are_sample_weighted(model: str, place: int) -> None:
    sizes: dict[str, int] = {}
    for (dataset, category), number in SIZES.items():
        name = dataset if dataset.endswith("VQA") else f"{dataset} {category}"
        sizes[name] = sizes.get(name, 0) + number
    parts = {name: both for name, both in COMPOSITES.items() if name in sizes}
    values = [both[place] for both in parts.values()]
    found = sample_weighted(values, [sizes[name] for name in parts])
    assert found == pytest.approx(COMPOSITES["all"][place], abs=0.0005)
    vqa = [name for name in parts if name.endswith("VQA")]
    found = sample_weighted([parts[name][place] for name in vqa], [sizes[name] for name in vqa])
    (of_model,) = [row for row in TABLE if row.model == model and row.measure == "vqa"]
    assert found == pytest.approx(of_model.value, abs=0.001)
