"""GREEN's counts are asked for ahead: within limits, again where they are rubbish, never twice the same."""

import json
from collections.abc import Iterator, Sequence

from rl_feedback.evaluation.arena import JudgeFailed, LimitReached, Limits
from rl_feedback.evaluation.arena.asking import Question, Said, Unanswered
from rl_feedback.evaluation.reports.green import green, question_of, read_counts
from rl_feedback.evaluation.reports.green_judge import GreenSettings, count_all, key_of

SETTINGS = GreenSettings(judge="judge", max_new_tokens=100)
GOOD = json.dumps({"matched": 3, "errors": {"a": 1, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0}})


class Judge:
    """Answers each question's tries in turn, the last one for ever; None can't be asked."""

    num_at_once = 2

    def __init__(self, **answers: Sequence[str | None]) -> None:
        self.answers_of = answers
        self.asked: list[Question] = []

    def answers(self, questions: Sequence[Question]) -> Iterator[Said | Unanswered]:
        for question in questions:
            before = sum(one.key == question.key for one in self.asked)
            self.asked.append(question)
            answers = self.answers_of[question.prompt]
            text = answers[min(before, len(answers) - 1)]
            if text is None:
                yield Unanswered(question.key, "It is away.")
            else:
                yield Said(question.key, text, text != "cut", 10, 5)


def found_before(questions: Sequence[str], judge: Judge, **settings) -> tuple[list[str], str]:
    """What is judged, and why no more is."""
    found: list[str] = []
    try:
        for kept in count_all(questions, judge, SETTINGS, **settings):
            found.append(kept.question)
    except (JudgeFailed, LimitReached) as error:
        return found, str(error)
    return found, ""


def test_rubbish_and_what_was_cut_off_are_asked_again_with_another_seed() -> None:
    judge = Judge(one=["rubbish", GOOD], two=["{}"], three=[GOOD])
    found = {kept.question: kept for kept in count_all(["one", "two", "three", "one"], judge, SETTINGS)}
    assert {name: (kept.num_tries, bool(kept.counts)) for name, kept in found.items()} == {
        "one": (2, True),
        "two": (3, False),
        "three": (1, True),
    }
    assert (found["two"].spent.num_requests, found["two"].spent.num_tokens) == (3, 15)
    of_two = [(one.temperature, one.seed) for one in judge.asked if one.prompt == "two"]
    assert of_two == [(0.0, 0), (0.7, 1), (0.7, 2)]
    (cut,) = count_all(["one"], Judge(one=["cut"]), SETTINGS)
    assert cut.counts == ""


def test_what_is_kept_gives_the_same_score_and_rubbish_gives_none() -> None:
    question = question_of("Effusion.", "Effusion. Edema.")
    (kept,) = count_all([question], Judge(**{question: [f"Sure! {GOOD}"]}), SETTINGS)
    assert green(["Effusion."], ["Effusion. Edema."], lambda asked: kept.counts).tolist() == [0.75]
    for rubbish in ("", "no", '{"matched": 1}', GOOD.replace("3", "1" + "0" * 400), GOOD.replace("3", "-3")):
        assert read_counts(rubbish) is None


def test_what_is_known_is_asked_of_nobody_and_another_judge_knows_nothing() -> None:
    judge = Judge(one=[GOOD], two=[GOOD])
    known = {key_of("one", SETTINGS)}
    assert [kept.question for kept in count_all(["one", "two"], judge, SETTINGS, known=known)] == ["two"]
    assert key_of("one", GreenSettings(judge="other", max_new_tokens=100)) not in known


def test_no_request_passes_a_limit() -> None:
    judge = Judge(one=["rubbish"], two=[GOOD])
    found, why = found_before(["one", "two"], judge, limits=Limits(most_requests=3))
    assert (found, len(judge.asked)) == (["two"], 3)
    assert "could pass 3 requests" in why
    dear = Limits(most_cost=0.0001, price_of_prompt=1.0, price_of_answer=1.0)
    found, why = found_before(["one"], judge, limits=dear)
    assert found == []
    assert "a cost of 0.0001" in why
    assert len(judge.asked) == 3


def test_a_judge_that_is_away_is_told_and_what_it_said_before_is_kept() -> None:
    judge = Judge(one=[GOOD], two=[None], three=[GOOD])
    found, why = found_before(["one", "two", "three"], judge)
    assert found == ["one", "three"]
    assert "1 of 3 questions, the last time because: It is away." in why
    assert found_before(["two"], judge) == ([], "It is away.")
