"""Every statistic of agreement reproduces the published example that its docstring names."""

import doctest
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

from rl_feedback import agreement
from rl_feedback.agreement import (
    cohen_kappa,
    dawid_skene,
    detectable_difference,
    detectable_difference_of_groups,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    icc,
    jackknife_covariances,
    kendall_w,
    krippendorff_alpha,
    mrmc_or,
    paired_difference,
    side_bias,
    spread_in_clusters,
    tally_counts,
)
from tests.home import ROOT
from tests.rl_feedback import agreement_examples as published
from tests.rl_feedback.agreement_examples import told

MODULES = [
    importlib.import_module(f"{agreement.__name__}.{m.name}")
    for m in pkgutil.iter_modules(agreement.__path__)
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_examples_in_the_docstrings_run(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorffs_four_observers_give_the_alpha_that_he_prints(level, printed) -> None:
    alpha = krippendorff_alpha(published.KRIPPENDORFF, level)
    assert round(told(alpha.value), 3) == printed
    # The twelfth unit has one rating, which can be paired with none.
    assert (alpha.num_items, alpha.num_ratings, alpha.num_readers) == (11, 40, 4)
    low, high = told(alpha.interval)
    assert low < told(alpha.value) <= high


@pytest.mark.parametrize(
    ("weights", "value", "standard_error", "low"),
    [
        ("identity", 0.77544, 0.14295, 0.46081),
        ("linear", 0.85874, 0.11733, 0.60050),
        ("quadratic", 0.91400, 0.10396, 0.68518),
        ("ordinal", 0.89894, 0.10690, 0.66365),
    ],
)
def test_gwets_four_raters_give_his_coefficient_error_and_interval(
    weights, value, standard_error, low
) -> None:
    found = gwet_ac2(published.GWET, weights)
    assert round(told(found.value), 5) == value
    assert round(told(found.standard_error), 5) == standard_error
    assert round(told(found.interval)[0], 5) == low
    assert told(found.interval)[1] == 1
    assert (found.num_items, found.num_pairable_items, found.num_ratings) == (12, 11, 41)


def test_ac1_is_ac2_with_credit_for_equality_alone() -> None:
    assert gwet_ac1(published.GWET) == gwet_ac2(published.GWET, "identity")
    first, second = _ratings_of(published.ABSTRACTORS)
    assert round(told(gwet_ac1([first, second]).value), 5) == 0.84933
    assert round(told(gwet_ac2([first, second], "quadratic").value), 5) == 0.94024


def test_fleiss_psychiatrists_agree_by_430() -> None:
    kappa = fleiss_kappa(published.FLEISS)
    assert round(told(kappa.value), 3) == 0.430
    assert (round(kappa.observed, 3), round(told(kappa.chance), 3)) == (0.556, 0.220)
    assert kappa.num_items == 30


def test_fleiss_kappa_allows_items_with_fewer_readers_as_gwet_prints_it() -> None:
    ratings = np.array(published.GWET)
    counts = [[(item == category).sum() for category in range(1, 6)] for item in ratings.T]
    kappa = fleiss_kappa(counts)
    assert (round(told(kappa.value), 5), round(told(kappa.standard_error), 5)) == (0.76117, 0.15302)
    assert round(told(kappa.interval)[0], 5) == 0.42438


def test_cohens_patients_give_kappa_and_weighted_kappa() -> None:
    assert round(told(cohen_kappa(published.COHEN).value), 3) == 0.492
    disagreement = np.array(published.COHEN_DISAGREEMENT)
    assert round(told(cohen_kappa(published.COHEN, 1 - disagreement / disagreement.max()).value), 3) == 0.348


def test_the_two_abstractors_give_kappa_with_its_large_sample_error() -> None:
    plain = cohen_kappa(published.ABSTRACTORS)
    assert (round(told(plain.value), 5), round(told(plain.standard_error), 5)) == (0.79641, 0.05891)
    squared = cohen_kappa(published.ABSTRACTORS, "quadratic")
    assert (round(told(squared.value), 5), round(told(squared.standard_error), 5)) == (0.89216, 0.03535)
    assert plain.interval == pytest.approx(
        (told(plain.value) - 1.959964 * 0.05891, told(plain.value) + 1.959964 * 0.05891), abs=1e-5
    )


@pytest.mark.parametrize(
    ("form", "printed", "low", "high"),
    [
        ("1,1", 0.17, -0.133, 0.723),
        ("2,1", 0.29, 0.019, 0.761),
        ("3,1", 0.71, 0.342, 0.946),
        ("1,k", 0.44, -0.884, 0.912),
        ("2,k", 0.62, 0.071, 0.927),
        ("3,k", 0.91, 0.676, 0.986),
    ],
)
def test_shrout_and_fleiss_judges_give_the_six_correlations(form, printed, low, high) -> None:
    found = icc(published.SHROUT_FLEISS, form)
    assert round(told(found.value), 2) == printed
    assert found.interval == pytest.approx((low, high), abs=6e-4)


def test_kendalls_w_is_corrected_for_ties() -> None:
    found = kendall_w(published.NAG_RANKS)
    assert round(told(found.value), 4) == 0.8277
    assert (round(told(found.chi_square), 2), round(told(found.p), 4)) == (22.35, 0.0078)
    birds = kendall_w(published.ZAR_BIRDS)
    assert round(told(birds.value), 3) == 0.924
    assert round(told(birds.chi_square), 2) == 30.50


def test_the_anaesthetists_give_dawid_and_skenes_class_shares_and_error_rates() -> None:
    found = dawid_skene(published.PATIENTS, published.OBSERVERS, published.CLASSES_GIVEN)
    assert found.converged
    assert found.classes == (1, 2, 3, 4)
    assert found.readers == tuple(f"observer {number}" for number in range(1, 6))
    assert (found.num_items, found.num_labels) == (45, 315)
    assert found.priors.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert found.confusions[0].round(2)[:3].tolist() == [
        [0.89, 0.11, 0.00, 0.00],
        [0.07, 0.88, 0.05, 0.00],
        [0.00, 0.34, 0.66, 0.00],
    ]


def test_dawid_and_skenes_equations_in_plain_loops_reach_the_same_place() -> None:
    found = dawid_skene(published.PATIENTS, published.OBSERVERS, published.CLASSES_GIVEN)
    priors, posteriors = _em_in_plain_loops(published.PATIENTS, published.OBSERVERS, published.CLASSES_GIVEN)
    assert found.priors == pytest.approx(priors, abs=1e-4)
    for place, patient in enumerate(found.items):
        assert found.posteriors[place] == pytest.approx(posteriors[patient], abs=1e-4)


def test_van_dykes_ratings_give_the_areas_and_covariances_that_are_printed() -> None:
    found = jackknife_covariances(published.VAN_DYKE_TRUTH, published.VAN_DYKE)
    assert found.scores.round(8).tolist() == [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
    assert [round(v, 8) for v in (found.variance, told(found.cov1), told(found.cov2), told(found.cov3))] == [
        0.00080229,
        0.00034661,
        0.00034407,
        0.00023903,
    ]


def test_van_dykes_treatments_compare_as_printed() -> None:
    covariances = jackknife_covariances(published.VAN_DYKE_TRUTH, published.VAN_DYKE)
    found = mrmc_or(covariances.scores, told(covariances.cov2), told(covariances.cov3))
    assert (round(found.difference, 5), round(found.standard_error, 5)) == (-0.04380, 0.02075)
    assert (round(told(found.degrees_of_freedom), 2), round(told(found.p), 4)) == (15.26, 0.0517)
    assert tuple(round(end, 5) for end in told(found.interval)) == (-0.08796, 0.00036)
    assert (round(told(found.f), 2), round(told(found.p_of_f), 4)) == (4.46, 0.0517)
    assert round(found.mean_square_treatments, 8) == 0.00479617
    assert round(found.mean_square_interaction, 8) == 0.00055103


def test_sensitivities_compare_as_the_package_mrmcaov_prints_them() -> None:
    sensitivities = (published.VAN_DYKE >= 3)[:, :, 69:].mean(axis=2)
    found = mrmc_or(sensitivities, cov2=0.0010145903, cov3=0.0006604938)
    assert found.difference == pytest.approx(-0.09777778, abs=1e-8)
    assert found.standard_error == pytest.approx(0.03780451, abs=1e-8)
    assert found.degrees_of_freedom == pytest.approx(15.71732, abs=1e-5)
    assert found.p == pytest.approx(0.02008822, abs=1e-8)
    assert found.interval == pytest.approx((-0.1780371, -0.0175185), abs=1e-7)


def test_three_treatments_are_compared_in_pairs_and_all_at_once() -> None:
    scores = [[0.70, 0.74, 0.71, 0.69], [0.80, 0.81, 0.79, 0.82], [0.71, 0.75, 0.70, 0.70]]
    found = mrmc_or(scores, cov2=0.0002, cov3=0.0001)
    assert [(pair.first, pair.second) for pair in found.comparisons] == [(0, 1), (0, 2), (1, 2)]
    assert found.value == found.comparisons[0].difference == pytest.approx(-0.095)
    assert told(found.comparisons[0].p) < 0.01 < 0.5 < told(found.comparisons[1].p)
    assert told(found.p_of_f) < 0.01


def test_a_tally_agrees_as_the_table_that_it_counts_does() -> None:
    rng = np.random.default_rng(4)
    table = rng.integers(1, 5, size=(6, 40)).astype(float)
    table[rng.random(table.shape) < 0.5] = np.nan
    # Category 5 is given by nobody, and items with one rating or none are compared with nothing.
    categories = (1, 2, 3, 4, 5)
    tally = tally_counts(
        [[(column == value).sum() for value in categories] for column in table.T], categories
    )

    for level in ("nominal", "ordinal", "interval", "ratio"):
        alphas = krippendorff_alpha(tally, level), krippendorff_alpha(table, level)
        assert told(alphas[0].value) == pytest.approx(told(alphas[1].value), abs=1e-12)
        assert told(alphas[0].interval) == pytest.approx(told(alphas[1].interval), abs=1e-12)
        assert alphas[0].num_items == alphas[1].num_items
        assert alphas[0].num_ratings == alphas[1].num_ratings
    for of_tally, of_table in (
        (gwet_ac1(tally), gwet_ac1(table, categories=categories)),
        (gwet_ac2(tally, "linear"), gwet_ac2(table, "linear", categories=categories)),
    ):
        assert told(of_tally.value) == pytest.approx(told(of_table.value), abs=1e-12)
        assert told(of_tally.interval) == pytest.approx(told(of_table.interval), abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "categories", "said"),
    [
        ([[1, 1, 1]], (1, 2), "3 columns, and there are 2 categories"),
        ([[1, 1]], (2, 1), "categories ascending"),
        ([[1, 0.5]], (1, 2), "whole numbers"),
        ([[0, 0]], (1, 2), "No item has a rating"),
    ],
)
def test_counts_that_are_none_are_refused(counts, categories, said) -> None:
    with pytest.raises(ValueError, match=said):
        tally_counts(counts, categories)
    alone = tally_counts([[1, 0], [0, 1]], (1, 2))
    with pytest.raises(ValueError, match="No item has 2 ratings"):
        krippendorff_alpha(alone, "ordinal")
    with pytest.raises(ValueError, match="has its own categories"):
        gwet_ac1(alone, categories=(1, 2))


def test_side_bias_is_the_exact_binomial_test_with_wilsons_interval() -> None:
    found = side_bias(10, 0, 3)
    assert (found.value, found.p) == (1.0, 2 / 1024)
    assert found.interval == pytest.approx((10 / (10 + 1.959964**2), 1.0), abs=1e-6)
    even = side_bias(50, 50, 0)
    assert (even.value, even.p) == (0.5, 1.0)


def test_what_a_paired_comparison_would_show_is_that_of_cohens_fifty_pairs() -> None:
    def found(cases: int, readings: float, icc: float, power: float = 0.8) -> float:
        found = detectable_difference(1, num_clusters=cases, per_cluster=readings, icc=icc, power=power)
        assert found is not None
        return found

    assert found(50, 1, 0, 0.832114) == pytest.approx(0.421637, abs=1e-6)
    # Four readings of a case that are all alike tell no more than one, and independent ones as much as four.
    assert found(5000, 4, 1) == pytest.approx(found(5000, 1, 0))
    assert found(5000, 4, 0) == pytest.approx(found(5000, 1, 0) / 2)
    assert found(5, 3, 0.3) > 1
    assert detectable_difference(1, num_clusters=4, per_cluster=3, icc=0.3) is None
    with pytest.raises(ValueError, match="Power lies between"):
        found(50, 1, 0, 1.2)


def test_two_groups_of_the_same_few_cases_show_no_less_than_a_comparison_within_these() -> None:
    def of_groups(cases: int) -> float | None:
        return detectable_difference_of_groups(
            1, num_clusters=cases, per_cluster=1, icc=0.3, are_in_both=True
        )

    # Of values that have nothing in common the difference within a case spreads by the root of 2.
    for cases in (5, 8, 40):
        within = detectable_difference(2**0.5, num_clusters=cases, per_cluster=1, icc=0.3)
        assert of_groups(cases) == pytest.approx(within)
    assert of_groups(5) == pytest.approx(2.38, abs=0.005)
    apart = detectable_difference_of_groups(1, num_clusters=5, per_cluster=1, icc=0.3)
    assert apart == pytest.approx(2.02, abs=0.005)


def test_the_spread_of_differences_is_told_apart_between_and_within_cases() -> None:
    # One-way analysis of variance: MSB 8, MSW 2, n0 2; (8 - 2) / 2 between and 2 within.
    found = spread_in_clusters([1, 3, 3, 5, 5, 7], [1, 1, 2, 2, 3, 3])
    assert found is not None
    assert found.standard_deviation**2 == pytest.approx(5)
    assert found.icc == pytest.approx(0.6)
    alone = spread_in_clusters([1, 2, 3], [1, 2, 3])
    assert alone is not None
    assert (alone.standard_deviation, alone.icc, alone.num_repeated) == (1, None, 0)
    assert spread_in_clusters([1, 2], [1, 1]) is None


def test_the_reference_names_every_function_that_computes_a_figure() -> None:
    page = (ROOT / "docs" / "reference" / "statistics.md").read_text("utf-8")
    functions = {name for name in agreement.__all__ if inspect.isfunction(getattr(agreement, name))}
    helpers = {"iou_matrix", "match_regions"}
    assert functions - helpers == set(re.findall(r"`(\w+)\(", page))


def _ratings_of(confusion) -> tuple[list[int], list[int]]:
    pairs = [
        (row, column)
        for row, counts in enumerate(confusion)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]
    return [row for row, _ in pairs], [column for _, column in pairs]


def _em_in_plain_loops(items, readers, labels):
    classes = sorted(set(labels))
    given = list(zip(items, readers, labels, strict=True))
    posteriors = {}
    for item in sorted(set(items)):
        mine = [label for i, _, label in given if i == item]
        posteriors[item] = [mine.count(c) / len(mine) for c in classes]
    for _ in range(60):
        priors = [sum(p[c] for p in posteriors.values()) / len(posteriors) for c in range(len(classes))]
        rates = {
            (reader, c, label): sum(posteriors[i][c] for i, r, x in given if (r, x) == (reader, label))
            / max(1e-300, sum(posteriors[i][c] for i, r, _ in given if r == reader))
            for reader in set(readers)
            for c in range(len(classes))
            for label in classes
        }
        joint = {item: list(priors) for item in posteriors}
        for item, reader, label in given:
            joint[item] = [v * rates[reader, c, label] for c, v in enumerate(joint[item])]
        posteriors = {item: [v / sum(values) for v in values] for item, values in joint.items()}
    return priors, posteriors


def test_two_things_are_compared_within_each_pair_and_pairs_without_both_count_not() -> None:
    # Pair 1: 4 less 1.5; pair 2: 3 less 2; pair 3 has one of the two alone.
    values, second = [1, 2, 4, 2, 3, 5], [0, 0, 1, 0, 1, 1]
    found = paired_difference(values, second, [1, 1, 1, 2, 2, 3], [7, 7, 7, 8, 8, 9])
    assert (found.value, found.num, found.num_clusters) == (1.75, 2, 2)
    alone = paired_difference([5, 5], [1, 1], [1, 2], [1, 2])
    assert (alone.value, alone.note) == (None, "Both were rated together nowhere.")
    with pytest.raises(ValueError, match="names its pair"):
        paired_difference([1, 2], [0, 1], [1], [1, 1])


def test_cases_are_drawn_whole_for_the_interval_of_a_paired_difference() -> None:
    # Case 7 has two pairs, 0 apart, and case 8 one, 3 apart: a draw is 0, 1 or 3, at odds of 1 to 2 to 1.
    values, second, pairs = [1, 1, 2, 2, 1, 4], [0, 1] * 3, [1, 1, 2, 2, 3, 3]
    clusters = [7, 7, 7, 7, 8, 8]
    found = paired_difference(values, second, pairs, clusters, num_draws=1000, seed=4)
    assert (found.value, found.drawn_interval, found.num_draws, found.seed) == (1.0, (0.0, 3.0), 1000, 4)
    assert found == paired_difference(values, second, pairs, clusters, num_draws=1000, seed=4)
    # With very many cases it comes to what the variance between them says.
    rng = np.random.default_rng(1)
    apart = rng.normal(0.5, 1, 2000)
    many = paired_difference(
        np.column_stack([np.zeros(2000), apart]).ravel(),
        [0, 1] * 2000,
        np.repeat(np.arange(2000), 2),
        np.repeat(np.arange(2000), 2),
        num_draws=2000,
    )
    assert many.interval is not None
    assert many.drawn_interval == pytest.approx(many.interval, abs=0.005)
    assert paired_difference([1, 2], [0, 1], [1, 1], [1, 1], num_draws=10).drawn_interval is None
