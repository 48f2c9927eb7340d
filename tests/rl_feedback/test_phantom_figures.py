"""Figures must fall when a completion leaves something out, points elsewhere or makes something up."""

import numpy as np
import pytest

from inference.phantoms import HELD_OUT_SEEDS, PhantomTruth, draw_phantom, ideal_reasoning
from rl_feedback.gate import POLICY
from rl_feedback.phantom_figures import aggregate, case_scores, score_phantom


def truth_with(answer: str) -> PhantomTruth:
    for seed in HELD_OUT_SEEDS:
        truth = draw_phantom(seed=seed, width=56, height=56).truth
        if truth.answer == answer:
            return truth
    raise LookupError(answer)


@pytest.fixture(scope="module")
def left_effusion() -> PhantomTruth:
    return truth_with("left effusion")


def test_the_ideal_text_earns_every_figure_on_any_film() -> None:
    for seed in HELD_OUT_SEEDS[:60]:
        truth = draw_phantom(seed=seed).truth
        score = score_phantom(ideal_reasoning(truth), truth)
        assert score.well_formed
        assert score.exact_answer
        assert score.num_hallucinated == 0
        assert score.num_lesions_named == len(truth.lesions)
        assert score.heart_iou > 0.9
        assert min(score.lesion_ious, default=1) > 0.7


def test_the_other_side_earns_nothing_and_counts_as_made_up(left_effusion: PhantomTruth) -> None:
    text = ideal_reasoning(left_effusion).replace("left", "right")
    score = score_phantom(text, left_effusion)
    assert (score.exact_answer, score.lesion_ious, score.num_lesions_named) == (False, (0.0,), 0)
    assert score.num_hallucinated == 1


def test_a_finding_in_a_step_alone_is_made_up_too_unless_it_is_denied() -> None:
    truth = truth_with("no acute finding")
    ideal = ideal_reasoning(truth)
    assert score_phantom(ideal.replace("Both", "There is a right nodule; Both"), truth).num_hallucinated == 1
    assert score_phantom(ideal.replace("Both", "There is no right nodule; Both"), truth).num_hallucinated == 0


def test_more_boxes_on_one_lesion_do_not_pay(left_effusion: PhantomTruth) -> None:
    ideal = ideal_reasoning(left_effusion)
    crowded = ideal.replace(" </think>", " and [0, 0, 9, 9] </think>")
    before, after = score_phantom(ideal, left_effusion), score_phantom(crowded, left_effusion)
    assert after.lesion_ious[0] == pytest.approx(before.lesion_ious[0] / 2)


def test_the_order_of_findings_does_not_matter_but_extra_words_do() -> None:
    truth = truth_with("cardiomegaly, left effusion")
    swapped = ideal_reasoning(truth).replace("cardiomegaly, left effusion", "left effusion, Cardiomegaly.")
    assert score_phantom(swapped, truth).exact_answer
    padded = ideal_reasoning(truth).replace("left effusion}", "left effusion, a fracture}")
    assert not score_phantom(padded, truth).exact_answer
    assert score_phantom(padded, truth).num_hallucinated == 1


@pytest.mark.parametrize("text", ["", "<think>", "\\boxed{}", "no acute finding", "[1,2,3,4]" * 50])
def test_a_malformed_completion_scores_low_and_never_fails(text: str, left_effusion: PhantomTruth) -> None:
    score = score_phantom(text, left_effusion)
    assert not score.well_formed
    assert not score.exact_answer
    assert score.heart_iou == 0


def test_boxes_are_measured_in_the_model_image(left_effusion: PhantomTruth) -> None:
    text = ideal_reasoning(left_effusion, width=504, height=252)
    assert score_phantom(text, left_effusion, model_size=(504, 252)).lesion_ious[0] > 0.9


def test_the_interval_holds_the_mean_and_narrows_with_cases() -> None:
    rng = np.random.default_rng(0)
    scores = []
    for seed in HELD_OUT_SEEDS[:200]:
        truth = draw_phantom(seed=seed, width=56, height=56).truth
        text = ideal_reasoning(truth)
        scores.append(score_phantom(text if rng.random() < 0.7 else text.replace("left", "right"), truth))
    few, many = aggregate(scores[:50])["exact_answer"], aggregate(scores)["exact_answer"]
    assert many.low < many.mean < many.high
    assert many.high - many.low < few.high - few.low
    assert many.mean == pytest.approx(np.mean([score.exact_answer for score in scores]))


def test_every_figure_the_gate_guards_is_measured(left_effusion: PhantomTruth) -> None:
    scores = [score_phantom(ideal_reasoning(left_effusion), left_effusion)]
    assert {guard.figure for guard in POLICY.guards} <= set(case_scores(scores))


def test_no_scores_is_said_plainly() -> None:
    with pytest.raises(ValueError, match="at least one completion"):
        aggregate([])
