"""A drawn film must show what its truth says, at any size, and say it in words that can be read back."""

import numpy as np
import pytest

from inference.grounding import parse_completion
from inference.phantom_anatomy import sample_anatomy
from inference.phantoms import (
    DEMO_SEEDS,
    HELD_OUT_SEEDS,
    LESIONS,
    SITES,
    TRAIN_SEEDS,
    Finding,
    Phantom,
    draw_phantom,
    ideal_reasoning,
    reference_report,
    vqa_pairs,
)
from inference.regions import Box


def with_finding(kind: str, side: str | None, *, size: int = 112) -> Phantom:
    for seed in HELD_OUT_SEEDS:
        phantom = draw_phantom(seed=seed, width=size, height=size)
        if [(f.kind, f.side) for f in phantom.truth.findings] == [(kind, side)]:
            return phantom
    raise LookupError(kind)


def mean_inside(phantom: Phantom, box: Box) -> float:
    rows = slice(round(box.y_min), round(box.y_max))
    return float(phantom.pixels[rows, round(box.x_min) : round(box.x_max)].mean())


def mirrored(box: Box, axis: float) -> Box:
    return Box(2 * axis - box.x_max, box.y_min, 2 * axis - box.x_min, box.y_max)


def test_one_seed_is_one_film_and_another_seed_another() -> None:
    first, again, other = draw_phantom(seed=1), draw_phantom(seed=1), draw_phantom(seed=2)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.truth == again.truth
    assert not np.array_equal(first.pixels, other.pixels)


def test_a_film_at_another_size_shows_the_same_patient() -> None:
    small, large = draw_phantom(seed=11), draw_phantom(seed=11, width=448, height=448)
    shrunk = large.pixels.reshape(112, 4, 112, 4).mean(axis=(1, 3))
    assert np.abs(shrunk - small.pixels).mean() < 0.02
    assert large.truth.heart.x_min == pytest.approx(4 * small.truth.heart.x_min)


def test_the_two_sites_film_the_same_patient_differently() -> None:
    first, second = draw_phantom(seed=4), draw_phantom(seed=4, site="second")
    assert first.truth == second.truth
    assert second.pixels.mean() < 0.9 * first.pixels.mean()
    corner = (slice(0, 6), slice(0, 6))
    assert second.pixels[corner].std() > 1.3 * first.pixels[corner].std()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", LESIONS)
def test_a_lesion_is_where_its_region_says_and_on_the_patients_own_side(kind: str, side: str) -> None:
    phantom = with_finding(kind, side)
    region = phantom.truth.lesions[0].region
    middle = (phantom.truth.right_lung.x_max + phantom.truth.left_lung.x_min) / 2
    assert ((region.x_min + region.x_max) / 2 > middle) == (side == "left")
    if kind == "pneumothorax":
        assert phantom.truth.lesions[0].region.y_min < phantom.height / 3
    else:
        healthy = mirrored(region, middle)
        assert mean_inside(phantom, region) > mean_inside(phantom, healthy)


def test_only_a_large_heart_is_called_enlarged() -> None:
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(80):
        truth = draw_phantom(seed=seed, width=56, height=56).truth
        thorax = truth.left_lung.x_max - truth.right_lung.x_min
        ratios[truth.enlarged_heart].append((truth.heart.x_max - truth.heart.x_min) / thorax)
    assert max(ratios[False]) < 0.5 < min(ratios[True])


def test_every_region_lies_on_the_film_and_has_an_area() -> None:
    for seed in HELD_OUT_SEEDS[:80]:
        truth = draw_phantom(seed=seed, width=56, height=56).truth
        for box in (truth.heart, truth.right_lung, truth.left_lung, *(f.region for f in truth.findings)):
            assert 0 <= box.x_min < box.x_max <= 56
            assert 0 <= box.y_min < box.y_max <= 56


def test_findings_of_every_kind_and_films_without_any_are_common() -> None:
    patients = [sample_anatomy(seed) for seed in range(2000)]
    for kind in LESIONS:
        assert 0.1 < np.mean([any(lesion.kind == kind for lesion in p.lesions) for p in patients]) < 0.4
    assert 0.2 < np.mean([p.enlarged_heart for p in patients]) < 0.5
    assert 0.1 < np.mean([not p.lesions and not p.enlarged_heart for p in patients]) < 0.4


def test_the_ideal_reasoning_is_read_back_step_by_step() -> None:
    for seed in range(80):
        truth = draw_phantom(seed=seed).truth
        parsed = parse_completion(ideal_reasoning(truth))
        assert not parsed.problems
        assert parsed.answer == truth.answer
        assert len(parsed.steps) == 1 + max(1, len(truth.lesions))
        for lesion, step in zip(truth.lesions, parsed.steps[1:], strict=False):
            assert np.allclose(step.boxes[0], lesion.region, atol=0.5)
            assert f"{lesion.side}" in step.text


def test_moving_the_film_moves_the_truth_and_cuts_it_at_the_edge() -> None:
    truth = draw_phantom(seed=3).truth
    moved = truth.shifted(dx=4, dy=-3)
    assert moved.heart == Box(
        truth.heart.x_min + 4, truth.heart.y_min - 3, truth.heart.x_max + 4, truth.heart.y_max - 3
    )
    assert truth.shifted(dx=1000, dy=0).heart.x_min == truth.width


def test_the_report_and_the_questions_agree_with_the_findings() -> None:
    phantom = with_finding("effusion", "left")
    report = reference_report(phantom.truth)
    assert "There is a left pleural effusion." in report.findings
    assert "There is no nodule." in report.findings
    assert report.impression == "Left effusion."
    answers = {pair.question: pair.answer for pair in vqa_pairs(phantom.truth)}
    assert answers["Is there a pleural effusion?"] == "yes"
    assert answers["On which side of the patient is the pleural effusion?"] == "left"
    assert answers["Is the heart enlarged?"] == "no"


def test_training_held_out_and_demo_films_are_never_the_same() -> None:
    seeds = [*TRAIN_SEEDS, *HELD_OUT_SEEDS, *DEMO_SEEDS]
    assert len(set(seeds)) == len(seeds)


def test_what_cannot_be_drawn_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match=f"the sites are {', '.join(sorted(SITES))}"):
        draw_phantom(seed=1, site="third")
    with pytest.raises(ValueError, match="at least 56 pixels"):
        draw_phantom(seed=1, width=20, height=112)


def test_a_finding_is_named_with_the_patients_side() -> None:
    box = Box(0, 0, 1, 1)
    assert Finding("effusion", "left", box).name == "left effusion"
    assert Finding("cardiomegaly", None, box).name == "cardiomegaly"
