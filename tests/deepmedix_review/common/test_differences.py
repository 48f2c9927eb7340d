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


def test_signs_that_turn_letters_round_are_written_out_and_ends_of_lines_are_not() -> None:
    first, second = differing_pieces(f"a {chr(0x202E)}live nodule\r\nno more", "a live nodule\nno more")
    assert ["".join(one.text for one in first), "".join(one.text for one in second)] == [
        *("a <U+202E>live nodule\nno more", "a live nodule\nno more")
    ]
    assert [one.text for one in first if one.differs] == ["<U+202E>live"]
