"""A case's truth is read from JSON or refused with a sentence that says what is missing."""

import doctest

import pytest

from inference.regions import Box
from rl_feedback.rewards import CaseTruth, TruthRegion, truth

ROW = {
    "answer": "yes",
    "regions": [{"finding": "heart", "box": [1, 2, 3.5, 4]}],
    "image_size": [1000, 900],
    "model_size": [504, 448],
    "box_frame": "norm1000",
}


def test_the_examples_run() -> None:
    assert doctest.testmod(truth).failed == 0


def test_a_whole_row_is_read() -> None:
    regions = (TruthRegion("heart", Box(1, 2, 3.5, 4)),)
    assert CaseTruth.from_columns(ROW) == CaseTruth("yes", regions, (1000, 900), (504, 448), "norm1000")
    assert CaseTruth.from_columns({**ROW, "regions": None}) == CaseTruth("yes")
    assert CaseTruth.from_columns({**ROW, "regions": []}).regions == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"answer": None}, "`answer`"),
        ({"image_size": None}, "`image_size`"),
        ({"model_size": [0, 4]}, "`model_size`"),
        ({"box_frame": "inches"}, "`box_frame` must be one of"),
        ({"regions": [{"finding": " ", "box": [1, 2, 3, 4]}]}, "A region needs"),
        ({"regions": [{"finding": "heart", "box": [1, 2, 3]}]}, "A region needs"),
        ({"regions": [{"finding": "heart", "box": [1, 2, 3, float("nan")]}]}, "A region needs"),
        ({"regions": ["heart"]}, "A region needs"),
        ({"regions": 7}, "`regions`"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CaseTruth.from_columns({**ROW, **change})
