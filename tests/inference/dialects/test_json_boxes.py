"""Regions as JSON objects are read in either order of their numbers, in a fence or not, and cut off too."""

import pytest

from inference.grounding import Dialect, ParsedCompletion, parse_completion


def read(text: str, *, reasons: bool = False) -> ParsedCompletion:
    return parse_completion(text, reasons=reasons, dialect=Dialect.JSON_BOXES)


def test_qwens_fenced_list_gives_a_step_per_object_and_the_boxed_answer() -> None:
    text = (
        '```json\n[\n\t{"bbox_2d": [139, 768, 315, 954], "label": "left effusion"},\n'
        '\t{"bbox_2d": [366, 679, 536, 849], "label": "heart"}\n]\n```\nThe answer is: \\boxed{Effusion.}'
    )
    parsed = read(text)
    assert [tuple(step.boxes[0]) for step in parsed.steps] == [(139, 768, 315, 954), (366, 679, 536, 849)]
    assert [step.label for step in parsed.steps] == ["left effusion", "heart"]
    assert (parsed.answer, parsed.problems) == ("Effusion.", ())


def test_google_writes_y_first() -> None:
    parsed = read('Final Answer: [{"box_2d": [100, 200, 300, 400], "label": "right lung"}]')
    assert tuple(parsed.steps[0].boxes[0]) == (200, 100, 400, 300)
    assert parsed.answer == "Final Answer:"


@pytest.mark.parametrize(
    ("text", "boxes", "answer", "problems"),
    [
        ("The lungs are clear.", [], "The lungs are clear.", ()),
        ("[]", [], None, ("no_answer",)),
        ('{"bbox_2d": [1,2,3,4], "label": "nod', [(1, 2, 3, 4)], None, ("no_answer",)),
        ('{"bbox_2d": [1, 2, 3', [], None, ("unreadable_region", "no_answer")),
        ('{"bbox_2d": [NaN, 2, 3, 4]} Clear.', [], "Clear.", ("unreadable_region",)),
        ('{"bbox_2d": [1e9, 2, 3, 4]} Clear.', [], "Clear.", ("unreadable_region",)),
        ("{'bbox_2d': [1, 2, 3, 4]} Clear.", [(1, 2, 3, 4)], "Clear.", ()),
        ('{"x": {"bbox_2d": [1, 2, 3, 4]}} Clear.', [(1, 2, 3, 4)], "} Clear.", ()),
        ('{"bbox_2d": [[1, 2, 3, 4], [5, 6, 7, 8]]} a', [(1, 2, 3, 4), (5, 6, 7, 8)], "a", ()),
        ("A nodule at [1, 2, 3, 4].", [], "A nodule at [1, 2, 3, 4].", ()),
        ('Here:\n```json\n[{"bbox_2d": [1, 2, 3, 4]}]\n```', [(1, 2, 3, 4)], "Here:", ()),
    ],
)
def test_odd_objects_are_read_as_far_as_they_go(
    text: str, boxes: list[tuple[int, ...]], answer: str | None, problems: tuple[str, ...]
) -> None:
    parsed = read(text)
    assert [tuple(box) for step in parsed.steps for box in step.boxes] == boxes
    assert (parsed.answer, parsed.problems) == (answer, problems)


def test_a_thinking_models_sentences_and_objects_are_steps_in_their_order() -> None:
    text = (
        '<think> I look at the lungs.\n{"bbox_2d": [1, 2, 3, 4], "label": "nodule"}\nIt is round. </think>'
        "\n\\boxed{nodule}"
    )
    parsed = read(text, reasons=True)
    assert [step.label or step.text for step in parsed.steps] == [
        "I look at the lungs.",
        "nodule",
        "It is round.",
    ]
    assert parsed.problems == ()
