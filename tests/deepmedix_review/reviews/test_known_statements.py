"""What is known of a film bears out a sentence, or denies it, or does not tell."""

import pytest

from deepmedix_review.reviews.known_statements import bear_out
from inference.regions import Box

HERE, THERE = Box(0, 0, 10, 10), Box(50, 50, 60, 60)


@pytest.mark.parametrize(
    ("text", "boxes", "findings", "is_true"),
    [
        ("There is a left consolidation.", [Box(1, 1, 9, 9)], ["Consolidation"], True),
        ("There is a left consolidation.", [THERE], ["Consolidation"], None),
        ("There is a left consolidation.", [HERE], ["Edema"], False),
        ("No left consolidation.", [], ["Consolidation"], None),
        ("No consolidation.", [], ["Consolidation"], False),
        ("No consolidation.", [], [], True),
        ("There is an opacity.", [], ["Edema"], True),
        ("There is an opacity.", [], ["Pneumonia"], True),
        ("There is edema.", [], ["Lung Opacity"], None),
        ("The heart is enlarged. No edema.", [], ["Cardiomegaly", "Edema"], False),
        ("Possible edema.", [], ["Edema"], None),
        ("The lungs are clear.", [], ["Cardiomegaly"], None),
        ("The aortic knob is enlarged.", [], [], None),
    ],
)
def test_a_sentence_is_true_false_or_not_told(
    text: str, boxes: list[Box], findings: list[str], is_true: bool | None
) -> None:
    places = [(finding, HERE) for finding in findings]
    assert bear_out(text, boxes, findings=findings, places=places).is_true is is_true
