"""What is marked where two texts stand side by side."""

import pytest

from deepmedix_review.common.differences import differing_pieces


@pytest.mark.parametrize(
    ("forgives_marks", "marked"), [(False, (["Left", "nodule."], ["left", "nodule"])), (True, ([], []))]
)
def test_capitals_and_marks_make_another_word_unless_they_are_forgiven(forgives_marks, marked) -> None:
    pieces = differing_pieces("Left nodule.", "left  nodule", forgives_marks=forgives_marks)
    told = tuple("".join(one.text for one in of_one if one.differs).split() for of_one in pieces)
    assert told == marked
    assert ["".join(one.text for one in of_one) for of_one in pieces] == ["Left nodule.", "left  nodule"]


def test_another_side_is_marked_also_where_marks_are_forgiven() -> None:
    first, second = differing_pieces("Left nodule.", "right nodule", forgives_marks=True)
    assert [one.text for one in first if one.differs] == ["Left"]
    assert [one.text for one in second if one.differs] == ["right"]
