"""The plan counts what the draw draws, says what is assumed, and its intervals are those of simulation."""

import re
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deepmedix_review.reviews.designs import (
    DesignCase,
    DesignReader,
    Question,
    ReaderStudyDesign,
    ReadingTimes,
    draw,
    expected_times,
    make_up,
    plan,
    prepare,
    rooms_for_repeats,
    usual_washout,
)
from deepmedix_review.reviews.designs.planning import AnswerKind, alpha_half_width, share_half_width
from rl_feedback.agreement import krippendorff_alpha
from tests.deepmedix_review.reviews.designs.test_simulated_studies import (
    DESIGNS,
    NUM_CASES,
    NUM_READERS,
    NUM_TRAINING,
    simulate,
)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_plan_counts_what_is_drawn(name: str) -> None:
    design = DESIGNS[name]  # type: ignore[index]
    planned = plan(design, num_cases=NUM_CASES, readers=NUM_READERS, num_taught=NUM_TRAINING)
    drawn = Counter(item.reader for item in simulate(design).planned)
    assert planned.readings_per_reader.low <= min(drawn.values())
    assert max(drawn.values()) <= planned.readings_per_reader.high
    assert abs(planned.num_readings - sum(drawn.values())) <= NUM_READERS
    assert (planned.num_data_cases, planned.num_control_cases) == (285, 15)
    assert planned.problems == ()


def drawn_by(design: ReaderStudyDesign, *, num_cases: int, readers: int, seed: int) -> list[tuple[int, int]]:
    """By reader, how many readings and how many of them repeats."""
    cases, people = prepare(
        design,
        cases=[DesignCase(key, block=-1) for key in range(num_cases)],
        readers=[DesignReader(f"reader {key}", block=-1) for key in range(readers)],
        seed=seed,
    )
    planned = draw(design, cases=cases, readers=people, seed=seed)
    readings = Counter(item.reader for item in planned)
    repeats = Counter(item.reader for item in planned if item.kind == "repeat")
    return [(readings[person.key], repeats[person.key]) for person in people]


@pytest.mark.parametrize("washout_cases", [2, 5])
@pytest.mark.parametrize("control_share", [0.0, 0.25])
@pytest.mark.parametrize("repeat_share", [0.1, 0.5])
@pytest.mark.parametrize(("num_cases", "readers"), [(8, 3), (3, 5), (13, 4)])
@pytest.mark.parametrize(
    "of",
    [
        {"design": "every_reader"},
        {"design": "k_readers", "readers_per_case": 2},
        {"design": "split_plot", "num_blocks": 2},
        {"design": "anchor_rotation", "readers_per_case": 1, "num_anchor_cases": 2},
    ],
    ids=lambda of: of["design"],
)
def test_the_plan_promises_the_readings_and_repeats_that_are_drawn(
    of: dict[str, Any],
    num_cases: int,
    readers: int,
    repeat_share: float,
    control_share: float,
    washout_cases: int,
) -> None:
    design = ReaderStudyDesign(
        **of, repeat_share=repeat_share, control_share=control_share, washout_cases=washout_cases
    )
    planned = plan(design, num_cases=num_cases, readers=readers, seed=7)
    drawn = drawn_by(design, num_cases=num_cases, readers=readers, seed=7)
    each, repeats = [number for number, _ in drawn], [number for _, number in drawn]
    assert planned.num_readings == sum(each)
    assert (planned.readings_per_reader.low, planned.readings_per_reader.high) == (min(each), max(each))
    assert planned.repeats_per_reader == (min(repeats), max(repeats))


def test_a_plan_of_many_blocks_deals_no_case() -> None:
    """It is made anew, and that for 25 numbers of cases, with each key that is entered in a form."""
    design = ReaderStudyDesign(design="split_plot", num_blocks=100, repeat_share=0.1, washout_cases=2)
    began = time.process_time()
    for num_cases in range(4_901, 5_001):
        plan(design, num_cases=num_cases, readers=120)
    assert time.process_time() - began < 4


def test_readers_whose_lists_differ_by_a_case_get_as_many_repeats() -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=2, repeat_share=0.1, washout_cases=2)
    for seed in range(20):
        drawn = drawn_by(design, num_cases=8, readers=3, seed=seed)
        assert sorted(drawn) == [(6, 1), (6, 1), (7, 1)]


def test_the_plan_says_who_gets_no_repeat_and_why() -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=2, repeat_share=0.1, washout_cases=5)
    planned = plan(design, num_cases=8, readers=3)
    assert (planned.num_readings, planned.repeats_per_reader) == (17, (0, 1))
    said = next(sentence for sentence in planned.sentences if "washout" in sentence)
    assert said == (
        "Only 1 of 3 repeats fits behind a washout of 5 cases, and with one of 4 they all do. The 2 readers "
        "of 5 cases get none: too few cases come after the first. Shorten the washout or choose more cases."
    )


@pytest.mark.parametrize(
    ("num_cases", "share", "said"),
    [
        (
            8,
            0.1,
            "1 hidden repeat a reader tells nothing about how consistent a reader is; 10 or more would. "
            "Choose more cases: 95 in all give each reader 10 at this share.",
        ),
        (
            40,
            0.1,
            "4 hidden repeats a reader tell nothing about how consistent a reader is; 10 or more would. "
            "A share of 25 % gives 10.",
        ),
        (40, 0.25, ""),
        (40, 0.0, ""),
    ],
)
def test_the_plan_says_that_few_repeats_tell_nothing_and_what_would(
    num_cases: int, share: float, said: str
) -> None:
    design = ReaderStudyDesign(repeat_share=share, washout_cases=2)
    planned = plan(design, num_cases=num_cases, readers=3)
    assert [one for one in planned.sentences if "how consistent" in one] == ([said] if said else [])
    if said.endswith("A share of 25 % gives 10."):
        enough = plan(ReaderStudyDesign(repeat_share=0.25, washout_cases=2), num_cases=num_cases, readers=3)
        assert enough.repeats_per_reader == (10, 10)


@pytest.mark.parametrize(
    ("num_cases", "readers", "fields"),
    [
        # Repeats enough, of which the washout leaves room for 9; and for 5 of 22.
        (24, 3, {"repeat_share": 0.5, "washout_cases": 15}),
        (45, 3, {"repeat_share": 0.5, "washout_cases": 40}),
        # Controls are read as well and never repeated, and the share is of those of data alone.
        (8, 2, {"repeat_share": 0.1, "control_share": 0.2}),
        (100, 2, {"repeat_share": 0.1, "control_share": 0.2}),
        # Both the share and the washout are in the way.
        (40, 2, {"repeat_share": 0.1, "washout_cases": 35}),
        (60, 6, {"repeat_share": 0.2, "design": "k_readers", "readers_per_case": 2, "control_share": 0.1}),
        (12, 2, {"repeat_share": 0.9, "washout_cases": 8}),
        (10, 2, {"repeat_share": 1.0}),
        (61, 7, {"repeat_share": 0.1, "design": "split_plot", "num_blocks": 3}),
    ],
)
def test_who_does_what_the_plan_advises_of_few_repeats_gets_enough(
    num_cases: int, readers: int, fields: dict[str, Any]
) -> None:
    design = ReaderStudyDesign(**fields)
    before = plan(design, num_cases=num_cases, readers=readers)
    [said] = [one for one in before.sentences if "how consistent" in one]
    if more := re.search(r"Choose more cases: (\d+) in all", said):
        num_cases = int(more[1])
        assert num_cases > before.num_data_cases + before.num_control_cases
    elif share := re.search(r"A share of (\d+) %", said):
        design = replace(design, repeat_share=int(share[1]) / 100)
        assert design.repeat_share > fields["repeat_share"]
    else:
        shorter = re.search(r"Shorten the washout: behind one of (\d+) case", said)
        assert shorter, said
        design = replace(design, washout_cases=int(shorter[1]))
        assert design.washout_cases < fields["washout_cases"]
    after = plan(design, num_cases=num_cases, readers=readers)
    assert after.repeats_per_reader[0] >= 10
    assert not any("how consistent" in one for one in after.sentences)


def test_minutes_grow_with_all_that_is_asked() -> None:
    usual = [Question("step"), Question("region"), Question("answer"), Question("vote")]

    def minutes(questions: list[Question], **said: Any) -> float:
        return expected_times(make_up(questions, **{"num_outputs": 2, **said})).median

    plain = minutes(usual)
    for target, seconds in (("step", 16), ("region", 16), ("answer", 3.2), ("vote", 5), ("case", 1.6)):
        assert minutes([*usual, Question(target)]) == pytest.approx(plain + seconds)
        written = Question(target, is_text=True)
        assert minutes([*usual, written]) > minutes([*usual, Question(target)])
    assert minutes(usual, num_outputs=1) < plain
    assert minutes(usual, steps_per_output=7) == pytest.approx(plain + 4 * (10 + 1.6))
    assert minutes(usual, first_reads=0.5) == pytest.approx(plain + 15)
    assert minutes(usual, first_reads=1.0, has_choices=True) == pytest.approx(plain + 5)


def test_a_vote_needs_two_outputs() -> None:
    alone = make_up([Question("vote"), Question("answer")], num_outputs=1)
    assert (alone.votes, alone.num_answers) == (0, 1)


def test_minutes_are_measured_ones_or_say_that_they_are_not() -> None:
    design = ReaderStudyDesign()
    guessed = plan(design, num_cases=60, readers=2)
    assert guessed.sentences[0].startswith("Not measured yet: 178 s per reading")
    measured = plan(
        design, num_cases=60, readers=2, seconds_per_reading=ReadingTimes(30, 60, 120, num_readings=40)
    )
    minutes = measured.minutes_per_reader
    assert (minutes.low, minutes.median, minutes.high) == (30, 60, 120)
    assert measured.minutes_total.median == 120
    assert measured.sentences[0] == "Times are the quartiles of 40 signed readings."


@pytest.mark.parametrize(("alpha", "num_cases", "num_readers"), [(0.6, 100, 3), (0.3, 200, 2), (0.8, 60, 8)])
def test_the_width_of_alpha_is_the_one_that_simulated_readers_give(
    alpha: float, num_cases: int, num_readers: int
) -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        cases = rng.normal(0, np.sqrt(alpha), num_cases)
        ratings = cases + rng.normal(0, np.sqrt(1 - alpha), (num_readers, num_cases))
        found.append(krippendorff_alpha(ratings, "interval").value)
    expected = alpha_half_width(alpha, num_cases=num_cases, readers_per_case=num_readers)
    assert expected is not None
    simulated = 1.96 * float(np.std(np.array(found, dtype=float)))
    assert expected == pytest.approx(simulated, rel=0.2)


def test_votes_of_one_reader_have_wilsons_width() -> None:
    """Newcombe, Stat. Med. 17:857 (1998), table I: 81 of 263 give .2553 to .3662."""
    width = share_half_width(81 / 263, icc=0.3, num_cases=263, answers_per_case=1)
    assert width == pytest.approx((0.3662 - 0.2553) / 2, abs=5e-5)


def test_more_readers_of_a_case_help_less_than_more_cases() -> None:
    crowded = share_half_width(0.5, icc=0.5, num_cases=50, answers_per_case=4)
    broad = share_half_width(0.5, icc=0.5, num_cases=200, answers_per_case=1)
    assert crowded is not None
    assert broad is not None
    assert broad < crowded


def test_one_reader_per_case_gives_no_agreement_and_one_completion_no_votes() -> None:
    alone = plan(ReaderStudyDesign(shows="one"), num_cases=50, readers=1)
    assert (alone.alpha_half_width, alone.vote_half_width) == (None, None)
    assert any("no agreement" in sentence for sentence in alone.sentences)


@pytest.mark.parametrize(
    ("design", "num_cases", "readers", "sentence"),
    [
        (ReaderStudyDesign(), 0, 2, "no case to read"),
        (ReaderStudyDesign(), 5, 0, "no reader"),
        (ReaderStudyDesign(design="k_readers"), 5, 2, "how many readers"),
        (ReaderStudyDesign(design="k_readers", readers_per_case=3), 5, 2, "at least 3 readers"),
        (ReaderStudyDesign(design="split_plot"), 5, 2, "at least 2 blocks"),
        (ReaderStudyDesign(design="split_plot", num_blocks=3), 5, 2, "Take fewer blocks"),
        (ReaderStudyDesign(design="anchor_rotation", readers_per_case=1), 5, 2, "1 to 4 anchor cases"),
        (ReaderStudyDesign(is_pool=True, design="split_plot", num_blocks=2), 5, 2, "no blocks"),
        (ReaderStudyDesign(is_pool=True, repeat_share=0.1), 5, 2, "no hidden repeats"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    design: ReaderStudyDesign, num_cases: int, readers: int, sentence: str
) -> None:
    problems = plan(design, num_cases=num_cases, readers=readers).problems
    assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("design", "num_days", "sentence"),
    [
        (ReaderStudyDesign(repeat_share=0.1, washout_cases=95), None, "Only 15 of 30 repeats"),
        (ReaderStudyDesign(repeat_share=0.1, washout_cases=95), None, "with one of 90 they all do"),
        (ReaderStudyDesign(repeat_share=0.1, washout_cases=20), None, "Up to 90 are possible"),
        (ReaderStudyDesign(repeat_share=0.1), None, "at least 1 other case after its case"),
        (ReaderStudyDesign(repeat_share=0.1, washout_days=28), 14, "Move one of them"),
        (ReaderStudyDesign(repeat_share=0.001), None, "comes to none"),
        (ReaderStudyDesign(first_reads="share"), None, "between 0 and 1"),
    ],
)
def test_what_to_know_is_said(design: ReaderStudyDesign, num_days: int | None, sentence: str) -> None:
    sentences = plan(design, num_cases=100, readers=3, num_days=num_days).sentences
    assert any(sentence in said for said in sentences), sentences


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("num_cases", [1, 2, 3, 8, 25, 100])
def test_the_usual_washout_leaves_room_for_every_repeat_that_can_be_placed(
    num_cases: int, share: float
) -> None:
    design = ReaderStudyDesign(repeat_share=share)
    rooms = rooms_for_repeats(design, num_cases=num_cases, readers=2)
    assert usual_washout(rooms) <= min(20, num_cases)
    room = rooms[0]
    assert room.fitting(usual_washout(rooms)) == room.fitting(0)
    assert room.fitting(room.longest_washout) == room.fitting(0)
    if 0 < room.wanted < num_cases:
        assert room.fitting(room.longest_washout + 1) < room.wanted


def test_without_repeats_there_is_no_washout() -> None:
    for design in (ReaderStudyDesign(), ReaderStudyDesign(is_pool=True, repeat_share=0.5)):
        assert usual_washout(rooms_for_repeats(design, num_cases=100, readers=3)) == 0


def test_each_kind_of_question_that_is_asked_has_an_interval_and_no_other() -> None:
    design = ReaderStudyDesign(shows="one", design="every_reader")
    kinds: dict[AnswerKind, str] = {"scale": "mean", "region": "region", "choice": "choice", "vote": "vote"}
    for asked in kinds:
        found = plan(design, num_cases=50, readers=3, asks=frozenset({asked}))
        given = {name for name in kinds.values() if getattr(found, f"{name}_half_width") is not None}
        # One output has no vote.
        assert given == ({kinds[asked]} - {"vote"})
    several = plan(design, num_cases=50, readers=3, asks=frozenset({"region", "choice"}))
    # 3 readers, and 5 regions of each: 15 verdicts a case, as sure as 15 / (1 + 14 * 0.3) of them.
    assert several.region_half_width == share_half_width(0.5, icc=0.3, num_cases=50, answers_per_case=15)
    assert several.region_half_width == pytest.approx(0.081, abs=0.001)
    assert several.choice_half_width == share_half_width(0.5, icc=0.3, num_cases=50, answers_per_case=3)
