"""A region lands on the film where the model saw it, whatever the film's shape and the model's frame."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as reference

from inference.regions import (
    Frame,
    Preparation,
    model_size,
    region_problem,
    smart_resize,
    to_image_px,
    to_model_box,
)

SIDE = st.integers(100, 4000)
VALUE = st.floats(-2000, 6000, allow_nan=False)


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        ((512, 512), (504, 504)),
        ((1024, 1024), (504, 504)),
        ((2544, 3056), (448, 560)),
        ((3056, 2544), (560, 448)),
        ((2048, 2500), (448, 560)),
        ((512, 624), (448, 560)),
        ((420, 512), (420, 504)),
        ((513, 600), (448, 532)),
    ],
)
def test_sizes_match_those_measured_from_deepmedix_r1(image: tuple[int, int], seen: tuple[int, int]) -> None:
    assert smart_resize(*image, max_pixels=262144) == seen


@given(SIDE, SIDE, st.sampled_from([12544, 50176, 262144]))
def test_sizes_match_those_of_transformers(width: int, height: int, max_pixels: int) -> None:
    height_there, width_there = reference(height, width, factor=28, min_pixels=3136, max_pixels=max_pixels)
    assert smart_resize(width, height, min_pixels=3136, max_pixels=max_pixels) == (width_there, height_there)


def test_an_image_without_area_or_like_a_ribbon_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="has no area"):
        smart_resize(0, 100)
    with pytest.raises(ValueError, match="200 times"):
        smart_resize(10, 5000)


@given(
    st.tuples(VALUE, VALUE, VALUE, VALUE), st.sampled_from(Frame), SIDE, SIDE, st.sampled_from(Preparation)
)
def test_a_box_goes_to_the_film_and_back(
    box: tuple[float, float, float, float], frame: Frame, width: int, height: int, preparation: Preparation
) -> None:
    seen = model_size((width, height), preparation=preparation, min_pixels=3136, max_pixels=262144)
    where: dict[str, Any] = {
        "frame": frame,
        "model_size": seen,
        "image_size": (width, height),
        "preparation": preparation,
    }
    assert to_model_box(to_image_px(box, **where), **where) == pytest.approx(box, abs=1e-6)


@given(
    st.sampled_from(Frame),
    SIDE,
    SIDE,
    st.sampled_from([Preparation.ASPECT, Preparation.SQUARE]),
)
def test_the_whole_of_a_frame_is_the_whole_film(
    frame: Frame, width: int, height: int, preparation: Preparation
) -> None:
    image = (width, height)
    seen = model_size(image, preparation=preparation, min_pixels=3136, max_pixels=12544)
    ends = {
        Frame.PROCESSED: seen,
        Frame.INPUT: image,
        Frame.NORM1000: (1000, 1000),
        Frame.NORM100: (100, 100),
        Frame.NORM1: (1, 1),
    }
    box = to_image_px((0, 0, *ends[frame]), frame=frame, model_size=seen, image_size=image)
    assert box == pytest.approx((0, 0, width, height))
    assert region_problem(box, image) == "whole_image"


@given(st.sampled_from([Frame.PROCESSED, Frame.NORM1000, Frame.NORM100, Frame.NORM1]), SIDE, SIDE)
def test_the_whole_of_a_cropped_or_padded_frame_is_the_square_that_the_model_saw(
    frame: Frame, width: int, height: int
) -> None:
    units = {Frame.PROCESSED: 518, Frame.NORM1000: 1000, Frame.NORM100: 100, Frame.NORM1: 1}[frame]
    for preparation, side in (("crop", min(width, height)), ("pad", max(width, height))):
        box = to_image_px(
            (0, 0, units, units),
            frame=frame,
            model_size=(518, 518),
            image_size=(width, height),
            preparation=preparation,
        )
        assert (box.x_max - box.x_min, box.y_max - box.y_min) == pytest.approx((side, side))
        middle = ((box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2)
        assert middle == pytest.approx((width / 2, height / 2), abs=0.51)


@pytest.mark.parametrize(("width", "height"), [(2544, 3056), (3056, 2544), (2001, 3000)])
def test_maira_2s_boxes_land_where_its_own_processor_puts_them(width: int, height: int) -> None:
    # processing_maira2.py, adjust_box_for_original_image_size, in pixels; it cuts to whole ones.
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (0.555, 0.455, 0.705, 0.565)
    theirs = [int(value * side + start) for value, start in zip(box, (left, top) * 2, strict=True)]
    ours = to_image_px(
        box, frame="norm1", model_size=(518, 518), image_size=(width, height), preparation="crop"
    )
    assert ours == pytest.approx(theirs, abs=1)


def test_a_square_model_sees_every_film_as_a_square() -> None:
    for size in ((2500, 3000), (3056, 2544), (112, 112), (1024, 1024)):
        assert model_size(size, preparation="square", min_pixels=12544, max_pixels=12544) == (112, 112)


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ((10, 10, 50, 50), ""),
        ((50, 10, 10, 50), "inverted"),
        ((10, 10, 10, 50), "no_area"),
        ((-5, 10, 20, 50), "outside_image"),
        ((10, 10, 50, 201), "outside_image"),
        ((0, 0, 100, 200), "whole_image"),
        ((-0.4, 0, 50, 200.4), ""),
    ],
)
def test_a_box_that_cannot_be_a_region_is_named(box: tuple[float, float, float, float], problem: str) -> None:
    assert region_problem(box, (100, 200)) == problem
