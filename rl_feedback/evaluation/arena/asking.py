"""Asks a judge questions: many at once, within limits, and again where it wrote rubbish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from rl_feedback.evaluation.arena.limits import Limits, Pace, Spent, num_within

Found = TypeVar("Found")


class JudgeFailed(Exception):
    """The judge can't be asked at all; the message says why and the way out."""


class Rubbish(ValueError):
    """The judge answered something else than it was asked for; the message says what is wrong with it."""


@dataclass(frozen=True)
class Comparison:
    """Two texts of one case in one order."""

    case: str
    study: str
    category: str
    first: str
    second: str
    first_text: str
    second_text: str
    reference: str = ""

    @property
    def turned(self) -> Comparison:
        return replace(
            self,
            first=self.second,
            second=self.first,
            first_text=self.second_text,
            second_text=self.first_text,
        )


@dataclass(frozen=True, kw_only=True)
class HowAsked:
    """Rubbish is asked again, `most_tries` times in all: at temperature 0 the same question has the same
    answer, so further tries are at `temperature_of_retries`, with other seeds."""

    temperature: float = 0.0
    temperature_of_retries: float = 0.7
    seed: int = 0
    max_new_tokens: int = 2048
    most_tries: int = 3

    def __post_init__(self) -> None:
        if self.most_tries < 1 or self.max_new_tokens < 1:
            raise ValueError("A judge is asked at least once, for at least one token.")


@dataclass(frozen=True)
class Question:
    """One try. `comparison` is for a judge that looks its answers up, where two texts are compared."""

    key: str
    prompt: str
    temperature: float
    seed: int
    max_new_tokens: int
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Said:
    """What the judge wrote; `is_whole` where it ended by itself."""

    key: str
    text: str
    is_whole: bool = True
    num_prompt_tokens: int = 0
    num_tokens: int = 0


@dataclass(frozen=True)
class Unanswered:
    """The judge couldn't be asked this; `reason` is a sentence for a person."""

    key: str
    reason: str


class Judge(Protocol):
    """Answers questions, in any order; `num_at_once` is how many it likes to get together."""

    num_at_once: int

    def answers(self, questions: Sequence[Question]) -> Iterable[Said | Unanswered]: ...


@dataclass(frozen=True)
class ToAsk:
    """A question before its first try."""

    key: str
    prompt: str
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Answered(Generic[Found]):
    """What was read in the last answer, or `problem`, why it is rubbish, and `found` is None; with all tries
    and tokens."""

    key: str
    text: str
    found: Found | None
    problem: str
    num_tries: int
    spent: Spent


def ask_all(
    questions: Iterable[ToAsk],
    judge: Judge,
    how: HowAsked,
    *,
    read: Callable[[str], Found],
    limits: Limits | None = None,
    spent: Spent | None = None,
    pace: Pace | None = None,
) -> Iterator[Answered[Found]]:
    """An answer to each question, as they come; keep each one at once, so that what ends the work loses
    nothing. `read` raises Rubbish; so does an answer that was cut off by its length count.

    Raises LimitReached before a request that could pass a limit (`spent` counts from before), JudgeFailed
    where the judge answers nothing at all of what it was asked last, or could not be asked some.
    """
    limits, spent = limits or Limits(), spent or Spent()
    pace = pace or Pace(limits.requests_per_minute)
    waiting = [_Asked(one) for one in questions]
    num_all, num_failed, failure = len(waiting), 0, ""
    while waiting:
        asked = waiting[: judge.num_at_once]
        prompts = [one.what.prompt for one in asked]
        number = num_within(prompts, max_new_tokens=how.max_new_tokens, limits=limits, spent=spent)
        asked = asked[: pace.allowed(number)]
        waiting = waiting[len(asked) :]
        by_key = {one.what.key: one for one in asked}
        num_failed_now = 0
        for answer in judge.answers([_question(one, how) for one in asked]):
            one = by_key.pop(answer.key)
            if isinstance(answer, Unanswered):
                failure = answer.reason
                num_failed_now += 1
                continue
            cost = Spent(1, answer.num_prompt_tokens, answer.num_tokens)
            spent += cost
            one = replace(one, num_tries=one.num_tries + 1, spent=one.spent + cost)
            found, problem = _read(answer, read, how)
            if problem and one.num_tries < how.most_tries:
                waiting.append(one)
            else:
                yield Answered(answer.key, answer.text, found, problem, one.num_tries, one.spent)
        num_failed += num_failed_now
        if by_key:
            raise JudgeFailed("The judge left questions without an answer. Let the run go on to ask again.")
        if num_failed_now == len(asked):
            raise JudgeFailed(failure)
    if num_failed:
        raise JudgeFailed(
            f"The judge could not be asked {num_failed} of {num_all} questions, the last time because: "
            f"{failure} What is judged is kept; let the run go on."
        )


@dataclass(frozen=True)
class _Asked:
    what: ToAsk
    num_tries: int = 0
    spent: Spent = field(default_factory=Spent)


def _question(asked: _Asked, how: HowAsked) -> Question:
    return Question(
        key=asked.what.key,
        prompt=asked.what.prompt,
        temperature=how.temperature_of_retries if asked.num_tries else how.temperature,
        seed=how.seed + asked.num_tries,
        max_new_tokens=how.max_new_tokens,
        comparison=asked.what.comparison,
    )


def _read(answer: Said, read: Callable[[str], Found], how: HowAsked) -> tuple[Found | None, str]:
    if not answer.is_whole:
        return None, f"It was cut off after {how.max_new_tokens} tokens."
    try:
        return read(answer.text), ""
    except Rubbish as error:
        return None, str(error)
