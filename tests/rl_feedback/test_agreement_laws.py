"""What must hold of every statistic of agreement, whatever the ratings are."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rl_feedback.agreement import (
    FORMS,
    Level,
    cohen_kappa,
    dawid_skene,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    icc,
    iou_matrix,
    jackknife_covariances,
    kendall_w,
    krippendorff_alpha,
    match_regions,
    mean_covariances,
    mrmc_or,
    region_agreement,
    side_bias,
)
from rl_feedback.phantom_figures import iou
from tests.rl_feedback.agreement_examples import told

LEVELS = [level.value for level in Level]
RATINGS = st.tuples(st.integers(2, 5), st.integers(3, 12)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]))
)
WHOLE = st.tuples(st.integers(2, 5), st.integers(3, 12)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(1, 5).map(float))
)
BOXES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 10), st.integers(1, 10)).map(
        lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
    ),
    max_size=5,
)


def _pairable(ratings) -> bool:
    return bool((np.sum(~np.isnan(ratings), axis=0) >= 2).any())


@pytest.mark.parametrize("level", LEVELS)
@given(ratings=RATINGS, seed=st.integers(0, 9))
def test_alpha_does_not_know_the_order_of_readers_or_items(level, ratings, seed) -> None:
    assume(_pairable(ratings))
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(rng.permutation(ratings, axis=0), axis=1)
    one, other = (krippendorff_alpha(r, level, num_draws=0).value for r in (ratings, mixed))
    assert one == other or one == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@given(ratings=RATINGS)
def test_alpha_is_what_the_definition_says_pair_by_pair(level, ratings) -> None:
    assume(_pairable(ratings))
    found = krippendorff_alpha(ratings, level, num_draws=0).value
    expected = _alpha_by_definition(ratings, level)
    assert found == expected or found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_of_alpha_is_as_wide_by_normal_draws_of_many_items(level, monkeypatch) -> None:
    rng = np.random.default_rng(4)
    usual = rng.integers(1, 6, 12_000)
    # One value is so rare that many a draw has none of it.
    ratings = np.where(rng.random((3, 12_000)) < 0.6, usual, rng.integers(1, 6, (3, 12_000))).astype(float)
    ratings[0, :2] = 9
    normal = krippendorff_alpha(ratings, level).interval
    monkeypatch.setattr("rl_feedback.agreement.alpha._FEWEST_NORMAL", 10**9)
    exact = krippendorff_alpha(ratings, level).interval
    assert normal is not None
    assert exact is not None
    assert normal != exact
    assert normal == pytest.approx(exact, abs=0.1 * (exact[1] - exact[0]))


@given(ratings=WHOLE)
def test_readers_who_all_say_the_same_agree_by_1(ratings) -> None:
    assume(len(set(ratings[0])) > 1)
    same = np.repeat(ratings[:1], 3, axis=0)
    for level in LEVELS:
        assert krippendorff_alpha(same, level, num_draws=0).value == pytest.approx(1)
    assert gwet_ac1(same).value == pytest.approx(1)
    assert gwet_ac2(same, "linear").value == pytest.approx(1)
    assert kendall_w(same, num_draws=0).value == pytest.approx(1)
    assert fleiss_kappa([[(item == c).sum() for c in range(1, 6)] for item in same.T]).value == pytest.approx(
        1
    )
    for form in FORMS:
        assert icc(same.T, form).value == pytest.approx(1)


@given(table=arrays(np.int64, (4, 4), elements=st.integers(0, 9)))
def test_kappa_with_weights_of_identity_is_kappa_and_does_not_know_who_is_first(table) -> None:
    assume(table.sum() > 0)
    plain, weighted, turned = cohen_kappa(table), cohen_kappa(table, np.eye(4)), cohen_kappa(table.T)
    assert plain.value == weighted.value
    assert plain.value == turned.value or plain.value == pytest.approx(turned.value)
    if plain.value is not None:
        low, high = told(plain.interval)
        assert -1 <= low <= plain.value + 1e-9
        assert plain.value - 1e-9 <= high <= 1


@given(ratings=RATINGS)
def test_no_value_lies_above_1_and_none_is_nan(ratings) -> None:
    assume(_pairable(ratings))
    for found in (
        gwet_ac1(ratings),
        gwet_ac2(ratings, "quadratic"),
        krippendorff_alpha(ratings, "ordinal", num_draws=20),
    ):
        if found.value is None:
            assert found.note
            assert found.interval is None
        else:
            assert found.value <= 1 + 1e-12
            assert not np.isnan([found.value, *(found.interval or ())]).any()


def test_an_interval_of_two_items_stays_within_what_the_coefficient_can_be() -> None:
    two = [[1, 1], [1, 2]]
    for found in (gwet_ac1(two), gwet_ac2(two, "linear"), fleiss_kappa([[2, 0], [1, 1]])):
        assert found.interval == (-1, 1)


def test_readers_who_guess_agree_by_about_0() -> None:
    rng = np.random.default_rng(4)
    ratings = rng.integers(1, 6, (4, 20_000)).astype(float)
    for level in LEVELS:
        assert krippendorff_alpha(ratings, level, num_draws=0).value == pytest.approx(0, abs=0.02)
    assert gwet_ac1(ratings).value == pytest.approx(0, abs=0.02)
    assert gwet_ac2(ratings, "quadratic").value == pytest.approx(0, abs=0.02)
    assert cohen_kappa(rng.integers(900, 1100, (3, 3))).value == pytest.approx(0, abs=0.05)
    assert kendall_w(rng.normal(size=(200, 5)), num_draws=0).value == pytest.approx(0, abs=0.05)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Readers who are right with chance .7 on 4 classes, else guess: nominal alpha is .49 in expectation."""
    held = {"alpha": 0, "ac1": 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = rng.integers(4, size=150)
        ratings = np.where(rng.random((3, 150)) < 0.7, truth, rng.integers(4, size=(3, 150)))
        for name, found in (
            ("alpha", krippendorff_alpha(ratings, "nominal", num_draws=200)),
            ("ac1", gwet_ac1(ratings)),
        ):
            held[name] += told(found.interval)[0] <= 0.49 <= told(found.interval)[1]
    assert all(88 <= times <= 100 for times in held.values()), held


def test_the_same_seed_draws_the_same_interval_and_another_one_another() -> None:
    ratings = np.random.default_rng(1).integers(1, 4, (3, 40))
    first, again, other = (krippendorff_alpha(ratings, "ordinal", seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.interval != other.interval
    assert krippendorff_alpha(ratings, "ordinal", num_draws=0).interval is None


def test_many_readers_and_measured_values_take_the_same_road() -> None:
    """Tables too wide to gather equal items are tallied item by item; the values must not differ."""
    rng = np.random.default_rng(2)
    ratings = np.full((90, 40), np.nan)
    for item in range(40):
        ratings[rng.choice(90, 4, replace=False), item] = rng.integers(0, 30, 4)
    for level in LEVELS:
        found = krippendorff_alpha(ratings, level, num_draws=0).value
        assert found == pytest.approx(_alpha_by_definition(ratings, level), abs=1e-9)
    measured = rng.normal(10, 1, (3, 50))
    assert krippendorff_alpha(measured, "interval", num_draws=0).value == pytest.approx(
        _alpha_by_definition(measured, "interval")
    )


def test_a_category_that_nobody_chose_lowers_chance_when_it_is_listed() -> None:
    ratings = [[1, 1, 2, 1], [1, 2, 2, 1]]
    listed = gwet_ac1(ratings, categories=[1, 2, 3])
    assert listed.categories == (1.0, 2.0, 3.0)
    assert told(listed.chance) < told(gwet_ac1(ratings).chance)
    assert gwet_ac1([[1, 1, 1], [1, 1, 1]], categories=[1, 2]).value == 1


def test_dawid_and_skene_find_the_truth_and_who_errs() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(3, size=400)
    skills = {"careful": 0.95, "fair": 0.8, "also fair": 0.8, "poor": 0.5}
    items, readers, labels = [], [], []
    for item, right in enumerate(truth):
        for reader, skill in skills.items():
            items.append(item)
            readers.append(reader)
            labels.append(int(right) if rng.random() < skill else int(rng.integers(3)))
    found = dawid_skene(items, readers, labels)
    assert (found.posteriors.argmax(axis=1) == truth).mean() > 0.93
    right = {reader: float(np.diag(found.confusions[n]).mean()) for n, reader in enumerate(found.readers)}
    assert right["careful"] > right["fair"] > right["poor"]
    assert found.posteriors.sum(axis=1) == pytest.approx(1)
    assert found.confusions.sum(axis=2) == pytest.approx(1)
    assert not found.priors.flags.writeable


def test_the_jackknife_is_what_leaving_out_each_case_gives() -> None:
    rng = np.random.default_rng(3)
    truth = np.array([True] * 7 + [False] * 9)
    scores = rng.integers(1, 6, (2, 3, 16)) + 0.0
    found = jackknife_covariances(truth, scores)
    without = np.array(
        [
            [_area(np.delete(truth, case), np.delete(row, case)) for case in range(16)]
            for row in scores.reshape(6, 16)
        ]
    )
    covariances = np.cov(without, bias=True) * 15
    assert found.scores.ravel() == pytest.approx([_area(truth, row) for row in scores.reshape(6, 16)])
    assert found.variance == pytest.approx(np.diag(covariances).mean())
    assert found.cov1 == pytest.approx(np.mean([covariances[r, r + 3] for r in range(3)]))
    assert found.cov2 == pytest.approx(
        np.mean([covariances[a, b] for a in range(6) for b in range(6) if a != b and a // 3 == b // 3])
    )
    assert found.cov3 == pytest.approx(
        np.mean([covariances[a, b + 3] for a in range(3) for b in range(3) if a != b])
    )


@given(first=BOXES, second=BOXES)
def test_regions_match_the_same_whoever_comes_first_and_overlap_as_elsewhere(first, second) -> None:
    found, turned = match_regions(first, second), match_regions(second, first)
    assert found.mean_iou == turned.mean_iou or found.mean_iou == pytest.approx(turned.mean_iou)
    assert len(found.pairs) <= min(len(first), len(second))
    overlaps = iou_matrix(first, second)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            assert overlaps[i, j] == pytest.approx(iou(a, b))
    assert match_regions(first, first).mean_iou == (1.0 if first else None)


def test_a_greedy_match_is_not_taken_where_a_better_one_exists() -> None:
    first, second = [(0, 0, 10, 10), (6, 0, 16, 10)], [(4, 0, 14, 10), (-4, 0, 6, 10)]
    found = match_regions(first, second)
    assert {(i, j) for i, j, _ in found.pairs} == {(0, 1), (1, 0)}


def test_region_agreement_counts_what_was_marked_and_what_was_not() -> None:
    box, far = (0, 0, 10, 10), (50, 50, 60, 60)
    found = region_agreement(
        [[[box], [box]], [[box], [far]], [[], []], [[box], None], [[box, far], [box], [box]]]
    )
    assert (found.num_items, found.num_items_without_regions, found.num_pairs) == (3, 1, 5)
    assert found.value == pytest.approx((1 + 0 + (0.5 + 0.5 + 1) / 3) / 3)
    assert dict(found.shares_found)[0.5] == pytest.approx(2 * 4 / found.num_regions)
    assert told(found.interval)[0] <= told(found.value) <= told(found.interval)[1]


@given(items=st.lists(st.lists(st.none() | BOXES, min_size=2, max_size=4), min_size=1, max_size=4))
def test_many_readers_regions_agree_as_every_two_of_them_do(items) -> None:
    by_item = [
        [
            match_regions(a, b)
            for a, b in combinations([boxes for boxes in readers if boxes is not None], 2)
            if a or b
        ]
        for readers in items
    ]
    assume(any(sum(boxes is not None for boxes in readers) > 1 for readers in items))
    found = region_agreement(items, num_draws=0)
    assert found.num_pairs == sum(map(len, by_item))
    means = [np.mean([pair.mean_iou for pair in pairs]) for pairs in by_item if pairs]
    assert found.value == (pytest.approx(np.mean(means)) if means else None)


def test_side_bias_grows_surer_with_more_votes() -> None:
    few, many = side_bias(6, 4, 2), side_bias(600, 400, 2)
    assert few.value == many.value == 0.6
    assert told(few.p) > 0.5 > 0.001 > told(many.p)
    (low, high), (nearer_low, nearer_high) = told(few.interval), told(many.interval)
    assert low < nearer_low < 0.6 < nearer_high < high


def _area(truth, scores) -> float:
    return float(np.mean([(a > b) + (a == b) / 2 for a in scores[truth] for b in scores[~truth]]))


def _alpha_by_definition(ratings, level) -> float | None:
    units = [[value for value in item if not np.isnan(value)] for item in ratings.T]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]

    def distance(a, b) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float((a - b) ** 2)
        if level == "ratio":
            return float(((a - b) / (a + b)) ** 2) if a + b else 0.0
        low, high = min(a, b), max(a, b)
        between = sum(low <= value <= high for value in values)
        return float((between - (values.count(low) + values.count(high)) / 2) ** 2) if a != b else 0.0

    observed = sum(
        distance(a, b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    ) / len(values)
    expected = sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    expected /= len(values) * (len(values) - 1)
    return None if expected == 0 else 1 - observed / expected


@given(
    st.tuples(st.integers(2, 3), st.integers(2, 4), st.integers(2, 8)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.integers(1, 5).map(float))
    )
)
def test_covariances_of_means_are_those_of_leaving_out_case_after_case(ratings) -> None:
    found = mean_covariances(ratings)
    num_treatments, num_readers, num_cases = ratings.shape
    without = np.array([np.delete(ratings, case, axis=2).mean(axis=2).ravel() for case in range(num_cases)])
    around = without - without.mean(axis=0)
    jackknifed = (num_cases - 1) / num_cases * around.T @ around
    assert found.variance == pytest.approx(np.diag(jackknifed).mean(), abs=1e-9)
    of = [(treatment, reader) for treatment in range(num_treatments) for reader in range(num_readers)]
    for value, *alike in ((found.cov1, False, True), (found.cov2, True, False), (found.cov3, False, False)):
        pairs = [
            jackknifed[one, other]
            for one, other in combinations(range(len(of)), 2)
            if [of[one][0] == of[other][0], of[one][1] == of[other][1]] == alike
        ]
        assert told(value) == pytest.approx(np.mean(pairs), abs=1e-9)


def test_readers_who_all_rate_alike_are_compared_as_one_reader_over_cases() -> None:
    first, second = np.array([4.0, 5, 3, 4, 5, 2]), np.array([3.0, 3, 3, 2, 5, 1])
    found = mean_covariances([[first] * 3, [second] * 3])
    tested = mrmc_or(found.scores, told(found.cov2), told(found.cov3))
    difference = first - second
    assert tested.difference == pytest.approx(difference.mean())
    assert tested.standard_error == pytest.approx(difference.std(ddof=1) / np.sqrt(6))
    assert tested.degrees_of_freedom == float("inf")
