"""Whatever the sentence: denying it turns its label round, and swapping left and right swaps its sides."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_feedback.labels import CHEXPERT_14, NO_FINDING, State, label_report

# One way in which each finding is named.
NAMES = {
    "Enlarged Cardiomediastinum": "mediastinal widening",
    "Cardiomegaly": "cardiomegaly",
    "Lung Opacity": "opacity",
    "Lung Lesion": "nodule",
    "Edema": "pulmonary edema",
    "Consolidation": "consolidation",
    "Pneumonia": "pneumonia",
    "Atelectasis": "atelectasis",
    "Pneumothorax": "pneumothorax",
    "Pleural Effusion": "pleural effusion",
    "Pleural Other": "pleural thickening",
    "Fracture": "rib fracture",
    "Support Devices": "chest tube",
}
AFFIRMED_AND_DENIED = [
    ("There is {}.", "There is no {}."),
    ("There is {}.", "There is no evidence of {}."),
    ("{} is seen.", "{} is not seen."),
    ("{} is present.", "{} is no longer present."),
    ("Film with {}.", "Film without {}."),
    ("Findings of {}.", "Negative for {}."),
    ("{} is noted.", "No {} is noted."),
    ("The film shows {}.", "The film does not show {}."),
]
FINDING = st.sampled_from(sorted(NAMES))
MODIFIER = st.sampled_from(["", "small ", "left ", "right lower lobe ", "acute ", "bilateral ", "focal "])
FORM = st.sampled_from(AFFIRMED_AND_DENIED)


def states(text: str) -> dict[str, State | None]:
    labels = label_report(text)
    return {finding: labels.state_of(finding) for finding in CHEXPERT_14 if labels.state_of(finding)}


def test_every_finding_has_a_name_here() -> None:
    assert {*NAMES, NO_FINDING} == set(CHEXPERT_14)


@given(FINDING, MODIFIER, FORM)
def test_denying_a_sentence_turns_its_label_round(finding: str, modifier: str, form: tuple[str, str]) -> None:
    affirmed, denied = (template.format(modifier + NAMES[finding]) for template in form)
    assert states(affirmed) == {finding: State.PRESENT}
    assert states(denied) == {finding: State.ABSENT}


@given(st.lists(st.tuples(MODIFIER, FINDING), min_size=2, max_size=5, unique_by=lambda item: item[1]))
def test_a_denied_list_denies_every_item(items: list[tuple[str, str]]) -> None:
    *first, last = [modifier + NAMES[finding] for modifier, finding in items]
    found = states(f"There is no {', '.join(first)}, or {last}.")
    assert found == {finding: State.ABSENT for _, finding in items}


@given(FINDING, FINDING)
def test_a_denial_ends_at_but(first: str, second: str) -> None:
    found = states(f"No {NAMES[first]}, but {NAMES[second]} is seen.")
    assert found.get(second) == State.PRESENT
    assert first == second or found.get(first) == State.ABSENT


@given(
    FINDING,
    MODIFIER,
    st.sampled_from(
        [
            "Possible {}.",
            "{} cannot be excluded.",
            "{} is suspected.",
            "Shadow that may represent {}.",
            "Likely {}.",
        ]
    ),
)
def test_a_doubted_finding_is_uncertain(finding: str, modifier: str, form: str) -> None:
    assert states(form.format(modifier + NAMES[finding])) == {finding: State.UNCERTAIN}


def swapped(text: str) -> str:
    other = {"left": "right", "right": "left"}
    return re.sub(r"left|right", lambda word: other[word.group()], text)


# fmt: off
SIDED = st.lists(
    st.sampled_from([
        *NAMES.values(), "left", "right", "bilateral", "no", "and", "or", ",", ".", "in the", "on the",
        "with", "lower lobe", "base", "lung", "lungs are clear", "is not seen", "may represent", "but",
        "there is", "greater than", "small", "the heart is enlarged", "left-sided", "right ventricle",
    ]),
    max_size=14,
).map(" ".join)
# fmt: on


@given(SIDED)
def test_swapping_left_and_right_swaps_the_sides_and_nothing_else(text: str) -> None:
    other = {"left": "right", "right": "left"}
    before = [
        (m.finding, m.state, sorted(other[side] for side in m.sides), m.is_stated)
        for m in label_report(text).mentions
    ]
    after = [(m.finding, m.state, sorted(m.sides), m.is_stated) for m in label_report(swapped(text)).mentions]
    assert after == before


@given(SIDED | st.text())
def test_any_text_is_read_and_each_mention_stands_where_it_says(text: str) -> None:
    labels = label_report(text)
    assert set(labels.as_chexpert()) == set(CHEXPERT_14)
    for mention in labels.mentions:
        assert 0 <= mention.start < mention.end <= len(text)
        assert mention.sides <= {"left", "right"}
        alone = text[mention.start : mention.end]
        assert mention.finding in {found.finding for found in label_report(alone).mentions}


@given(st.lists(SIDED, min_size=2, max_size=4))
def test_sentences_are_read_one_by_one(parts: list[str]) -> None:
    whole = label_report(". ".join(parts))
    apart = [mention for part in parts for mention in label_report(part).mentions]
    assert [(m.finding, m.state, m.sides) for m in whole.mentions] == [
        (m.finding, m.state, m.sides) for m in apart
    ]


@pytest.mark.parametrize(
    ("text", "is_normal"),
    [
        ("No acute cardiopulmonary process.", True),
        ("Heart size normal. No effusion.", True),
        ("No effusion. Pacemaker in place.", True),
        ("No effusion. Hyperinflation.", False),
        ("No acute disease. Small effusion.", False),
        ("Possible pneumonia.", False),
        ("A ship sails to the harbour.", False),
        ("", False),
    ],
)
def test_a_report_is_normal_when_it_denies_and_affirms_nothing(text: str, is_normal: bool) -> None:
    labels = label_report(text)
    assert labels.is_normal is is_normal
    assert labels.as_chexpert()[NO_FINDING] == (1 if is_normal else None)


def test_what_is_only_implied_is_no_label() -> None:
    labels = label_report("The lungs are clear.")
    assert labels.state_of("Lung Opacity") is State.ABSENT
    assert labels.as_chexpert()["Lung Opacity"] is None


def test_boxes_and_broken_lines_do_not_part_a_sentence() -> None:
    assert states("No [1.5, 2, 3, 4] pleural\neffusion or\n\tpneumothorax") == {
        "Pleural Effusion": State.ABSENT,
        "Pneumothorax": State.ABSENT,
    }
    assert states("1. Cardiomegaly. 2. No effusion\n3. Edema") == {
        "Cardiomegaly": State.PRESENT,
        "Pleural Effusion": State.ABSENT,
        "Edema": State.PRESENT,
    }


def test_letters_that_grow_in_small_letters_move_no_mention() -> None:
    text = "İİİİ small effusion"
    mention = label_report(text).mentions[0]
    assert text[mention.start : mention.end] == "effusion"


def test_a_kind_of_a_finding_counts_for_its_label() -> None:
    labels = label_report("Left cavity. No nodule.")
    assert [labels.state_of(name) for name in ("Cavity", "Nodule")] == [State.PRESENT, State.ABSENT]
    assert labels.state_of("Lung Lesion") is State.PRESENT
    assert labels.sides_of("Lung Lesion") == {"left"}
    assert labels.as_chexpert()["Lung Lesion"] == 1
