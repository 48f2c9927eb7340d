"""Boards held to examples that others printed, and to some worked by hand, each by the equation it names."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from rl_feedback.evaluation.arena import SCALE, bradley_terry
from rl_feedback.evaluation.arena.choosing import expected_gains, next_battles
from rl_feedback.evaluation.arena.ranks import rank_intervals, ranks_of

# Mean scores in mathematics and their standard errors, PISA 2018 (OECD), as in csranks.
PISA = {
    "Australia": (491.3600, 1.9398),
    "Austria": (498.9423, 2.9710),
    "Belgium": (508.0703, 2.2627),
    "Canada": (512.0169, 2.3575),
    "Chile": (417.4066, 2.4159),
    "Colombia": (390.9323, 2.9896),
    "Czech Republic": (499.4677, 2.4607),
    "Denmark": (509.3984, 1.7350),
    "Estonia": (523.4146, 1.7436),
    "Finland": (507.3014, 1.9679),
    "France": (495.4076, 2.3202),
    "Germany": (500.0438, 2.6471),
    "Greece": (451.3703, 3.0912),
    "Hungary": (481.0826, 2.3196),
    "Iceland": (495.1874, 1.9531),
    "Ireland": (499.6329, 2.1986),
    "Israel": (463.0345, 3.4986),
    "Italy": (486.5899, 2.7800),
    "Japan": (526.9733, 2.4715),
    "Korea": (525.9330, 3.1214),
    "Latvia": (496.1263, 1.9628),
    "Lithuania": (481.1912, 1.9533),
    "Luxembourg": (483.4215, 1.0976),
    "Mexico": (408.8015, 2.4932),
    "Netherlands": (519.2310, 2.6323),
    "New Zealand": (494.4897, 1.7059),
    "Norway": (500.9638, 2.2190),
    "Poland": (515.6479, 2.6021),
    "Portugal": (492.4874, 2.6846),
    "Slovak Republic": (486.1649, 2.5556),
    "Slovenia": (508.8975, 1.3639),
    "Spain": (481.3926, 1.4624),
    "Sweden": (502.3877, 2.6543),
    "Switzerland": (515.3147, 2.9080),
    "Turkey": (453.5078, 2.2604),
    "United Kingdom": (501.7699, 2.5644),
    "United States": (478.2447, 3.2354),
}
# A. Agresti, Categorical Data Analysis (2002), table 10.11: American League 1987, games that the team of the
# row won and lost at home against Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore.
AT_HOME = {
    "Milwaukee": ((0, 0), (4, 3), (4, 2), (4, 3), (6, 1), (4, 2), (6, 0)),
    "Detroit": ((3, 3), (0, 0), (4, 2), (4, 3), (6, 0), (6, 1), (4, 3)),
    "Toronto": ((2, 5), (4, 3), (0, 0), (2, 4), (4, 3), (4, 2), (6, 0)),
    "New York": ((3, 3), (5, 1), (2, 5), (0, 0), (4, 3), (4, 2), (6, 1)),
    "Boston": ((5, 1), (2, 5), (3, 3), (4, 2), (0, 0), (5, 2), (6, 0)),
    "Cleveland": ((2, 5), (3, 3), (3, 4), (4, 3), (4, 2), (0, 0), (2, 4)),
    "Baltimore": ((2, 5), (1, 5), (1, 6), (2, 4), (1, 6), (3, 4), (0, 0)),
}
# As R's BradleyTerry2 prints them (H. Turner and D. Firth (2012), J Stat Softw 48(9), 3.3), Baltimore at 0.
ABILITIES = (1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0.0)
HOME, HOME_ERROR = 0.3023, 0.1309


def two_models(wins: Iterable[tuple[int, int]]) -> tuple[list[str], list[str], list[float]]:
    """x against y: of each part how many battles x won, of how many."""
    outcome = [float(battle < won) for won, met in wins for battle in range(met)]
    return ["x"] * len(outcome), ["y"] * len(outcome), outcome


def test_a_rank_interval_is_the_one_printed_for_the_united_kingdom() -> None:
    """Printed: csranks 1.2, vignette Inference for Ranks, `csranks(math_score, diag(math_se^2), simul=FALSE,
    coverage=0.95)`: L 8, rank 13, U 23. In one step Canada would stay open, and L be 7."""
    score, error = np.array(list(PISA.values())).T
    kingdom = list(PISA).index("United Kingdom")
    for seed in range(5):
        draws = score + error * np.random.default_rng(seed).normal(size=(4000, len(PISA)))
        found = rank_intervals(score, np.diag(error**2), draws=draws, confidence=0.95)
        assert found[kingdom].tolist() == [8, 23]
    assert ranks_of(score)[kingdom] == 13


def test_without_draws_a_rank_interval_goes_by_holms_steps() -> None:
    """By hand, from S. Holm (1979), Scand J Stat 6, 65-70: of two differences the larger is held to the
    normal quantile at .05 / 4 on a side, 2.2414, the one that is left to 1.9600. Standard errors are
    sqrt(1/2 + 1/2) = 1, so that differences are their own studentised values."""
    half = np.eye(3) / 2
    by_steps = rank_intervals(np.array([4.3, 2.3, 0.0]), half, draws=None, confidence=0.95)
    # x: 4.3 > 2.2414, then 2.0 > 1.9600. y: 2.3 > 2.2414, then 2.0. z: 4.3, then 2.3.
    assert by_steps.tolist() == [[1, 1], [2, 2], [3, 3]]
    # Neither 2.2 nor 2.0 is above 2.2414, so nothing is found of y; of x and z 4.2 is, and then the other.
    by_none = rank_intervals(np.array([4.2, 2.2, 0.0]), half, draws=None, confidence=0.95)
    assert by_none.tolist() == [[1, 1], [1, 3], [3, 3]]


def test_two_models_have_the_ratings_and_the_sandwich_of_a_share() -> None:
    """By hand, from R. A. Bradley and M. E. Terry (1952), Biometrika 39, 324-345: of 20 battles x wins 15, so
    its odds are 3 and the ratings 400 log10(3) apart. The information of the difference is n p (1 - p) =
    20 * 3/16 = 15/4; as the model is saturated, the sandwich is its inverse 4/15, times n / (n - 1); each of
    two strengths of mean 0 has a quarter of it."""
    board = bradley_terry(*two_models([(15, 20)]), num_draws=0)
    assert board.rating == pytest.approx([1000 + 200 * math.log10(3), 1000 - 200 * math.log10(3)])
    quarter = 4 / 15 * 20 / 19 / 4
    assert board.covariance == pytest.approx(np.array([[quarter, -quarter], [-quarter, quarter]]))
    reach = 1.959964 * SCALE * math.sqrt(quarter)
    assert board.sandwich_interval[0] - board.rating[0] == pytest.approx([-reach, reach])
    # The difference is 1.0986 of standard error .5298: z 2.07 is above 1.96, and x surely first.
    assert board.rank_interval.tolist() == [[1, 1], [2, 2]]
    # 14 of 20: .8473 of standard error .5008, z 1.69.
    closer = bradley_terry(*two_models([(14, 20)]), num_draws=0)
    assert closer.rank_interval.tolist() == [[1, 2], [1, 2]]


def test_style_control_gives_the_printed_advantage_of_playing_at_home() -> None:
    """Printed: BradleyTerry2's baseballModel2, a covariate that is the battle's own. At home counts 1 to 0
    here, a style of 1/2, so that the effect is twice theirs. Their figures have no prior on it."""
    rows = [
        (home, away, float(game < won))
        for home, games in AT_HOME.items()
        for away, (won, lost) in zip(AT_HOME, games, strict=True)
        for game in range(won + lost)
    ]
    left, right, outcome = (list(column) for column in zip(*rows, strict=True))
    at_home = ([1] * len(rows), [0] * len(rows))
    board = bradley_terry(left, right, outcome, style={"at home": at_home}, num_draws=0)
    strength = dict(zip(board.models, (board.rating - 1000) / SCALE, strict=True))
    told = [strength[team] - strength["Baltimore"] for team in AT_HOME]
    assert told == pytest.approx(ABILITIES, abs=2e-4)
    (effect,) = board.style
    assert effect.value / 2 == pytest.approx(HOME, abs=4e-4)
    # Theirs is from the information alone, ours by the sandwich.
    assert (effect.interval[1] - effect.value) / 2 / 1.959964 == pytest.approx(HOME_ERROR, rel=0.02)


def test_style_control_of_two_models_and_one_style_is_two_shares() -> None:
    """By hand, from logistic regression on the difference b and the effect g of style (W.-L. Chiang et al.
    (2024), arXiv 2403.04132, with LMArena's style columns). Where x writes 4 tokens and y 1, the style is
    (4 - 1) / (4 + 1 + 1) = 1/2, turned round -1/2. x wins 3/4 of the first kind and 1/2 of the second, so
    b + g/2 = ln 3 and b - g/2 = 0: b = ln(3) / 2, g = ln 3. With n battles of each kind the variances of both
    logits are 16 / 3n and 4 / n; b has a quarter of their sum 28 / 3n, g all of it."""
    met = 20_000  # The prior of the effect, of standard deviation 10, then moves it by 3e-6.
    battles = two_models([(3 * met // 4, met), (met // 2, met)])
    tokens = (np.repeat([4, 1], met), np.repeat([1, 4], met))
    board = bradley_terry(*battles, style={"tokens": tokens}, num_draws=0)
    assert np.subtract(*board.rating) / SCALE == pytest.approx(math.log(3) / 2, abs=1e-5)
    (effect,) = board.style
    assert effect.value == pytest.approx(math.log(3), abs=1e-5)
    both = 28 / 3 / met * 2 * met / (2 * met - 1)
    assert effect.interval[1] - effect.value == pytest.approx(1.959964 * math.sqrt(both), rel=1e-4)
    assert board.covariance[0, 0] == pytest.approx(both / 4 / 4, rel=1e-4)
    # Without style control x would have won 5/8: the odds 5/3.
    plain = bradley_terry(*battles, num_draws=0)
    assert np.subtract(*plain.rating) / SCALE == pytest.approx(math.log(5 / 3))


@pytest.mark.parametrize("met", [0, 1, 2, 10, 200])
def test_the_gain_of_one_more_battle_of_equals_falls_as_they_have_met(met: int) -> None:
    """By hand, from log(1 + p (1 - p) v) / 2 (D. V. Lindley (1956), Ann Math Stat 27, 986-1005). Of two that
    tied n battles p is 1/2, and the information with the prior of one tie each is [[n + 1, -n], [-n, n + 1]]
    / 4; its inverse gives the difference the variance v = 8 / (2n + 1). So the gain is
    log((2n + 3) / (2n + 1)) / 2."""
    gain = expected_gains(np.array([[0, met / 2], [met / 2, 0]]))[0, 1]
    assert gain == pytest.approx(math.log((2 * met + 3) / (2 * met + 1)) / 2)


def test_the_gain_of_unequals_is_smaller_by_what_is_sure_of_them() -> None:
    """By hand: let the odds of x against the mean model be 2, of y 1/2, of x against y 4. Strengths settle
    there where x has 5 * 4/5 + (2/3 - 1/2) = 25/6 of 5 battles, the prior's slope taken in. The difference
    has the information 2 (5 * 4/25) + 2/9 = 82/45 along its own direction, and so v = 2 * 45/82 = 45/41: the
    gain is log(1 + 4/25 * 45/41) / 2 = log(241/205) / 2."""
    gain = expected_gains(np.array([[0, 25 / 6], [5 / 6, 0]]))[0, 1]
    assert gain == pytest.approx(math.log(241 / 205) / 2)


def test_who_never_met_is_judged_first_until_as_much_is_known() -> None:
    """By hand: x and y tied 4 battles, z met nobody. The difference of x and y has the variance 8/9, that of
    z and either 20/9 + 4 = 56/9: the gains are log(11/9) / 2 and log(23/9) / 2. z meets x, first of equals.
    By Sherman and Morrison (1950) the variances then are 56/23 of x and z, 20/23 of x and y, and
    56/9 - 9/92 (52/9)^2 = 68/23 of y and z, which come next with log(1 + 17/23) / 2."""
    won = np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0.0]])
    gains = expected_gains(won)
    assert gains[0, 1] == pytest.approx(math.log(11 / 9) / 2)
    assert gains[0, 2] == gains[1, 2] == pytest.approx(math.log(23 / 9) / 2)
    chosen = next_battles(won, np.full((3, 3), 9.0), number=2, random_share=0)
    assert [(one.left, one.right) for one in chosen] == [(0, 2), (1, 2)]
    assert chosen[0].gain == pytest.approx(math.log(23 / 9) / 2)
    assert chosen[1].gain == pytest.approx(math.log(40 / 23) / 2)
