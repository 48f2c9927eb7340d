"""Findings that are made up, left out, turned round or on the other side are counted."""

import pytest

from rl_feedback.evaluation.findings import FindingsResult, compare_findings
from rl_feedback.evaluation.probes import flip_denials, swap_sides
from rl_feedback.labels import label_report

REPORT = "Small left pleural effusion. No pneumothorax. The heart is enlarged."


def test_the_same_report_has_no_fault() -> None:
    assert compare_findings(REPORT, REPORT) == FindingsResult(
        num_said=2, num_true=2, made_up=0, left_out=0, num_shared=3, flipped=0, num_sided=1, swapped=0
    )


def test_made_up_and_left_out_findings_are_counted() -> None:
    found = compare_findings("Right lower lobe consolidation.", REPORT)
    assert (found.made_up, found.left_out, found.num_shared) == (1, 2, 0)


def test_a_report_with_every_denial_flipped_is_seen_as_turned_round() -> None:
    found = compare_findings(flip_denials(REPORT), REPORT)
    assert (found.flipped, found.num_shared, found.made_up, found.left_out) == (3, 3, 1, 2)


def test_a_report_with_its_sides_swapped_is_seen_as_on_the_other_side() -> None:
    found = compare_findings(swap_sides(REPORT), REPORT)
    assert (found.swapped, found.num_sided, found.flipped, found.made_up) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        ("No pneumothorax.", "Pneumothorax."),
        ("There is no evidence of edema.", "There is edema."),
        ("Lungs without consolidation.", "Lungs consolidation."),
        ("The heart is not enlarged.", "The heart is enlarged."),
        ("The heart is enlarged.", "The heart is not enlarged."),
        ("Small effusion; no edema.", "No small effusion; Edema."),
        ("", ""),
    ],
)
def test_each_sentence_is_turned_round(text: str, flipped: str) -> None:
    assert flip_denials(text) == flipped


def test_swapping_sides_twice_changes_nothing() -> None:
    text = "Left LLL and RUL opacity, Right effusion. Leftward shift."
    assert swap_sides(text) == "Right RLL and LUL opacity, Left effusion. Leftward shift."
    assert swap_sides(swap_sides(text)) == text
    sides = label_report(swap_sides("Left effusion.")).sides_of("Pleural Effusion")
    assert sides == {"right"}
