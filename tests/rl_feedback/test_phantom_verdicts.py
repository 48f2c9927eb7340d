"""Whoever knows what was drawn rates each step, moves each box and names what is missing, at both sites."""

import pytest

from inference.grounding import parse_completion
from inference.phantoms import HELD_OUT_SEEDS, SITES, PhantomTruth, draw_phantom, ideal_reasoning
from rl_feedback.phantom_verdicts import judge_completion


def truth_with(answer: str, *, site: str = "first") -> PhantomTruth:
    for seed in HELD_OUT_SEEDS:
        truth = draw_phantom(seed=seed, width=56, height=56, site=site).truth
        if truth.answer == answer:
            return truth.resized(width=112, height=112)
    raise LookupError(answer)


@pytest.mark.parametrize("site", sorted(SITES))
def test_a_perfect_completion_leaves_nothing_to_say(site: str) -> None:
    for seed in HELD_OUT_SEEDS[:80]:
        truth = draw_phantom(seed=seed, width=56, height=56, site=site).truth.resized(width=112, height=112)
        verdict = judge_completion(ideal_reasoning(truth), truth)
        assert verdict.answer_is_right
        assert (verdict.missed, verdict.made_up, verdict.harm) == ((), (), "none")
        assert verdict.quality > 0.9
        for step in verdict.steps:
            assert step.plausibility in (4, 5)
            assert step.should_read == step.text.strip()
            assert all(region.overlap > 0.6 for region in step.regions)


def test_a_lesion_left_out_is_missed_where_it_is_and_both_lungs_are_not_clear() -> None:
    truth, healthy = truth_with("left cavity", site="second"), truth_with("no acute finding")
    verdict = judge_completion(ideal_reasoning(healthy), truth)
    assert [(finding.name, finding.region) for finding in verdict.missed] == [
        ("left cavity", truth.lesions[0].region)
    ]
    assert verdict.steps[1].plausibility == 1
    assert verdict.steps[1].should_read == ""
    assert verdict.harm == "severe"
    assert not verdict.answer_is_right


def test_a_cavity_called_a_nodule_is_rewritten_in_its_place() -> None:
    truth = truth_with("left cavity", site="second")
    said = ideal_reasoning(truth).replace("cavity", "nodule")
    step = judge_completion(said, truth).steps[1]
    assert (step.plausibility, step.made_up) == (2, ("left nodule",))
    assert step.should_read == parse_completion(ideal_reasoning(truth)).steps[1].text.strip()
    assert step.regions[0].should_be == truth.lesions[0].region
    assert step.regions[0].overlap > 0.6


def test_the_wrong_side_is_known_by_its_kind() -> None:
    truth = truth_with("right effusion")
    mirrored = ideal_reasoning(truth).replace("right", "left")
    step = judge_completion(mirrored, truth).steps[1]
    assert (step.plausibility, step.made_up) == (2, ("left effusion",))
    assert "right pleural effusion" in step.should_read


def test_a_step_without_anything_behind_it_ought_to_go() -> None:
    truth = truth_with("no acute finding")
    text = ideal_reasoning(truth).replace("Both", "There is a right nodule with [9, 9, 20, 20]; Both")
    verdict = judge_completion(text, truth)
    assert [step.plausibility for step in verdict.steps] == [5, 1, 5]
    made_up = verdict.steps[1]
    assert (made_up.should_read, made_up.regions[0].should_be) == ("", None)
    assert verdict.made_up == ("right nodule",)
    assert verdict.harm == "mild"


def test_a_box_that_is_off_costs_points_and_knows_where_it_belongs() -> None:
    truth = truth_with("left effusion")
    box = truth.lesions[0].region
    wanted = parse_completion(ideal_reasoning(truth)).steps[1]
    start, end = wanted.box_spans[0]
    text = ideal_reasoning(truth)
    shifted = f"[{round(box.x_min) - 9}, {round(box.y_min) - 9}, {round(box.x_max) - 9}, {round(box.y_max)}]"
    step = judge_completion(text[:start] + shifted + text[end:], truth).steps[1]
    assert step.plausibility in (3, 4)
    assert step.regions[0].should_be == box
    assert step.should_read == wanted.text.strip()


def test_the_hearts_size_is_judged_by_itself() -> None:
    truth = truth_with("cardiomegaly")
    text = ideal_reasoning(truth).replace("The heart is enlarged", "The heart size is normal")
    step = judge_completion(text, truth).steps[0]
    assert (step.plausibility, step.made_up) == (2, ())
    assert step.should_read.startswith("The heart is enlarged with [")


def test_what_the_drawing_cannot_decide_is_left_unjudged() -> None:
    truth = truth_with("no acute finding")
    text = ideal_reasoning(truth).replace("Both", "The film is slightly rotated; Both")
    assert judge_completion(text, truth).steps[1].plausibility is None


def test_quality_falls_with_each_fault() -> None:
    truth = truth_with("cardiomegaly, left effusion")
    ideal = ideal_reasoning(truth)
    faults = {
        "omitted": ideal_reasoning(truth_with("cardiomegaly")),
        "made up": ideal.replace(" </think>", "; There is a right nodule with [9, 9, 20, 20] </think>"),
        "sides": ideal.replace("left", "right"),
        "nothing": "",
    }
    best = judge_completion(ideal, truth).quality
    quality = {name: judge_completion(text, truth).quality for name, text in faults.items()}
    assert all(worse < best - 0.05 for worse in quality.values())
    assert quality["nothing"] == 0


def test_boxes_are_judged_in_the_models_own_image() -> None:
    truth = truth_with("left effusion")
    text = ideal_reasoning(truth, width=504, height=252)
    verdict = judge_completion(text, truth, model_size=(504, 252))
    assert [step.plausibility for step in verdict.steps] == [5, 5]
    assert verdict.steps[1].should_read == verdict.steps[1].text.strip()
