"""A moved film and its text still say the same of each other."""

import doctest

import numpy as np
from PIL import Image

from inference.grounding import parse_completion
from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback.phantom_figures import score_phantom
from rl_feedback.training import moving
from rl_feedback.training.moving import moved, moved_text


def test_the_example_runs() -> None:
    assert doctest.testmod(moving).failed == 0


def test_regions_move_with_the_bright_spot_that_they_show() -> None:
    pixels = np.zeros((112, 112), dtype=np.uint8)
    pixels[40:50, 60:70] = 255
    text = "<think> There is a left nodule with [60, 40, 70, 50] </think> \\boxed{left nodule}"
    places = set()
    for seed in range(8):
        film, words = moved(Image.fromarray(pixels), text, by_px=5, rng=np.random.default_rng(seed))
        (box,) = parse_completion(words).steps[0].boxes
        bright = np.argwhere(np.asarray(film) > 128)
        assert (bright.min(axis=0)[::-1].tolist(), (bright.max(axis=0) + 1)[::-1].tolist()) == (
            [box.x_min, box.y_min],
            [box.x_max, box.y_max],
        )
        places.add(box)
    assert len(places) > 4


def test_a_moved_text_is_right_of_the_moved_truth() -> None:
    truth = draw_phantom(seed=1_000_003, site="second").truth
    words = moved_text(ideal_reasoning(truth), dx=4, dy=-5, size=(112, 112))
    assert words is not None
    score = score_phantom(words, truth.shifted(dx=4, dy=-5))
    assert score.exact_answer
    assert min([score.heart_iou, *score.lesion_ious]) > 0.9


def test_a_region_that_would_leave_the_film_keeps_the_case_as_it_is() -> None:
    text = "<think> There is a left nodule with [0, 40, 3, 50] </think> \\boxed{left nodule}"
    assert moved_text(text, dx=-4, dy=0, size=(112, 112)) is None
