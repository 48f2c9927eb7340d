"""Figures must fall when a completion leaves something out, points elsewhere or makes something up."""

import re

import numpy as np
import pytest

from inference.dialects import Dialect
from inference.phantoms import HELD_OUT_SEEDS, PhantomTruth, draw_phantom, ideal_reasoning
from rl_feedback.evaluation.phantoms import AskedHow
from rl_feedback.gate import POLICY, Suite
from rl_feedback.phantom_figures import aggregate, both_case_scores, case_scores, score_phantom


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
    parent, candidate = both_case_scores(scores, scores)
    assert {guard.figure for guard in POLICY.of(Suite.SEALED)} <= set(parent) & set(candidate)


def test_what_neither_a_step_nor_the_answer_names_is_omitted() -> None:
    truth = truth_with("cardiomegaly, left effusion")
    ideal = ideal_reasoning(truth)
    answered_alone = ideal.replace("pleural effusion", "something")
    left_out = answered_alone.replace(", left effusion", "")
    assert [score_phantom(text, truth).num_omitted for text in (ideal, answered_alone, left_out)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("said", "instead", "num_flips"),
    [
        ("The heart size is normal", "The heart is enlarged", 1),
        ("There is a left pleural effusion", "There is no left pleural effusion", 0),
        ("There is a left pleural effusion", "There may be a nodule; There is a left pleural effusion", 0),
        ("There is a left pleural effusion", "There is a nodule; There is a left pleural effusion", 1),
    ],
)
def test_what_is_said_against_the_truth_is_flipped_and_doubt_is_not(
    left_effusion: PhantomTruth, said: str, instead: str, num_flips: int
) -> None:
    """A denial beside the answer's affirmation is a contradiction; the stronger word counts."""
    text = ideal_reasoning(left_effusion).replace(said, instead)
    assert len(score_phantom(text, left_effusion).kinds_flipped) == num_flips


def test_a_denied_finding_that_is_there_is_flipped_and_reverses_the_parents_true_word(
    left_effusion: PhantomTruth,
) -> None:
    ideal = ideal_reasoning(left_effusion)
    denies = ideal.replace("There is a left", "There is no left").replace("{left effusion}", "{none}")
    before, after = score_phantom(ideal, left_effusion), score_phantom(denies, left_effusion)
    assert after.kinds_flipped == {"effusion"}
    parent, candidate = both_case_scores([before], [after])
    assert (parent["reversed"].values, candidate["reversed"].values) == ((0.0,), (1.0,))
    parent, candidate = both_case_scores([after], [before])
    assert candidate["reversed"].values == (0.0,)


def test_the_right_finding_on_the_wrong_side_is_a_laterality_flip(left_effusion: PhantomTruth) -> None:
    ideal = ideal_reasoning(left_effusion)
    both_sides = ideal.replace("left effusion}", "left effusion, right effusion}")
    texts = (ideal, ideal.replace("left", "right"), both_sides, ideal.replace("effusion", "nodule"))
    assert [score_phantom(text, left_effusion).num_on_wrong_side for text in texts] == [0, 1, 0, 0]


def test_one_box_everywhere_is_found_and_boxes_that_follow_the_film_are_not() -> None:
    follows, stands = [], []
    for seed in HELD_OUT_SEEDS[:60]:
        truth = draw_phantom(seed=seed, width=56, height=56).truth
        text = ideal_reasoning(truth)
        follows.append(score_phantom(text, truth))
        stands.append(score_phantom(re.sub(r"\[[^\]]*\]", "[40, 40, 80, 80]", text), truth))
    # Two lungs are told apart by their order, so every box has its like on other films.
    assert aggregate(stands)["constant_box"].mean == 1.0
    assert aggregate(follows)["constant_box"].high < 0.1


def test_regions_are_counted_as_they_are_written(left_effusion: PhantomTruth) -> None:
    ideal = ideal_reasoning(left_effusion)
    doubled = ideal.replace("]", "] and [1, 2, 3, 4]")
    scores = [score_phantom(text, left_effusion) for text in (ideal, doubled)]
    assert [case_scores([score])["num_boxes"].values for score in scores] == [(2.0,), (4.0,)]


def test_no_scores_is_said_plainly() -> None:
    with pytest.raises(ValueError, match="at least one completion"):
        aggregate([])


def test_a_model_that_writes_in_another_dialect_is_scored_by_what_it_says() -> None:
    truth = draw_phantom(seed=6).truth
    heart = truth.resized(width=1000, height=1000).heart
    box = ", ".join(str(round(edge)) for edge in heart)
    text = f'[{{"bbox_2d": [{box}], "label": "The heart is large"}}]'
    asked = AskedHow("Report.", "norm1000", 8, dialect=Dialect.JSON_BOXES, reasons=False)
    read = score_phantom(text, truth, model_size=(1000, 1000), parsed=asked.read(text))
    assert read.heart_iou > 0.9
    assert score_phantom(text, truth, model_size=(1000, 1000)).heart_iou == 0
