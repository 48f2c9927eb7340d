"""Votes are weighed by who cast them: precision, favoured side, ties, and what other pairs tell."""

from itertools import combinations

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit
from scipy.stats import norm

from rl_feedback.raters import assumed_votes, fit_votes
from rl_feedback.raters.vote_model import VoteModel, VotingReader
from tests.rl_feedback.agreement_examples import told
from tests.rl_feedback.raters.simulated import MARGIN, SimulatedVotes, simulate_votes


def fitted(made: SimulatedVotes) -> VoteModel:
    return fit_votes(made.on_a, made.on_b, made.readers, made.votes)


def share_of_a(made: SimulatedVotes, reader: int) -> float:
    """Of the simulated reader's votes for a side between equals, how many go to A."""
    a, towards_a = made.precision[reader], made.towards_a[reader]
    for_a, for_b = expit(a * (towards_a - MARGIN)), expit(a * (-towards_a - MARGIN))
    return float(for_a / (for_a + for_b))


def test_precision_favoured_side_and_margin_are_recovered() -> None:
    made = simulate_votes(num_readers=12, num_pairs=2500, readers_per_pair=3, seed=1)
    found = fitted(made)
    precision = [reader.precision for reader in found.readers]
    assert np.corrcoef(np.log(precision), np.log(made.precision))[0, 1] > 0.85
    sides = [share_of_a(made, reader.reader) for reader in found.readers]
    assert np.corrcoef([reader.favours_a for reader in found.readers], sides)[0, 1] > 0.97
    assert found.margin == pytest.approx(MARGIN, abs=0.08)
    assert found.converged


def test_intervals_of_readers_hold_the_truth_about_as_often_as_they_say() -> None:
    precision, side = [], []
    for seed in range(25):
        made = simulate_votes(num_readers=6, num_pairs=80, readers_per_pair=3, seed=seed)
        for reader in fitted(made).readers:
            low, high = reader.precision_interval
            precision.append(low <= made.precision[reader.reader] <= high)
            low, high = reader.favours_a_interval
            side.append(low <= share_of_a(made, reader.reader) <= high)
    assert 0.89 <= np.mean(precision) <= 1
    assert 0.89 <= np.mean(side) <= 1


def test_a_probability_comes_true_as_often_as_it_says() -> None:
    made = simulate_votes(num_readers=10, num_pairs=4000, readers_per_pair=2, seed=2)
    found = fitted(made)
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        chosen = (found.probability >= low) & (found.probability <= low + 0.2)
        assert chosen.sum() > 100
        came_true = (made.better[chosen] > 0).mean()
        assert came_true == pytest.approx(found.probability[chosen].mean(), abs=0.06)


def test_hidden_repeats_tell_lasting_preference_from_noise() -> None:
    made = simulate_votes(
        num_readers=8, num_pairs=3000, readers_per_pair=3, seed=3, omega=0.8, repeat_share=0.3
    )
    found = fitted(made)
    assert found.omega == pytest.approx(0.8, abs=0.25)
    assert all(reader.num_repeated > 0 for reader in found.readers)


def test_turning_every_vote_round_turns_the_preference_and_the_favoured_side() -> None:
    made = simulate_votes(num_readers=5, num_pairs=60, readers_per_pair=3, seed=4)
    turned = {"a": "b", "b": "a", "tie": "tie"}
    found, other = (
        fitted(made),
        fit_votes(made.on_a, made.on_b, made.readers, [turned[v] for v in made.votes]),
    )
    assert other.probability == pytest.approx(1 - found.probability, abs=1e-4)
    for one, another in zip(found.readers, other.readers, strict=True):
        assert another.favours_a == pytest.approx(1 - one.favours_a, abs=1e-4)


def test_which_side_an_output_stood_on_and_the_order_of_votes_do_not_matter() -> None:
    made = simulate_votes(num_readers=5, num_pairs=60, readers_per_pair=3, seed=5)
    found = fitted(made)
    for pair in range(60):
        first, second = found.between(2 * pair, 2 * pair + 1), found.between(2 * pair + 1, 2 * pair)
        assert first.probability == pytest.approx(1 - second.probability)
        assert first.mean == pytest.approx(1 - second.mean)
    order = np.random.default_rng(0).permutation(len(made.votes))
    mixed = fit_votes(
        *([column[n] for n in order] for column in (made.on_a, made.on_b, made.readers, made.votes))
    )
    assert mixed.probability == pytest.approx(found.probability, abs=1e-9)


def test_a_vote_of_a_precise_reader_weighs_more_than_one_of_a_careless_one() -> None:
    made = simulate_votes(num_readers=6, num_pairs=1500, readers_per_pair=3, seed=6)
    careless = [
        str(np.random.default_rng(n).choice(["a", "b"])) if reader == 0 else vote
        for n, (reader, vote) in enumerate(zip(made.readers, made.votes, strict=True))
    ]
    found = fit_votes(made.on_a, made.on_b, made.readers, careless)
    best = max(found.readers, key=lambda reader: reader.precision).reader
    assert min(found.readers, key=lambda reader: reader.precision).reader == 0
    assert told(found.readers[0].accuracy) < 0.62
    assert found.weighed([best]).probability > found.weighed([0]).probability + 0.15
    assert found.weighed([best], against=[0]).probability > 0.6


def towards_a(reader: VotingReader, margin: float) -> float:
    """The favoured side on the axis of quality."""

    def away(place: float) -> float:
        for_a, for_b = expit(reader.precision * (np.array([place, -place]) - margin))
        return float(for_a / (for_a + for_b)) - reader.favours_a

    return float(optimize.brentq(away, -5, 5))


def exact_probability(
    found: VoteModel, votes: list[tuple[int, int, str, str]]
) -> dict[tuple[int, int], float]:
    """That one output is better than another, by summing over a grid of three outputs' qualities."""
    axis = np.linspace(-4, 4, 81)
    grid = np.meshgrid(axis, axis, axis, indexing="ij")
    density = norm.pdf(grid[0]) * norm.pdf(grid[1]) * norm.pdf(grid[2])
    readers = {reader.reader: reader for reader in found.readers}
    for on_a, on_b, who, vote in votes:
        reader = readers[who]
        seen = grid[on_a] - grid[on_b] + towards_a(reader, found.margin)
        for_a, for_b = (expit(reader.precision * (sign * seen - found.margin)) for sign in (1, -1))
        density = density * {"a": for_a, "b": for_b, "tie": 1 - for_a - for_b}[vote]
    return {
        (one, other): float(
            (density * ((grid[one] > grid[other]) + 0.5 * (grid[one] == grid[other]))).sum() / density.sum()
        )
        for one, other in combinations(range(3), 2)
    }


def test_where_outputs_are_in_several_pairs_the_others_votes_count_as_exact_sums_say() -> None:
    votes = [(0, 1, "x", "a"), (1, 2, "x", "a"), (1, 2, "y", "tie"), (0, 2, "y", "a"), (1, 0, "y", "b")]
    found = fit_votes(*(list(column) for column in zip(*votes, strict=True)))
    assert found.num_linked_pairs == 3
    for (one, other), probability in exact_probability(found, votes).items():
        assert found.between(one, other).probability == pytest.approx(probability, abs=0.02)


def test_a_better_output_of_one_pair_is_taken_for_better_in_the_next() -> None:
    votes = [("x", "y", reader, "a") for reader in "ABCD"] + [("y", "z", "A", "tie")]
    found = fit_votes(*(list(column) for column in zip(*votes, strict=True)))
    alone = fit_votes(["y"], ["z"], ["A"], ["tie"])
    assert alone.between("y", "z").probability == pytest.approx(0.5, abs=1e-6)
    # y lost to x, so it is likely poor.
    assert found.between("y", "z").probability < 0.5


def test_readers_who_vote_for_different_outputs_are_a_dispute_until_it_is_settled() -> None:
    columns = (["x", "y"], ["y", "x"], ["Ann", "Bob"], ["a", "a"])
    split = fit_votes(*columns).between("x", "y")
    assert (split.is_disputed, split.is_settled) == (True, False)
    assert split.probability == pytest.approx(0.5, abs=0.1)
    settled = fit_votes(*columns, known={("y", "x"): "a"}).between("x", "y")
    assert (settled.is_disputed, settled.is_settled) == (False, True)
    assert settled.probability < 0.15


def test_a_lone_voice_against_many_is_no_dispute_and_still_lowers_the_certainty() -> None:
    found = assumed_votes()
    many, with_a_minority = found.weighed("abcde"), found.weighed("abcde", against="f")
    assert not with_a_minority.is_disputed
    assert found.weighed("ab", against="c").is_disputed
    assert 0.5 < with_a_minority.probability < many.probability
    assert with_a_minority.mean < many.mean


def test_both_bad_names_no_better_one() -> None:
    found = fit_votes(["x"], ["y"], ["Ann"], ["both_bad"]).between("x", "y")
    assert found.probability == pytest.approx(0.5, abs=1e-6)


def test_one_reader_alone_gets_no_accuracy_and_the_note_says_why() -> None:
    found = fit_votes(["x", "z"], ["y", "w"], ["Ann", "Ann"], ["a", "b"])
    (ann,) = found.readers
    assert (ann.accuracy, ann.accuracy_interval) == (None, None)
    assert "assumed, not measured" in found.note
    assert 0.7 < found.between("x", "y").probability < 0.9


def test_pairs_that_share_no_reader_are_told_in_the_note() -> None:
    found = fit_votes(["x", "z"], ["y", "w"], ["Ann", "Bob"], ["a", "b"])
    assert {reader.group for reader in found.readers} == {0, 1}
    assert "2 groups that share no item" in found.note


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (([], [], [], []), "There are no votes"),
        ((["x"], ["x"], ["Ann"], ["a"]), "names the same output twice"),
        ((["x"], ["y"], ["Ann"], ["left"]), "A vote is a, b, tie or both_bad; one is left"),
        ((["x", "x"], ["y"], ["Ann"], ["a"]), "equally long: on_a 2"),
    ],
)
def test_what_is_no_set_of_votes_is_refused_with_the_way_out(columns, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_votes(*columns)


def test_nobodys_vote_is_refused() -> None:
    with pytest.raises(ValueError, match="Nobody voted"):
        assumed_votes().weighed([])
    with pytest.raises(KeyError):
        fit_votes(["x"], ["y"], ["Ann"], ["a"]).between("x", "z")
