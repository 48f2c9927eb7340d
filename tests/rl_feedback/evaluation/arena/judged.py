"""Judges with a known character, and reports to judge, for the tests of the arena."""

import json
import random
from collections.abc import Callable, Iterator, Sequence

from rl_feedback.evaluation.arena.asking import Comparison, Question, Said, Unanswered
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict
from rl_feedback.evaluation.arena.judging import JudgeSettings, both_orders, judge_all
from rl_feedback.evaluation.arena.prompts import CRITERIA
from rl_feedback.evaluation.arena.style_counts import style_of

# True quality: how often a model's report is the right one.
QUALITY = {"good": 0.85, "middling": 0.6, "bad": 0.3}
SETTINGS = JudgeSettings(judge="judge-1")


def verdict(better: str, reason: str = "Because.") -> str:
    of_one = {"better": better, "reason": reason}
    return json.dumps({"criteria": dict.fromkeys(CRITERIA, of_one), "better": better})


class Scripted:
    """Answers each question by a function of its comparison and its seed."""

    num_at_once = 8

    def __init__(self, says: Callable[[Comparison, int], str | Unanswered]) -> None:
        self.says = says
        self.asked: list[Question] = []

    def answers(self, questions: Sequence[Question]) -> Iterator[Said | Unanswered]:
        for question in questions:
            self.asked.append(question)
            assert question.comparison is not None
            said = self.says(question.comparison, question.seed)
            yield said if isinstance(said, Unanswered) else Said(question.key, said, True, 100, 10)


def is_right(text: str) -> bool:
    return "nodule" in text


def truthful(comparison: Comparison, seed: int) -> str:
    first, second = is_right(comparison.first_text), is_right(comparison.second_text)
    return verdict("tie" if first == second else "A" if first else "B")


def always_first(comparison: Comparison, seed: int) -> str:
    return verdict("A")


def longest(comparison: Comparison, seed: int) -> str:
    first, second = len(comparison.first_text.split()), len(comparison.second_text.split())
    return verdict("tie" if first == second else "A" if first > second else "B")


def coin(comparison: Comparison, seed: int) -> str:
    return verdict(random.Random(f"{comparison} {seed}").choice(["A", "B"]))


def comparisons(num_cases: int, *, seed: int = 0) -> list[Comparison]:
    """Every pair of the three models on each case; length is drawn apart from quality."""
    rng = random.Random(seed)
    made = []
    for case in range(num_cases):
        texts = {
            name: " ".join(
                ["A nodule." if rng.random() < quality else "Clear lungs.", *["Normal."] * rng.randrange(12)]
            )
            for name, quality in QUALITY.items()
        }
        names = sorted(texts)
        made += [
            Comparison(
                case=f"case-{case}",
                study=f"case-{case}",
                category="lungs" if case % 2 else "heart",
                first=one,
                second=other,
                first_text=texts[one],
                second_text=texts[other],
                reference="A nodule.",
            )
            for place, one in enumerate(names)
            for other in names[place + 1 :]
        ]
    return made


def judged(says: Callable[[Comparison, int], str], num_cases: int = 60) -> list[Judgement]:
    asked = list(both_orders(comparisons(num_cases)))
    return [kept.judgement for kept in judge_all(asked, Scripted(says), SETTINGS)]


def votes(num_cases: int = 60, *, num_experts: int = 2, right: float = 0.9) -> list[Judgement]:
    """Experts who see each pair in one order, dealt at random, and mostly say what is true."""
    rng = random.Random(9)
    said = []
    for pair in comparisons(num_cases):
        for expert in range(num_experts):
            shown = pair if rng.random() < 0.5 else pair.turned
            truth = {"A": Verdict.FIRST, "B": Verdict.SECOND, "tie": Verdict.TIE}[
                json.loads(truthful(shown, 0))["better"]
            ]
            if rng.random() > right:
                truth = rng.choice([Verdict.FIRST, Verdict.SECOND])
            said.append(
                Judgement(
                    pair.case,
                    pair.study,
                    shown.first,
                    shown.second,
                    f"expert-{expert}",
                    Kind.EXPERT,
                    truth,
                    category=pair.category,
                    of_first=style_of(shown.first_text),
                    of_second=style_of(shown.second_text),
                )
            )
    return said
