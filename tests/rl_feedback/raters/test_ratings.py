"""Ratings are taken for what they are worth: who is severe, who is careless, and what an item deserves."""

from itertools import product

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit
from scipy.stats import norm

from rl_feedback.raters import fit_ratings
from rl_feedback.raters.cells import Cells, Floats, cells_of, joined, known_cells
from rl_feedback.raters.graded import GradedModel
from rl_feedback.raters.ordinal import LOG_PRIOR, NODES, RatingModel, _scale
from rl_feedback.raters.vote_model import LOG_PRIOR as LOG_PRIOR_OF_VOTES
from rl_feedback.raters.vote_model import NODES as NODES_OF_VOTES
from rl_feedback.raters.vote_model import SCALE as SCALE_OF_VOTES
from tests.rl_feedback.agreement_examples import told
from tests.rl_feedback.raters.simulated import STEPS, SimulatedRatings, simulate_ratings

GOOD = "abcdefgh"


def fitted(made: SimulatedRatings) -> RatingModel:
    return fit_ratings(made.items, made.readers, made.ratings)


def share_within(intervals, truths) -> float:
    return float(
        np.mean([low <= truth <= high for (low, high), truth in zip(intervals, truths, strict=True)])
    )


def test_severity_and_sharpness_of_readers_and_the_quality_of_items_are_recovered() -> None:
    made = simulate_ratings(num_readers=12, num_items=1500, readers_per_item=3, seed=1)
    found = fitted(made)
    severity = [told(reader.severity) for reader in found.readers]
    sharpness = [reader.discrimination for reader in found.readers]
    assert np.corrcoef(severity, made.severity)[0, 1] > 0.99
    assert np.corrcoef(np.log(sharpness), np.log(made.discrimination))[0, 1] > 0.95
    assert np.abs(np.array(found.steps) - STEPS).max() < 0.2
    assert np.corrcoef(found.labels.mean, made.quality)[0, 1] > 0.85
    assert found.converged


def test_a_label_is_nearer_to_the_truth_than_the_plain_mean_of_its_ratings() -> None:
    made = simulate_ratings(num_readers=12, num_items=1500, readers_per_item=3, seed=2)
    sums, counts = np.zeros(1500), np.zeros(1500)
    np.add.at(sums, made.items, made.ratings)
    np.add.at(counts, made.items, 1)
    plain, weighed = (np.corrcoef(x, made.quality)[0, 1] for x in (sums / counts, fitted(made).labels.mean))
    assert weighed > plain + 0.02


def test_intervals_of_readers_hold_the_truth_about_as_often_as_they_say() -> None:
    severity, sharpness = [], []
    for seed in range(25):
        made = simulate_ratings(num_readers=5, num_items=60, readers_per_item=3, seed=seed)
        readers = fitted(made).readers
        severity.append(share_within([r.severity_interval for r in readers], made.severity))
        sharpness.append(share_within([r.discrimination_interval for r in readers], made.discrimination))
    assert 0.89 <= np.mean(severity) <= 1
    assert 0.89 <= np.mean(sharpness) <= 1


def test_the_variance_of_labels_tells_how_far_they_are_off() -> None:
    """Were every typical reader asked, this is what they would give on average."""
    made = simulate_ratings(num_readers=10, num_items=2000, readers_per_item=2, seed=3)
    found = fitted(made)
    typical = 1 / (1 + np.exp(-1.8 * (made.quality[:, None] - STEPS)))
    away = (found.labels.mean - typical.mean(axis=1)) / np.sqrt(found.labels.variance)
    assert 0.85 < away.std() < 1.2
    assert 0.91 < (np.abs(away) < 1.96).mean() < 0.99


def test_hidden_repeats_tell_lasting_opinion_from_noise() -> None:
    made = simulate_ratings(
        num_readers=8, num_items=1500, readers_per_item=3, seed=4, omega=0.7, repeat_share=0.2
    )
    found = fitted(made)
    assert found.omega == pytest.approx(0.7, abs=0.15)
    assert np.corrcoef([r.severity for r in found.readers], made.severity)[0, 1] > 0.98
    assert all(told(r.consistency) > told(r.reliability) for r in found.readers)
    assert all(r.num_repeated > 0 for r in found.readers)
    blind = simulate_ratings(num_readers=8, num_items=200, readers_per_item=3, seed=4)
    assert fitted(blind).omega is None
    assert "No hidden repeat" in fitted(blind).note
    assert {reader.consistency for reader in fitted(blind).readers} == {None}


def test_a_repeat_counts_less_than_another_reader() -> None:
    base = simulate_ratings(
        num_readers=6, num_items=300, readers_per_item=2, seed=5, omega=0.8, repeat_share=0.3
    )
    items, readers, ratings = list(base.items), list(base.readers), list(base.ratings)
    twice = fit_ratings([*items, "t", "t"], [*readers, 0, 0], [*ratings, 5, 5]).labels
    two = fit_ratings([*items, "t", "t"], [*readers, 0, 1], [*ratings, 5, 5]).labels
    assert twice["t"].num_readers == 1
    assert two["t"].num_readers == 2
    assert twice["t"].num_effective_readers < two["t"].num_effective_readers
    assert twice["t"].variance > two["t"].variance


def test_known_answers_anchor_severity_to_the_truth_where_all_readers_are_strict() -> None:
    made = simulate_ratings(num_readers=6, num_items=400, readers_per_item=3, seed=6)
    strict = [max(1, rating - 1) for rating in made.ratings]
    gold = {item: 1 + int((made.quality[item] > STEPS).sum()) for item in range(0, 400, 8)}
    free = fit_ratings(made.items, made.readers, strict)
    anchored = fit_ratings(made.items, made.readers, strict, known=gold)
    assert np.mean([reader.severity for reader in free.readers]) == pytest.approx(0, abs=1e-9)
    assert np.mean([reader.severity for reader in anchored.readers]) > 0.5
    assert anchored.num_known == len(gold)


def test_a_settled_item_stands_on_the_settling_word_alone() -> None:
    items, readers = list(GOOD) * 2, ["Ann"] * 8 + ["Bob"] * 8
    ratings = [1, 2, 3, 4, 5, 3, 2, 4, 5, 2, 3, 4, 5, 3, 2, 4]
    disputed = fit_ratings(items, readers, ratings).labels["a"]
    assert disputed.is_disputed
    for word in (1, 5):
        settled = fit_ratings(items, readers, ratings, known={"a": word}).labels["a"]
        assert (settled.is_settled, settled.is_disputed, settled.num_effective_readers) == (True, False, 4.0)
        assert abs(settled.mean - (word - 1) / 4) < 0.25


def test_readers_two_points_apart_contradict_each_other_unless_one_is_known_to_be_strict() -> None:
    rng = np.random.default_rng(7)
    items = list(range(60))
    lenient = [int(rating) for rating in rng.integers(3, 6, 60)]
    strict = [rating - 2 for rating in lenient]
    of_a_kind = fit_ratings([*items, *items], ["Ann"] * 60 + ["Bob"] * 60, [*lenient, *strict])
    assert not of_a_kind.labels.is_disputed.any()
    alike = lenient[:-1]
    odd = fit_ratings([*items, *items], ["Ann"] * 60 + ["Bob"] * 60, [*alike, 5, *alike, 3])
    assert odd.labels.is_disputed.tolist() == [False] * 59 + [True]


def test_one_reader_against_many_is_no_dispute_but_two_against_two_is() -> None:
    rng = np.random.default_rng(8)
    items, readers, ratings = [], [], []
    for item in range(80):
        middle = int(rng.integers(2, 5))
        for reader in range(5):
            items.append(item)
            readers.append(reader)
            ratings.append(int(np.clip(middle + rng.integers(-1, 2), 1, 5)))
    lone = fit_ratings([*items, *["x"] * 5], [*readers, *range(5)], [*ratings, 4, 4, 4, 4, 2])
    split = fit_ratings([*items, *["x"] * 4], [*readers, *range(4)], [*ratings, 5, 5, 1, 1])
    assert not lone.labels["x"].is_disputed
    assert split.labels["x"].is_disputed


def brute_force_log_likelihood(found: RatingModel, ratings: list[tuple[str, str, int]]) -> float:
    """By the formula as the module prints it, on fine grids of quality and opinion."""
    a = {reader.reader: reader.discrimination for reader in found.readers}
    severity = {reader.reader: told(reader.severity) for reader in found.readers}
    edges = np.array([-1e9, *found.steps, 1e9])
    quality, step = np.linspace(-7, 7, 1401, retstep=True)
    opinion = np.linspace(-5, 5, 201)
    weight = norm.pdf(opinion) / norm.pdf(opinion).sum()
    reached = quality[:, None] + (found.omega or 0.0) * opinion[None, :]

    def chance(rating: int, reader: str) -> Floats:
        above, below = (
            expit(a[reader] * (reached - severity[reader] - edge)) for edge in edges[rating - 1 : rating + 1]
        )
        return np.asarray(above - below)

    total = 0.0
    for item in sorted({item for item, _, _ in ratings}):
        density = norm.pdf(quality)
        for reader in sorted({reader for _, reader, _ in ratings}):
            own = [rating for one, who, rating in ratings if (one, who) == (item, reader)]
            of_reader = np.ones_like(reached)
            for rating in own:
                of_reader = of_reader * chance(rating, reader)
            density = density * (of_reader @ weight)
        total += float(np.log(density.sum() * step))
    return total


@pytest.mark.parametrize("repeats", [False, True])
def test_the_likelihood_is_what_the_formula_says_item_by_item(repeats: bool) -> None:
    ratings = [
        (item, reader, 1 + (3 * i + 2 * j) % 5)
        for (i, item), (j, reader) in product(enumerate("pqrs"), enumerate("xy"))
    ]
    if repeats:
        ratings += [("p", "x", 2), ("q", "y", 3)]
    found = fit_ratings(*(list(column) for column in zip(*ratings, strict=True)))
    assert found.log_likelihood == pytest.approx(brute_force_log_likelihood(found, ratings), abs=1e-3)


def made_cells(seed: int, *, kinds: int, num_readers: int = 4, num_items: int = 30) -> Cells:
    rng = np.random.default_rng(seed)
    number = 150
    said = cells_of(
        rng.integers(0, num_items, number),
        rng.integers(0, num_readers, number),
        rng.integers(0, kinds, number),
        num_answers=kinds,
    )
    gold = rng.choice(num_items, 5, replace=False)
    known = known_cells(gold, rng.integers(0, kinds, 5), reader=num_readers, num_answers=kinds)
    return joined(said, known)


@pytest.mark.parametrize(
    ("scale", "nodes", "log_prior", "kinds"),
    [(_scale(5), NODES, LOG_PRIOR, 5), (SCALE_OF_VOTES, NODES_OF_VOTES, LOG_PRIOR_OF_VOTES, 6)],
    ids=["ratings", "votes"],
)
def test_the_gradient_is_that_of_the_objective(scale, nodes, log_prior, kinds) -> None:
    model = GradedModel(
        made_cells(1, kinds=kinds), scale, num_items=30, num_readers=4, nodes=nodes, log_prior=log_prior
    )
    assert model.has_repeats
    place = model.prior[0] + 0.2 * np.random.default_rng(2).normal(size=len(model.prior[0]))
    numeric = optimize.approx_fprime(place, lambda x: model.objective(x)[0], 1e-6)
    assert model.objective(place)[1] == pytest.approx(numeric, abs=1e-3)


@pytest.mark.parametrize("far", [-400.0, 400.0])
def test_a_search_may_step_out_of_reach_of_what_is_believed(far: float) -> None:
    """Its first steps do where nearly every rating is the same: a few of 1,200 were below 4."""
    model = GradedModel(
        made_cells(1, kinds=5), _scale(5), num_items=30, num_readers=4, nodes=NODES, log_prior=LOG_PRIOR
    )
    fitted, _ = model.fit()
    for number in range(len(model.prior[0])):
        place = model.prior[0].copy()
        place[number] += far
        value, slope = model.objective(place)
        assert np.isfinite(slope).all()
        assert value > -fitted.log_likelihood
        # Back to what is believed it goes downhill.
        assert slope[number] * far > 0


def test_the_order_of_ratings_does_not_matter() -> None:
    made = simulate_ratings(num_readers=4, num_items=40, readers_per_item=3, seed=9)
    order = np.random.default_rng(0).permutation(len(made.items))
    mixed = SimulatedRatings(
        made.quality,
        made.discrimination,
        made.severity,
        *([column[n] for n in order] for column in (made.items, made.readers, made.ratings)),
    )
    assert fitted(mixed).labels.mean == pytest.approx(fitted(made).labels.mean, abs=1e-9)
    assert fitted(mixed).readers == fitted(made).readers


def test_one_reader_alone_has_no_severity_and_no_reliability_and_the_note_says_so() -> None:
    found = fit_ratings(list(GOOD), ["Ann"] * 8, [1, 2, 3, 4, 5, 4, 3, 2])
    (ann,) = found.readers
    assert (ann.severity, ann.severity_interval, ann.reliability, ann.consistency) == (None,) * 4
    assert "One reader alone" in found.note
    assert "assumed, not measured" in found.note
    assert (np.diff(found.labels.mean[:5]) > 0).all()
    assert not found.labels.is_disputed.any()


def test_ratings_that_are_all_the_same_tell_nothing_apart() -> None:
    found = fit_ratings(list(GOOD) * 2, ["Ann"] * 8 + ["Bob"] * 8, [4] * 16)
    assert "Every word is the same" in found.note
    assert found.labels.mean == pytest.approx([found.labels.mean[0]] * 8)
    assert [reader.severity for reader in found.readers] == pytest.approx([0, 0], abs=1e-6)
    assert np.isfinite(found.labels.variance).all()


def test_readers_without_a_common_item_are_in_groups_and_the_note_says_what_that_costs() -> None:
    items, ratings = list(GOOD[:4]) * 2 + list(GOOD[4:]) * 2, [1, 2, 4, 5, 2, 3, 4, 5] * 2
    readers = ["Ann"] * 4 + ["Bob"] * 4 + ["Cem"] * 4 + ["Dan"] * 4
    found = fit_ratings(items, readers, ratings)
    assert [reader.group for reader in found.readers] == [0, 0, 1, 1]
    assert "2 groups that share no item" in found.note
    gold = fit_ratings(items, readers, ratings, known={"a": 1, "e": 1})
    assert {reader.group for reader in gold.readers} == {0}
    assert "groups" not in gold.note


@pytest.mark.parametrize(
    ("items", "readers", "ratings", "sentence"),
    [
        ([], [], [], "There are no ratings"),
        (["a"], ["Ann"], [6], "whole numbers from 1 to 5; one is 6"),
        (["a"], ["Ann"], [2.5], "whole numbers from 1 to 5; one is 2.5"),
        (["a", "b"], ["Ann"], [2, 3], "equally long: items 2, readers 1, ratings 2"),
    ],
)
def test_what_is_no_set_of_ratings_is_refused_with_the_way_out(items, readers, ratings, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_ratings(items, readers, ratings)


def test_results_cannot_be_changed() -> None:
    found = fit_ratings(["a"], ["Ann"], [3])
    with pytest.raises(ValueError, match="read-only"):
        found.labels.mean[0] = 1


def test_a_reader_who_gives_everything_the_same_rating_is_never_called_reliable_and_counts_for_nothing() -> (
    None
):
    made = simulate_ratings(num_readers=3, num_items=60, readers_per_item=2, seed=5)
    items, readers = [*made.items, *range(60)], [*made.readers, *[3] * 60]
    found = fit_ratings(items, readers, [*made.ratings, *[4] * 60])
    clicker, others = found.readers[3], found.readers[:3]
    assert clicker.is_unvarying
    assert (clicker.reliability, clicker.severity, clicker.discrimination) == (None, None, 0.0)
    assert "3 gave everything the same rating" in found.note
    assert not any(reader.is_unvarying for reader in others)
    # What the others say is told as if that reader had not been there.
    alone = fit_ratings(made.items, made.readers, made.ratings)
    assert np.allclose(found.labels.mean, alone.labels.mean, atol=0.005)
    for one, other in zip(others, alone.readers, strict=True):
        assert told(one.reliability) == pytest.approx(told(other.reliability), abs=0.02)


def test_a_few_ratings_alike_or_a_reader_alone_are_no_ground_to_say_so() -> None:
    short = fit_ratings([0, 1, 2, 0, 1, 2], ["a"] * 3 + ["b"] * 3, [4, 4, 4, 1, 3, 5])
    alone = fit_ratings(range(30), ["a"] * 30, [4] * 30)
    assert not any(reader.is_unvarying for reader in (*short.readers, *alone.readers))
