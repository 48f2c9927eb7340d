import json
import random
from dataclasses import replace

import numpy as np
import pytest

from rl_feedback.evaluation.arena import bradley_terry
from rl_feedback.evaluation.arena.against_experts import against_experts
from rl_feedback.evaluation.arena.boards import arena_of
from rl_feedback.evaluation.arena.choosing import expected_gains, next_battles
from rl_feedback.evaluation.arena.judge_bias import judge_bias
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict, battles_of
from tests.rl_feedback.evaluation.arena.judged import (
    always_first,
    coin,
    judged,
    longest,
    truthful,
    votes,
)


def bias_of(says):
    (bias,) = (bias for bias in judge_bias([*judged(says), *votes()]) if bias.kind is Kind.MODEL)
    return bias


def beside_experts(judgements):
    (beside,) = against_experts(battles_of(judgements).battles)
    return beside


def board_of(named):
    assert named.refused == ""
    return named.board


def test_a_judge_of_the_reports_alone_shows_no_bias() -> None:
    bias = bias_of(truthful)
    assert bias.first_place.value == pytest.approx(0.5)
    assert bias.flip_rate.value == 0
    assert bias.between_orders.value == 1
    assert bias.says == ()


def test_a_judge_that_always_takes_the_first_place_is_unmasked() -> None:
    bias = bias_of(always_first)
    assert bias.first_place.value == 1
    assert bias.flip_rate.value == 1
    assert bias.between_orders.value <= 0
    assert "first place in 100% of its decisions. It looks at the order" in bias.says[0]
    arena = arena_of(judged(always_first))
    assert board_of(arena.judges).rating == pytest.approx(1000)
    assert arena.num_flipped == 180


def test_a_judge_of_length_is_unmasked_and_its_ratings_go_with_its_style() -> None:
    bias = bias_of(longest)
    assert bias.flip_rate.value == 0
    assert bias.first_place.value == pytest.approx(0.5)
    assert bias.longer.value == 1
    assert "takes the longer report in 100% of its decisions. Experts do so in" in bias.says[0]
    assert bias.experts_longer.value < 0.75
    assert board_of(arena_of(judged(longest)).styled).style[0].value > 5


def test_a_coin_is_unmasked_where_one_answer_stands_for_many_cases() -> None:
    thrown = [
        replace(one, case=f"{one.case}-{again}", study=f"{one.study}-{again}")
        for one in judged(coin, num_cases=8)
        for again in range(40)
    ]
    (bias,) = judge_bias(thrown)
    (once,) = judge_bias(judged(coin, num_cases=8))
    assert (bias.num_judgements, bias.num_answers) == (40 * once.num_judgements, once.num_answers)
    assert bias.between_orders == once.between_orders
    assert bias.first_place.interval == pytest.approx(once.first_place.interval)
    assert bias.longer.interval == pytest.approx(once.longer.interval)
    assert any("not told from a coin's" in sentence for sentence in bias.says)


def test_of_an_expert_nobody_asks_whether_experts_do_so_too() -> None:
    said = [replace(one, judge="reader", kind=Kind.EXPERT, key="") for one in judged(longest)]
    (bias,) = judge_bias(said)
    assert bias.says[-1] == "It takes the longer report in 100% of its decisions."


def test_a_judge_that_throws_a_coin_is_unmasked() -> None:
    bias = bias_of(coin)
    assert bias.first_place.interval[0] < 0.5 < bias.first_place.interval[1]
    assert bias.flip_rate.value == pytest.approx(0.5, abs=0.12)
    assert any("not told from a coin's" in sentence for sentence in bias.says)
    beside = beside_experts([*judged(coin), *votes()])
    assert "no more than chance would" in beside.says
    few = beside_experts([*judged(coin), *votes()[:12]])
    assert 0 < few.num_battles < 30
    assert "too few to tell whether it agrees with experts more than chance would" in few.says


def test_a_good_judge_agrees_with_experts_about_as_they_do_among_each_other() -> None:
    beside = beside_experts([*judged(truthful), *votes()])
    assert (beside.num_battles, beside.num_experts) == (180, 2)
    assert beside.kappa.value > 0.7
    assert beside.ac1.value > 0.7
    assert beside.between_experts.value > 0.6
    assert beside.says == ""
    (one_sided,) = against_experts(
        battles_of([*judged(truthful), *(one for one in votes() if one.for_left == 1)]).battles
    )
    assert one_sided.num_battles > 30
    assert one_sided.kappa is not None
    assert one_sided.kappa.value == 0
    assert "kappa is 0 whatever the judge says" in one_sided.says
    assert "no more than chance" not in one_sided.says
    alone = beside_experts(judged(truthful))
    assert "nobody knows whether its board means anything" in alone.says


def test_the_board_finds_the_true_order_by_judges_and_by_experts_through_one_path() -> None:
    arena = arena_of([*judged(truthful, 120), *votes(120)])
    for named in (arena.judges, arena.experts, *arena.by_category, *arena.by_judge):
        assert [row.model for row in board_of(named).rows()] == ["good", "middling", "bad"]
    assert [named.name for named in arena.by_category] == ["heart", "lungs"]
    assert board_of(arena.judges).num_studies == 120
    told = json.loads(json.dumps(arena.as_json(), allow_nan=False))
    assert told["judges"]["rows"][0]["model"] == "good"
    assert told["protocol"].startswith("The protocol of these battles is our own")


def test_a_board_is_the_same_in_whatever_order_judgements_came() -> None:
    said = [*judged(coin, 40), *votes(40)]
    random.Random(3).shuffle(mixed := list(said))
    told, again = (json.dumps(arena_of(of_these, prior=0.5).as_json()) for of_these in (said, mixed))
    assert told == again


def test_an_invalid_judgement_takes_its_pair_out_and_one_order_is_none() -> None:
    both = judged(truthful, 1)
    spoilt = [
        Judgement(**{**vars(both[0]), "verdict": Verdict.INVALID}),
        *both[1:4],
    ]
    made = battles_of(spoilt)
    assert (len(made.battles), made.num_invalid, made.num_one_order) == (1, 1, 0)
    made = battles_of(both[:3])
    assert (len(made.battles), made.num_invalid, made.num_one_order) == (1, 0, 1)
    (bias,) = judge_bias(spoilt)
    assert bias.says[-1] == "1 of its 4 judgements were no verdict and count nowhere."


def test_boards_without_a_battle_or_a_link_say_why() -> None:
    empty = arena_of([])
    assert empty.judges.refused == "There is no battle yet."
    only = Judgement("c", "c", "x", "y", "e", Kind.EXPERT, Verdict.FIRST)
    assert "y won and tied no battle." in arena_of([only]).experts.refused
    assert arena_of([only], prior=1).experts.board is not None
    json.dumps(empty.as_json())


def test_seldom_met_and_like_strong_models_come_first() -> None:
    won = np.array([[0, 30, 1], [10, 0, 1], [1, 1, 0.0]])
    gains = expected_gains(won)
    assert gains == pytest.approx(gains.T)
    assert (np.diag(gains) == 0).all()
    assert min(gains[0, 2], gains[1, 2]) > gains[0, 1]
    empty = expected_gains(np.zeros((4, 4)))
    assert np.ptp(empty[~np.eye(4, dtype=bool)]) == pytest.approx(0)


def test_one_battle_adds_what_was_expected_of_it() -> None:
    # For equals p (1 - p) = 1/4; with a prior of one tie each (1/4) the difference has variance 8.
    assert expected_gains(np.zeros((2, 2)))[0, 1] == pytest.approx(np.log(1 + 8 / 4) / 2)


def test_choices_use_up_what_is_open_and_keep_a_random_share() -> None:
    still = np.triu(np.full((5, 5), 40.0), 1)
    chosen = next_battles(np.zeros((5, 5)), still, number=300, random_share=0.25, seed=3)
    assert len(chosen) == 300
    assert 50 < sum(one.is_random for one in chosen) < 100
    assert all(one.left < one.right for one in chosen)
    assert chosen == next_battles(np.zeros((5, 5)), still, number=300, random_share=0.25, seed=3)
    assert len(next_battles(np.zeros((5, 5)), still, number=500)) == 400
    assert not any(one.is_random for one in next_battles(np.zeros((5, 5)), still, number=9, random_share=0))
    counts = np.zeros((5, 5))
    for one in next_battles(np.zeros((5, 5)), still, number=100, random_share=0):
        counts[one.left, one.right] += 1
    assert np.ptp(counts[np.triu_indices(5, 1)]) <= 1


def test_steered_battles_know_more_than_random_ones() -> None:
    """Six models, two of them nearly equal and far above the rest, where random pairs teach little."""
    strength = np.array([4.0, 3.8, 0, 0, -3, -3.5])
    spread = {}
    for share in (0.0, 1.0):
        rng = np.random.default_rng(1)
        won, still = np.zeros((6, 6)), np.triu(np.full((6, 6), 1e6), 1)
        for turn in range(60):
            for one in next_battles(won, still, number=10, random_share=share, seed=turn):
                wins = rng.random() < 1 / (1 + np.exp(strength[one.right] - strength[one.left]))
                won[(one.left, one.right) if wins else (one.right, one.left)] += 1
        columns = [(i, j, 1) for i in range(6) for j in range(6) for _ in range(int(won[i, j]))]
        board = bradley_terry(*zip(*columns, strict=True), prior=1, num_draws=0)
        spread[share] = np.linalg.slogdet(board.covariance[1:, 1:])[1]
    assert spread[0.0] < spread[1.0]
