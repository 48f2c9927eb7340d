"""What readers struck out by oversight is told from what the model made up, without knowing the truth."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_feedback.raters.oversight import OversightModel, fit_oversight

# Shares of made-up findings as the second site's model names them.
KINDS = {"heart": 0.0, "effusion": 0.02, "pneumothorax": 0.15, "nodule": 0.55}


def fitted(*words: tuple[str, str, int, int], known: dict[str, bool] | None = None) -> OversightModel:
    """Of each item: its name, its kind, how many words strike it out, how many let it stand."""
    rows = [
        (item, kind, is_struck)
        for item, kind, out, kept in words
        for is_struck in [True] * out + [False] * kept
    ]
    items, kinds, struck = zip(*rows, strict=True)
    return fit_oversight(items, kinds, struck, known=known)


def seldom(kind: str, number: int, struck: int) -> list[tuple[str, str, int, int]]:
    return [(f"{kind} {n}", kind, int(n < struck), int(n >= struck)) for n in range(number)]


def test_a_kind_struck_as_rarely_as_readers_overlook_is_in_doubt_and_one_struck_often_is_not() -> None:
    found = fitted(*seldom("heart", 60, 6), *seldom("nodule", 60, 33))
    assert found.made_up["heart 0"] < 0.6 < 0.9 < found.made_up["nodule 0"]
    assert found.made_up["nodule 59"] < 0.3
    assert {row.kind: (row.num_words, row.num_struck) for row in found.kinds} == {
        "heart": (60, 6),
        "nodule": (60, 33),
    }
    assert found.kinds[0].made_up.high < found.kinds[1].made_up.low


def test_two_readers_who_strike_the_same_are_believed_more_than_one() -> None:
    words = [*seldom("heart", 40, 4), ("both", "heart", 2, 0), ("one of two", "heart", 1, 1)]
    found = fitted(*words, *seldom("nodule", 40, 22))
    assert found.made_up["both"] > found.made_up["heart 0"] + 0.2
    assert found.made_up["one of two"] < found.made_up["heart 0"] / 2


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.3])
def test_the_rate_of_oversight_comes_back_from_findings_that_several_look_at(share: float) -> None:
    rng = np.random.default_rng(11)
    words = []
    for number in range(150):
        made_up = rng.random() < 0.4
        out = int((rng.random(3) < (0.95 if made_up else share)).sum())
        words.append((f"nodule {number}", "nodule", out, 3 - out))
    found = fitted(*words)
    assert found.oversight.low <= share <= found.oversight.high
    assert found.oversight.high - found.oversight.low < 0.2
    assert found.num_shared_words == found.num_words == 450
    assert found.note == ""


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 6), st.integers(7, 20))
def test_the_more_readers_overlook_what_is_known_to_be_there_the_less_a_strike_says(
    few: int, many: int
) -> None:
    said = []
    for number in (few, many):
        known = [(f"known {n}", "nodule", int(n < number), int(n >= number)) for n in range(40)]
        found = fitted(*known, *seldom("effusion", 50, 10), known={f"known {n}": False for n in range(40)})
        assert found.num_known == 40
        said.append((found.oversight.mean, found.made_up["effusion 0"]))
    assert said[0][0] < said[1][0]
    assert said[0][1] > said[1][1]


def test_without_a_second_look_it_says_what_it_assumes_and_a_known_answer_stands() -> None:
    alone = fitted(*seldom("heart", 30, 3))
    assert "told by an assumption (10%" in alone.note
    assert alone.num_shared_words == 0
    told = fitted(*seldom("heart", 30, 3), known={"heart 0": True, "heart 9": False, "another": True})
    assert told.note == ""
    assert told.num_known == 2
    assert (told.made_up["heart 0"], told.made_up["heart 9"]) == (1.0, 0.0)


def test_one_finding_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match="said to be of the kinds heart and nodule"):
        fit_oversight(["one", "one"], ["heart", "nodule"], [True, False])


@pytest.mark.parametrize("seed", range(3))
def test_of_simulated_words_the_doubtful_strikes_are_the_oversights(seed: int) -> None:
    """Single looks at 400 findings, six findings more looked at by six readers, as a round has them."""
    rng = np.random.default_rng(seed)
    words, truths = [], {}
    for number in range(406):
        kind = list(KINDS)[number % len(KINDS)]
        made_up = bool(rng.random() < KINDS[kind])
        looks = 6 if number >= 400 else 1
        out = int((rng.random(looks) < (1.0 if made_up else 0.1)).sum())
        words.append((f"{kind} {number}", kind, out, looks - out))
        truths[f"{kind} {number}"] = made_up
    found = fitted(*words)
    struck = [item for item, _, out, _ in words if out]
    believed, doubted = _sorted_by(found, struck)
    assert _share_made_up(believed, truths) > 0.9
    assert _share_made_up(doubted, truths) < 0.5
    assert {item.split()[0] for item in doubted} >= {"heart", "effusion"}


def _sorted_by(found: OversightModel, struck: Sequence[str]) -> tuple[list[str], list[str]]:
    believed = [item for item in struck if found.made_up[item] >= 0.8]
    return believed, [item for item in struck if item not in set(believed)]


def _share_made_up(items: Sequence[str], truths: dict[str, bool]) -> float:
    return sum(truths[item] for item in items) / len(items)
