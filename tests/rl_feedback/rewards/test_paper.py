"""The published reward comes out as published, faults included, and no text can keep it busy for long."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_feedback.rewards import PaperReward, paper_reward

# Values of the published file itself for completions written for this project.
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "published_cases.jsonl").read_text("utf-8").splitlines()
]
PARTS = ("overall", "format", "accuracy", "coordinate")


def differing(reward: PaperReward, row: dict) -> list[str]:
    return [part for part in PARTS if abs(getattr(reward, part) - row[part]) > 1e-9]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["name"])
def test_every_quirk_is_paid_as_the_published_file_pays_it(row: dict) -> None:
    assert differing(paper_reward([row["completion"]], [row["truth"]])[0], row) == []


def test_the_measured_examples_beside_the_project_come_out_to_nine_digits(shared_data: Path) -> None:
    rows = json.loads((shared_data / "paper-reward.json").read_text("utf-8"))
    rewards = paper_reward([row["predict"] for row in rows], [row["ground_truth"] for row in rows])
    assert len(rows) == 12
    assert [differing(reward, row) for reward, row in zip(rewards, rows, strict=True)] == [[]] * 12


@pytest.mark.parametrize(("num_completions", "num_truths"), [(2, 1), (1, 2), (1, 0)])
def test_unequal_numbers_are_refused_and_never_dropped(num_completions: int, num_truths: int) -> None:
    with pytest.raises(ValueError, match=f"{num_completions} completions and {num_truths} truths"):
        paper_reward(["a"] * num_completions, ["yes"] * num_truths)


@given(
    st.lists(
        st.sampled_from(
            [
                "<think>",
                " </ think>",
                "\\boxed{",
                "}",
                "{",
                "yes",
                "a|b",
                "[1,2,3,4]",
                "[1,2,3,900]",
                "/",
                " ",
            ]
        )
    ).map("".join)
    | st.text(),
    st.sampled_from(["yes", "None", "a|b", "", "three words here"]) | st.text(),
)
def test_any_text_is_paid_at_most_1_60_and_without_an_error(text: str, truth: str) -> None:
    reward = paper_reward([text], [truth])[0]
    assert reward.overall <= 1.6 + 1e-9
    assert 0 <= reward.accuracy <= 1.5 + 1e-9
    assert reward.format in (0, 1)
    assert reward.coordinate <= 0.15


@pytest.mark.parametrize(
    "text",
    [
        "<think> [" + "1" * 6000 + ",",
        "<think> [" + ",".join(["1" * 1500] * 4) + "</think>",
        "<think>" + "</think>\\boxed{" * 1500,
        " " * 50_000,
        "<think> " + "[1,2,3,4]" * 2000 + "</think>",
        "\\boxed{" * 3000 + "}" * 2999,
    ],
    ids=["digits", "four long numbers", "tags", "spaces", "boxes", "braces"],
)
def test_a_text_made_to_keep_a_search_busy_is_read_like_any_other(text: str) -> None:
    # By the published patterns some of these take days.
    assert paper_reward([text], ["yes"])[0].accuracy == 0
