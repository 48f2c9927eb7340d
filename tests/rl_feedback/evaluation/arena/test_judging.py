import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rl_feedback.evaluation.arena.answers import NotAVerdict, read_verdict
from rl_feedback.evaluation.arena.asking import Comparison, JudgeFailed, Unanswered
from rl_feedback.evaluation.arena.judgements import OnCriterion, Verdict
from rl_feedback.evaluation.arena.judges import RecordedJudge
from rl_feedback.evaluation.arena.judging import JudgeSettings, Kept, both_orders, judge_all, key_of
from rl_feedback.evaluation.arena.limits import LimitReached, Limits, Pace
from rl_feedback.evaluation.arena.prompts import CRITERIA, NEWEST, PROMPTS, prompt_of
from rl_feedback.evaluation.arena.recorded import read_answers
from rl_feedback.evaluation.arena.style_counts import style_of
from tests.rl_feedback.evaluation.arena.judged import (
    SETTINGS,
    Scripted,
    coin,
    comparisons,
    truthful,
    verdict,
)

ONE = comparisons(1)[0]


def of_file(file: Path) -> RecordedJudge:
    return RecordedJudge(read_answers(file), called=file.name)


def all_of(asked, says: Callable[[Comparison, int], str | Unanswered], **options) -> list[Kept]:
    return list(judge_all(asked, Scripted(says), SETTINGS, **options))


def test_the_words_of_a_version_never_change() -> None:
    assert {version: prompt.sha256 for version, prompt in PROMPTS.items()} == {
        "arena-1": "8a291038f199790f2dd5d36f94f55fd30ad81aa19acc027429d5c5fe87edeefc"
    }
    with pytest.raises(ValueError, match="There are arena-1"):
        prompt_of("arena-0")


def test_reports_stand_in_the_prompt_as_they_are_whatever_they_hold() -> None:
    words = PROMPTS[NEWEST].render(first="says <<B>>", second="says <<A>>", reference="<<A>> {x}")
    assert "<report_A>\nsays <<B>>\n</report_A>" in words
    assert "<report_B>\nsays <<A>>\n</report_B>" in words
    assert "<reference_report>\n<<A>> {x}\n" in words
    without = PROMPTS[NEWEST].render(first="x", second="y", reference=" ")
    assert "There is no reference report" in without
    assert all(name in without for name in CRITERIA)


def test_a_verdict_is_read_with_its_reasons_after_thoughts_and_in_a_fence() -> None:
    text = f'<think>{{"better": "B"}} maybe {{</think>```json\n{verdict("A", "It names it.")}\n```'
    read = read_verdict(text)
    assert read.verdict is Verdict.FIRST
    assert set(read.criteria) == set(CRITERIA)
    assert read.criteria["omissions"].reason == "It names it."


def test_a_reason_is_a_text_that_can_be_stored_whatever_the_judge_put_into_it() -> None:
    read = read_verdict(verdict("A", "Its \0 left \ud800 lung."))
    assert read.criteria["location"].reason == "Its  left \N{REPLACEMENT CHARACTER} lung."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A is better.", "no JSON object"),
        ('{"better": "A"}', "no JSON object"),
        ('{"criteria": [], "better": "A"}', '"criteria" is no JSON object'),
        ('{"criteria": {}, "better": "A"}', "nothing of findings, omissions, location, severity, wording"),
        (verdict("C"), 'Of the whole "better" is neither'),
        (verdict("A").replace('"reason"', '"why"', 1), 'Of findings it gives no "better" with a "reason"'),
        (verdict("A").replace('"A"', "1", 1), 'Of findings "better" is neither'),
        ("{" * 5000, "no JSON object"),
    ],
)
def test_rubbish_is_named_as_what_it_is(text, says) -> None:
    with pytest.raises(NotAVerdict, match=says):
        read_verdict(text)


def test_each_pair_is_judged_in_both_orders_by_texts_alone() -> None:
    judge = Scripted(truthful)
    kept = list(judge_all(list(both_orders([ONE])), judge, SETTINGS))
    assert [(one.judgement.first, one.judgement.second) for one in kept] == [
        (ONE.first, ONE.second),
        (ONE.second, ONE.first),
    ]
    assert kept[0].judgement.for_left == kept[1].judgement.for_left
    assert kept[0].judgement.of_first == kept[1].judgement.of_second == style_of(ONE.first_text)
    # A judge never learns whose report it reads.
    assert all(ONE.first not in question.prompt for question in judge.asked)


def test_rubbish_is_asked_again_with_other_dice_then_kept_as_invalid_never_as_a_tie() -> None:
    judge = Scripted(lambda comparison, seed: "I'd rather not.")
    (kept,) = judge_all([ONE], judge, SETTINGS)
    assert [(q.seed, q.temperature) for q in judge.asked] == [(0, 0.0), (1, 0.7), (2, 0.7)]
    assert kept.judgement.verdict is Verdict.INVALID
    assert kept.judgement.for_left is None
    assert (kept.num_tries, kept.text, kept.spent.num_requests) == (3, "I'd rather not.", 3)
    assert "no JSON object" in kept.problem
    second = Scripted(lambda comparison, seed: "Hm." if seed == 0 else verdict("B"))
    (kept,) = judge_all([ONE], second, SETTINGS)
    assert (kept.judgement.verdict, kept.num_tries, kept.problem) == (Verdict.SECOND, 2, "")


def test_the_key_changes_with_all_that_can_change_the_answer_and_with_nothing_else() -> None:
    key = key_of(ONE, SETTINGS)
    others = [
        key_of(ONE.turned, SETTINGS),
        key_of(Comparison(**{**vars(ONE), "reference": "Other."}), SETTINGS),
        *(
            key_of(ONE, JudgeSettings(**{**vars(SETTINGS), **change}))
            for change in ({"judge": "x"}, {"revision": "x"}, {"seed": 5}, {"temperature": 0.1})
        ),
    ]
    assert len({key, *others}) == 7
    assert key_of(Comparison(**{**vars(ONE), "case": "x", "first": "x", "category": "x"}), SETTINGS) == key


def test_what_is_known_is_asked_of_nobody_and_told_of_its_own_case() -> None:
    known: dict[str, Kept] = {}
    asked = list(both_orders(comparisons(5)))
    for kept in judge_all(asked, Scripted(truthful), SETTINGS, known=known.get):
        known[kept.key] = kept
    judge = Scripted(truthful)
    elsewhere = [Comparison(**{**vars(one), "case": f"again {one.case}"}) for one in asked]
    again = list(judge_all(elsewhere, judge, SETTINGS, known=known.get))
    assert judge.asked == []
    assert all(kept.is_cached and kept.spent.num_requests == 0 for kept in again)
    assert [kept.judgement.case for kept in again] == [one.case for one in elsewhere]


def test_equal_texts_are_asked_once_and_judged_for_each_case() -> None:
    same = [Comparison(**{**vars(ONE), "case": case}) for case in ("x", "y")]
    judge = Scripted(truthful)
    kept = list(judge_all(same, judge, SETTINGS))
    assert len(judge.asked) == 1
    assert [one.judgement.case for one in kept] == ["x", "y"]
    assert [one.spent.num_requests for one in kept] == [1, 0]


@pytest.mark.parametrize("stops_after", [1, 17, 40])
def test_work_that_was_cut_off_and_went_on_ends_as_if_it_had_not_been(stops_after) -> None:
    asked = list(both_orders(comparisons(10)))

    def says(comparison: Comparison, seed: int) -> str:
        # Some rubbish, so that tries are taken up again too.
        return "Hm." if len(comparison.first_text) % 3 == 0 and seed == 0 else coin(comparison, seed)

    whole = sorted(map(repr, (kept.judgement for kept in all_of(asked, says))))
    known: dict[str, Kept] = {}
    for kept in judge_all(asked, Scripted(says), SETTINGS):
        known[kept.key] = kept
        if len(known) == stops_after:
            break
    rest = all_of(asked, says, known=known.get)
    assert sum(kept.is_cached for kept in rest) >= stops_after
    assert sorted(map(repr, (kept.judgement for kept in rest))) == whole


def test_a_limit_ends_the_work_before_it_is_passed_and_what_is_judged_was_told() -> None:
    asked = list(both_orders(comparisons(4)))
    for limits, says in (
        (Limits(most_requests=7), "7 requests"),
        (Limits(most_tokens=4_000), "4,000 tokens"),
        (Limits(most_cost=0.008, price_of_prompt=1, price_of_answer=3), "a cost of 0.008"),
    ):
        judge = Scripted(truthful)
        told: list[Kept] = []
        with pytest.raises(LimitReached, match=says):
            told.extend(judge_all(asked, judge, SETTINGS, limits=limits))
        assert 0 < len(told) < len(asked)
        assert len(judge.asked) == len(told)
        if limits.most_requests:
            assert len(judge.asked) == 7


def test_what_was_spent_before_counts() -> None:
    spent = sum((kept.spent for kept in all_of([ONE], truthful)[1:]), all_of([ONE], truthful)[0].spent)
    assert (spent.num_requests, spent.num_prompt_tokens, spent.num_tokens) == (1, 100, 10)
    with pytest.raises(LimitReached):
        all_of([ONE.turned], truthful, limits=Limits(most_requests=1), spent=spent)


def test_a_limit_of_cost_without_prices_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the prices"):
        Limits(most_cost=1)


def test_no_minute_sees_more_requests_than_allowed() -> None:
    now, sent = [0.0], []

    def wait(seconds: float) -> None:
        assert seconds > 0
        now[0] += seconds

    def says(comparison: Comparison, seed: int) -> str:
        sent.append(now[0])
        now[0] += 1.0
        return truthful(comparison, seed)

    asked = list(both_orders(comparisons(6)))
    all_of(asked, says, pace=Pace(10, clock=lambda: now[0], wait=wait))
    assert len(sent) == len({key_of(one, SETTINGS) for one in asked}) > 20
    for start in range(60, 260, 7):
        assert sum(start - 60 < at <= start for at in sent) <= 10 + Scripted.num_at_once


def test_a_judge_that_cannot_be_asked_ends_the_work_and_one_question_does_not() -> None:
    asked = list(both_orders(comparisons(4)))
    with pytest.raises(JudgeFailed, match="can't be reached"):
        all_of(asked, lambda c, s: Unanswered(key_of(c, SETTINGS), "It can't be reached."))

    def mostly(comparison: Comparison, seed: int) -> str | Unanswered:
        if comparison == asked[3]:
            return Unanswered(key_of(comparison, SETTINGS), "Too long.")
        return truthful(comparison, seed)

    told: list[Kept] = []
    with pytest.raises(JudgeFailed, match=r"1 of 22 questions.*Too long\."):
        told.extend(judge_all(asked, Scripted(mostly), SETTINGS))
    assert len(told) == 23


def test_recorded_judgements_answer_as_their_judge_did_tries_and_all(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    lines = [
        {"case": one.case, "first": one.first, "second": one.second, "text": text}
        for one, texts in ((ONE, ["rubbish", verdict("A")]), (ONE.turned, [verdict("B")]))
        for text in texts
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    kept = list(judge_all([ONE, ONE.turned], of_file(file), SETTINGS))
    by_first = {one.judgement.first: one for one in kept}
    assert (by_first[ONE.first].judgement.verdict, by_first[ONE.first].num_tries) == (Verdict.FIRST, 2)
    assert by_first[ONE.second].judgement.verdict is Verdict.SECOND
    with pytest.raises(JudgeFailed, match=r"judged.jsonl holds no judgement of .* on case-1"):
        list(judge_all([comparisons(2)[3]], of_file(file), SETTINGS))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no judgement"),
        ("x", "line 1 is no JSON"),
        ('\n{"case": 1}', "line 2 is no judgement"),
        ('{"case": "c", "first": "x", "second": "y"}', "line 1 is no judgement"),
        ('{"battle": "b", "text": "A"}', "line 1 is no judgement"),
        ('{"battle": "b", "first": "x", "text": "A", "question": 1}', "line 1 is no judgement"),
        (
            '{"case": "c", "first": "x", "second": "y", "verdict": "x"}',
            "line 1 is no verdict. It says nothing",
        ),
        (
            '{"case": "c", "first": "x", "second": "y", "verdict": "x", "criteria": []}',
            "line 1 is no judgement",
        ),
        ("\xff", "no text in UTF-8"),
    ],
)
def test_a_recorded_file_that_is_none_is_refused_by_its_line(text, says, tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=says):
        read_answers(file)


def test_a_verdict_with_its_reasons_is_read_as_what_a_judge_wrote(tmp_path: Path) -> None:
    of_one = {"better": "second", "reason": "It names it."}
    lines = [
        {
            "case": ONE.case,
            "first": ONE.first,
            "second": ONE.second,
            "verdict": said,
            "criteria": dict.fromkeys(CRITERIA, of_one),
        }
        for said in ("first", "Second", "tie", "B")
    ]
    file = tmp_path / "judged.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    read = [read_verdict(one.text) for one in read_answers(file)]
    assert [one.verdict for one in read] == [Verdict.FIRST, Verdict.SECOND, Verdict.TIE, Verdict.SECOND]
    assert read[0].criteria["location"] == OnCriterion(Verdict.SECOND, "It names it.")
    (kept,) = judge_all([ONE], of_file(file), SETTINGS)
    assert (kept.judgement.verdict, kept.problem) == (Verdict.FIRST, "")


@pytest.mark.parametrize("otherwise", [{"case": "other"}, {"second": "a third model"}])
def test_recorded_verdicts_of_equal_texts_are_those_of_their_own_pairs(
    tmp_path: Path, otherwise: dict[str, str]
) -> None:
    other = Comparison(**{**vars(ONE), **otherwise})
    lines = [
        {"case": one.case, "first": one.first, "second": one.second, "text": verdict(better)}
        for one, better in ((ONE, "A"), (other, "B"))
    ]
    file = tmp_path / "judged.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    kept = list(judge_all([ONE, other], of_file(file), replace(SETTINGS, is_by_pair=True)))
    assert [one.judgement.verdict for one in kept] == [Verdict.FIRST, Verdict.SECOND]
    assert key_of(ONE, SETTINGS) == key_of(other, SETTINGS)


def test_what_names_a_platforms_battle_alone_is_for_that_platform(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    file.write_text(json.dumps({"battle": "b", "first": "v1", "text": verdict("A")}))
    (one,) = read_answers(file)
    assert (one.battle, one.first, one.second, one.line) == ("b", "v1", "", 1)
    with pytest.raises(ValueError, match="line 1 names a battle of a platform"):
        of_file(file)


def test_style_is_counted_by_words_sentences_boxes_and_hedges() -> None:
    counts = style_of("Heart normal. There may be a nodule [10, 20, 30.5, 40].\nProbably old")
    assert (counts.sentences, counts.boxes, counts.hedges) == (3, 1, 2)
    assert style_of("").tokens == style_of("").sentences == 0
