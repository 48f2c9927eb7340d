"""An answer is worth what it says: of the right thing, on the right side, there or not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_feedback.rewards import GROUNDED_1
from rl_feedback.rewards.answer import AnswerScore, score_answer


def score(answer: str | None, truth: str) -> AnswerScore:
    return score_answer(
        answer, truth, label_share=GROUNDED_1.label_share, absent_weight=GROUNDED_1.absent_weight
    )


def labels(answer: str, truth: str) -> float:
    found = score(answer, truth).labels
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("answer", "truth", "value"),
    [
        ("Yes.", "yes", 1),
        ("the left lung", "Left lung", 1),
        ("no", "yes", 0),
        ("yes and no", "yes", 0),
        ("PA", "AP", 0),
        ("1.5 cm", "15 cm", 0),
        ("", "yes", 0),
        (None, "None", 0),
        ("  ", "", 0),
        ("edema|Nodule.", "nodule|edema", 1),
        ("nodule, edema", "nodule|edema", 1),
        ("nodule", "nodule|edema", 2 / 3),
        ("nodule|edema|mass", "nodule|edema", 4 / 5),
        ("mass", "nodule|edema", 0),
        ("a, b", "a, b|c", 2 / 3),
    ],
)
def test_short_answers_and_lists_are_compared_by_what_they_name(answer, truth, value) -> None:
    assert score(answer, truth).value == pytest.approx(value)


def test_a_list_of_thirty_words_in_another_order_is_right() -> None:
    items = [f"finding number {n} of the left lower lobe" for n in range(5)]
    assert score("|".join(items[::-1]), "|".join(items)).value == 1


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("right effusion", "left effusion"),
        ("no effusion", "effusion"),
        ("no acute finding", "left effusion"),
        ("left effusion", "no acute finding"),
        ("The heart is enlarged.", "The heart size is normal."),
        ("Cardiomegaly has resolved.", "There is cardiomegaly on this film."),
    ],
)
def test_the_opposite_earns_nothing_however_alike_its_words(answer: str, truth: str) -> None:
    assert labels(answer, truth) == 0
    assert score(answer, truth).value < 0.05


def test_a_nodule_is_no_cavity_though_both_are_lesions_of_the_lung() -> None:
    assert labels("left nodule", "left cavity") == 0
    assert score("left nodule", "left cavity").value <= 0.1


def test_what_is_right_in_part_earns_a_part() -> None:
    truth = "Cardiomegaly. Small left pleural effusion."
    order = [
        "No cardiomegaly. No pleural effusion.",
        "Cardiomegaly. Small right pleural effusion.",
        "Cardiomegaly.",
        "Cardiomegaly. Possible small left pleural effusion.",
        "Cardiomegaly. Small left pleural effusion",
    ]
    values = [score(answer, truth).value for answer in order]
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert values[-1] == 1


def test_a_made_up_finding_costs_and_a_denied_one_of_which_the_truth_is_silent_does_not() -> None:
    truth = "Small left pleural effusion. No pneumothorax."
    right = labels("Left effusion. No pneumothorax.", truth)
    assert labels("Left effusion. No pneumothorax. Right nodule.", truth) < right
    assert labels("Left effusion. No pneumothorax. No nodule.", truth) == right == 1


def test_affirming_and_denying_the_same_thing_is_as_good_as_uncertain() -> None:
    truth = "There is a large pleural effusion today."
    both = labels("Effusion. No effusion.", truth)
    assert both == labels("Possible effusion.", truth) < labels("Effusion.", truth)


def test_naming_every_finding_earns_little() -> None:
    everything = (
        "Cardiomegaly, opacity, nodule, edema, consolidation, pneumonia, atelectasis, pneumothorax, effusion."
    )
    assert labels(everything, "Small effusion. Nothing else of note was seen.") < 0.25
    doubted = "Possible cardiomegaly, possible opacity, possible nodule, possible edema, possible effusion."
    assert labels(doubted, "Small effusion. Nothing else of note was seen.") < 0.25


def test_repeating_the_right_words_lowers_their_worth() -> None:
    truth = "There is a small left pleural effusion."
    once = score("A small left pleural effusion is there.", truth)
    thrice = score("A small left pleural effusion is there. " * 3, truth)
    assert thrice.value < once.value


SENTENCES = st.lists(
    st.sampled_from(
        [
            "No effusion.",
            "Left effusion.",
            "Possible right nodule.",
            "The lungs are clear.",
            "No acute finding.",
            "Normal chest.",
            "Pacemaker.",
            "Something else.",
            "yes",
            "a|b",
        ]
    ),
    max_size=6,
).map(" ".join)


@given(SENTENCES | st.text(), SENTENCES | st.text())
def test_any_answer_is_worth_between_0_and_1_and_the_true_one_1(answer: str, truth: str) -> None:
    found = score(answer, truth)
    assert 0 <= found.value <= 1
    assert 0 <= found.contradicted <= 1
    assert score(truth, truth).value == (0 if score(truth, truth).kind == "none" else 1)
