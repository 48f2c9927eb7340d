"""Asks a judge for GREEN's counts ahead: many at once, within limits, again where it wrote rubbish, and never
twice the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

from rl_feedback.evaluation.arena.judging import Comparison, Judge, JudgeFailed, Question, Unanswered
from rl_feedback.evaluation.arena.limits import Limits, Pace, Spent, num_within
from rl_feedback.evaluation.reports.green import PROMPT_VERSION, read_counts

# Of a judge that reads its question alone.
_NOTHING = Comparison("", "", "", "", "", "", "")


@dataclass(frozen=True, kw_only=True)
class GreenSettings:
    """Whom to ask, and how. `judge` names its exact weights or server, as far as one knows. Rubbish is asked
    again, `most_tries` times in all: further tries are at `temperature_of_retries`, with other seeds, since
    the same question has the same answer at temperature 0."""

    judge: str
    prompt_version: str = PROMPT_VERSION
    temperature: float = 0.0
    temperature_of_retries: float = 0.7
    seed: int = 0
    max_new_tokens: int = 2048
    most_tries: int = 3


@dataclass(frozen=True)
class KeptCounts:
    """`counts` are JSON that `green` reads; empty where the judge wrote rubbish at every try."""

    key: str
    question: str
    counts: str
    num_tries: int
    spent: Spent


def key_of(question: str, settings: GreenSettings) -> str:
    """The same for the same judge, settings and texts."""
    told = json.dumps({**asdict(settings), "question": question}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def count_all(
    questions: Sequence[str],
    judge: Judge,
    settings: GreenSettings,
    *,
    known: Container[str] = (),
    limits: Limits | None = None,
    spent: Spent | None = None,
    pace: Pace | None = None,
) -> Iterator[KeptCounts]:
    """The counts of each question whose key is not known, once each, as they come; keep each one at once.

    Raises LimitReached before a request that could pass a limit (`spent` counts from before), JudgeFailed
    where the judge answers nothing at all of what it was asked last, or could not be asked some.
    """
    limits, spent = limits or Limits(), spent or Spent()
    pace = pace or Pace(limits.requests_per_minute)
    by_key = {key_of(question, settings): question for question in questions}
    waiting = [_Asked(key, question) for key, question in by_key.items() if key not in known]
    num_failed, failure = 0, ""
    while waiting:
        asked = waiting[: judge.num_at_once]
        prompts = [one.question for one in asked]
        number = num_within(prompts, max_new_tokens=settings.max_new_tokens, limits=limits, spent=spent)
        asked = asked[: pace.allowed(number)]
        waiting = waiting[len(asked) :]
        open_ones = {one.key: one for one in asked}
        num_failed_now = 0
        for answer in judge.answers([_question(one, settings) for one in asked]):
            one = open_ones.pop(answer.key)
            if isinstance(answer, Unanswered):
                failure = answer.reason
                num_failed_now += 1
                continue
            cost = Spent(1, answer.num_prompt_tokens, answer.num_tokens)
            spent += cost
            one = replace(one, num_tries=one.num_tries + 1, spent=one.spent + cost)
            # What was cut off may lack the counts of its last thought.
            counts = read_counts(answer.text) if answer.is_whole else None
            if counts is None and one.num_tries < settings.most_tries:
                waiting.append(one)
            else:
                told = "" if counts is None else counts.as_json()
                yield KeptCounts(one.key, one.question, told, one.num_tries, one.spent)
        num_failed += num_failed_now
        if open_ones:
            raise JudgeFailed("The judge left questions without an answer. Let the run go on to ask again.")
        if num_failed_now == len(asked):
            raise JudgeFailed(failure)
    if num_failed:
        raise JudgeFailed(
            f"The judge could not be asked about {num_failed} of {len(by_key)} reports, the last time "
            f"because: {failure} What is judged is kept; let the run go on."
        )


@dataclass(frozen=True)
class _Asked:
    key: str
    question: str
    num_tries: int = 0
    spent: Spent = field(default_factory=Spent)


def _question(asked: _Asked, settings: GreenSettings) -> Question:
    return Question(
        key=asked.key,
        prompt=asked.question,
        temperature=settings.temperature_of_retries if asked.num_tries else settings.temperature,
        seed=settings.seed + asked.num_tries,
        max_new_tokens=settings.max_new_tokens,
        comparison=_NOTHING,
    )
