import evalica
import numpy as np
import pytest

from rl_feedback.evaluation.arena import SCALE, CannotRank, bradley_terry

# A. Agresti, Categorical Data Analysis (2002), table 10.10: rows won against columns, American League 1987.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
# As fitted by R's BradleyTerry2 (H. Turner and D. Firth (2012), J Stat Softw 48(9)), Baltimore at 0.
FITTED = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)
# S. M. Stigler (1994), Stat Sci 9, 94-108: citations of one journal (rows) in another, as in BradleyTerry2.
JOURNALS = ("Biometrika", "Comm Statist", "JASA", "JRSS-B")
CITED = ((0, 730, 498, 221), (33, 0, 68, 17), (320, 813, 0, 142), (284, 276, 325, 0))
CITED_FITTED = (0.0, -2.94907, -0.47957, 0.26895)


def battles(names, wins):
    rows = [
        (names[i], names[j], 1.0)
        for i, row in enumerate(wins)
        for j, many in enumerate(row)
        for _ in range(many)
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def strengths(board, names, *, over):
    at = dict(zip(board.models, (board.rating - 1000) / SCALE, strict=True))
    return [at[name] - at[over] for name in names]


def drawn(num_battles, *, num_models=6, seed=0, ties=0.15, spread=0.7):
    rng = np.random.default_rng(seed)
    strength = spread * rng.normal(size=num_models)
    left = rng.integers(num_models, size=num_battles)
    right = (left + rng.integers(1, num_models, size=num_battles)) % num_models
    won = rng.random(num_battles) < 1 / (1 + np.exp(strength[right] - strength[left]))
    return strength, left, right, np.where(rng.random(num_battles) < ties, 0.5, won)


@pytest.mark.parametrize(
    ("names", "wins", "fitted", "over"),
    [(TEAMS, WINS, FITTED, "Baltimore"), (JOURNALS, CITED, CITED_FITTED, "Biometrika")],
)
def test_the_worked_examples_of_the_literature_come_out(names, wins, fitted, over) -> None:
    board = bradley_terry(*battles(names, wins))
    assert strengths(board, names, over=over) == pytest.approx(fitted, abs=6e-5)
    assert board.rating.mean() == pytest.approx(1000)


def test_a_large_sample_of_a_true_model_has_the_standard_errors_of_the_textbook() -> None:
    # BradleyTerry2 gives Milwaukee .3433 and Boston .3339 over Baltimore, from the information alone.
    board = bradley_terry(*battles(TEAMS, WINS), num_draws=4000, seed=3)
    at = [board.models.index(name) for name in ("Milwaukee", "Boston", "Baltimore")]
    for team, told in zip(at[:2], (0.3433, 0.3339), strict=True):
        apart = (
            board.covariance[team, team] + board.covariance[at[2], at[2]] - 2 * board.covariance[team, at[2]]
        )
        assert np.sqrt(apart) == pytest.approx(told, rel=0.12)
    assert np.ptp(board.interval, axis=1) == pytest.approx(np.ptp(board.sandwich_interval, axis=1), rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_ratings_equal_those_of_evalica(seed) -> None:
    _, left, right, outcome = drawn(4000, num_models=12, seed=seed)
    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    theirs = evalica.bradley_terry(
        left.tolist(),
        right.tolist(),
        [winner[end] for end in outcome.tolist()],
        tie_weight=0.5,
        tolerance=1e-13,
        limit=10_000,
    )
    logs = np.log(theirs.scores.sort_index().to_numpy())
    ours = (bradley_terry(left, right, outcome, num_draws=0).rating - 1000) / SCALE
    assert ours == pytest.approx(logs - logs.mean(), abs=1e-6)


def test_the_order_of_battles_their_sides_and_the_kind_of_names_change_nothing() -> None:
    _, left, right, outcome = drawn(500)
    first = bradley_terry(left, right, outcome, num_draws=0)
    turned = bradley_terry(right[::-1], left[::-1], 1 - outcome[::-1], num_draws=0)
    named = bradley_terry([f"m{n}" for n in left], [f"m{n}" for n in right], outcome, num_draws=0)
    assert turned.rating == pytest.approx(first.rating)
    assert named.rating == pytest.approx(first.rating)
    assert named.models == tuple(f"m{n}" for n in range(6))


def test_draws_of_a_seed_are_the_same_and_those_of_another_are_not() -> None:
    _, left, right, outcome = drawn(300)
    one, same, other = (bradley_terry(left, right, outcome, seed=seed) for seed in (1, 1, 2))
    assert one.interval.tolist() == same.interval.tolist()
    assert one.interval.tolist() != other.interval.tolist()


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    inside = ranked = total = 0
    for seed in range(60):
        strength, left, right, outcome = drawn(600, seed=seed, ties=0.0)
        board = bradley_terry(left, right, outcome, seed=seed)
        truth = 1000 + SCALE * (strength - strength.mean())
        rank = 1 + (strength[None] > strength[:, None]).sum(axis=1)
        inside += ((board.interval[:, 0] <= truth) & (truth <= board.interval[:, 1])).sum()
        ranked += ((board.rank_interval[:, 0] <= rank) & (rank <= board.rank_interval[:, 1])).sum()
        total += 6
    assert 0.92 <= inside / total <= 0.98
    assert ranked / total >= 0.94


def test_battles_of_one_study_are_one_observation() -> None:
    _, left, right, outcome = drawn(300)
    tenfold = [np.repeat(column, 10) for column in (left, right, outcome)]
    study = np.repeat(np.arange(300), 10)
    once = bradley_terry(left, right, outcome, seed=1)
    repeated = bradley_terry(*tenfold, study=study, seed=1)
    careless = bradley_terry(*tenfold, seed=1)
    assert repeated.rating == pytest.approx(once.rating)
    assert repeated.sandwich_interval == pytest.approx(once.sandwich_interval)
    widths = [np.ptp(board.interval, axis=1).mean() for board in (once, repeated, careless)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] < widths[0] / 2.5


@pytest.mark.parametrize(
    ("left", "right", "outcome", "says"),
    [
        (["x", "y"], ["y", "z"], [1, 1], "z won and tied no battle. x lost and tied no battle."),
        (["a", "b", "c", "d"], ["b", "a", "d", "c"], [1, 1, 1, 1], "fall into 2 groups"),
    ],
)
def test_models_that_wins_do_not_link_are_refused_or_held_by_a_prior_and_it_is_said(
    left, right, outcome, says
) -> None:
    with pytest.raises(CannotRank, match=says.replace(".", r"\.")):
        bradley_terry(left, right, outcome)
    board = bradley_terry(left, right, outcome, prior=1)
    assert says in board.note
    assert "1 tied battles with an imagined mean model" in board.note
    assert np.isfinite(board.rating).all()
    assert np.isfinite(board.interval).all()


def test_a_prior_draws_ratings_to_the_mean_and_is_told() -> None:
    _, left, right, outcome = drawn(400)
    free, held = (bradley_terry(left, right, outcome, prior=prior, num_draws=0) for prior in (0, 20))
    assert np.ptp(held.rating) < np.ptp(free.rating)
    assert free.note == ""
    assert "20 tied battles" in held.note


def test_draws_without_a_win_are_counted_and_told() -> None:
    board = bradley_terry(["x"] * 8 + ["y"], ["y"] * 8 + ["x"], [1] * 9, num_draws=200)
    assert 40 < board.num_poor_draws < 110  # (8 / 9)^9 = .35 of 200
    assert f"In {board.num_poor_draws} of 200 draws a model had no win" in board.note


def test_the_effect_of_length_is_taken_out_of_ratings_and_told() -> None:
    rng = np.random.default_rng(4)
    _, left, right, _ = drawn(6000, num_models=3)
    # Model 2 only writes longer; models differ in nothing else.
    words = {
        "left": rng.poisson(40, 6000) + 40 * (left == 2),
        "right": rng.poisson(40, 6000) + 40 * (right == 2),
    }
    longer = (words["left"] - words["right"]) / (words["left"] + words["right"] + 1)
    outcome = (rng.random(6000) < 1 / (1 + np.exp(-4 * longer))) * 1.0
    plain = bradley_terry(left, right, outcome, num_draws=0)
    styled = bradley_terry(
        left, right, outcome, style={"words": (words["left"], words["right"])}, num_draws=30
    )
    assert plain.rating[2] - plain.rating[0] > 150
    assert abs(styled.rating[2] - styled.rating[0]) < 40
    (effect,) = styled.style
    assert effect.name == "words"
    assert effect.interval[0] < 4 < effect.interval[1]
    assert np.ptp(styled.interval, axis=1) == pytest.approx(np.ptp(styled.sandwich_interval, axis=1), rel=0.5)


def test_a_style_of_no_effect_leaves_ratings_and_intervals_as_they_are() -> None:
    _, left, right, outcome = drawn(3000, seed=8)
    same = np.full(3000, 7)
    plain = bradley_terry(left, right, outcome, num_draws=0)
    styled = bradley_terry(left, right, outcome, style={"boxes": (same, same)}, num_draws=0)
    assert styled.style == ()
    assert styled.note == "No two texts differ in boxes, so nothing is known of its effect."
    assert styled.rating == pytest.approx(plain.rating, abs=1e-4)
    assert styled.sandwich_interval == pytest.approx(plain.sandwich_interval, abs=1e-3)


def test_a_judge_of_length_alone_gives_a_large_and_finite_effect() -> None:
    rng = np.random.default_rng(5)
    _, left, right, _ = drawn(500, num_models=3)
    a, b = rng.poisson(40, 500), rng.poisson(40, 500)
    board = bradley_terry(left, right, np.where(a == b, 0.5, a > b), style={"words": (a, b)}, num_draws=0)
    assert 10 < board.style[0].value < 200


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (([], [], []), "no battle yet"),
        ((["x"], ["y"], [1, 0]), "differ in length"),
        ((["x"], ["x"], [1]), "names the same model twice"),
        ((["x"], ["y"], [0.7]), "one is 0.7"),
        ((["x"], ["y"], [float("nan")]), "one is nan"),
        ((["x"], ["y"], ["won"]), "1 where the left model won"),
    ],
)
def test_what_is_no_battle_is_refused_by_a_sentence(columns, says) -> None:
    with pytest.raises(ValueError, match=says):
        bradley_terry(*columns)


def test_the_win_matrix_counts_ties_as_half_for_both() -> None:
    board = bradley_terry(["x", "x", "y"], ["y", "y", "x"], [1, 0.5, 1], num_draws=0)
    assert board.won.tolist() == [[0, 1.5], [1.5, 0]]
    assert board.num_battles_of.tolist() == [[0, 3], [3, 0]]
    assert board.num_ties == 1
    assert board.chance("x", "y") == pytest.approx(0.5)


def test_equals_share_a_rank_and_no_rank_is_sure() -> None:
    board = bradley_terry(["x", "y"] * 10, ["y", "x"] * 10, [1] * 20)
    assert [row.rank for row in board.rows()] == [1, 1]
    assert [row.rank_interval for row in board.rows()] == [(1, 2), (1, 2)]
