"""Asks a judge about pairs of reports: both orders, again where it wrote rubbish, never twice the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from rl_feedback.evaluation.arena.answers import NotAVerdict, read_verdict
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict
from rl_feedback.evaluation.arena.limits import Limits, Pace, Spent, num_within
from rl_feedback.evaluation.arena.prompts import NEWEST, prompt_of
from rl_feedback.evaluation.arena.style_counts import style_of


class JudgeFailed(Exception):
    """The judge can't be asked at all; the message says why and the way out."""


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
class JudgeSettings:
    """Whom to ask, and how. `revision` names the judge's exact weights or release, as far as one knows; with
    the prompt's version and the rest it makes the key by which an answer is kept.

    Rubbish is asked again, `most_tries` times in all: at temperature 0 the same question has the same answer,
    so further tries are at `temperature_of_retries`, with other seeds.

    `is_by_case`: equal texts of two cases are judged apart, as of recorded judgements, whose judge may have
    known more than the texts.
    """

    judge: str
    revision: str = ""
    prompt_version: str = NEWEST
    temperature: float = 0.0
    temperature_of_retries: float = 0.7
    seed: int = 0
    max_new_tokens: int = 2048
    most_tries: int = 3
    is_by_case: bool = False

    def __post_init__(self) -> None:
        prompt_of(self.prompt_version)
        if self.most_tries < 1 or self.max_new_tokens < 1:
            raise ValueError("A judge is asked at least once, for at least one token.")

    def as_json(self) -> dict[str, Any]:
        """What the key is made of, beside the texts."""
        return {
            "judge": self.judge,
            "revision": self.revision,
            "prompt": self.prompt_version,
            "prompt_sha256": prompt_of(self.prompt_version).sha256,
            "temperature": self.temperature,
            "temperature_of_retries": self.temperature_of_retries,
            "seed": self.seed,
            "max_new_tokens": self.max_new_tokens,
            "most_tries": self.most_tries,
        }


def key_of(comparison: Comparison, settings: JudgeSettings) -> str:
    """The same for the same judge, revision, prompt, settings, texts in their order, and reference; and the
    same case, where the settings tell cases apart."""
    told = {
        **settings.as_json(),
        "texts": [comparison.first_text, comparison.second_text],
        "reference": comparison.reference,
        **({"case": comparison.case} if settings.is_by_case else {}),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Question:
    """One try. `comparison` is for a judge that looks its answers up."""

    key: str
    prompt: str
    temperature: float
    seed: int
    max_new_tokens: int
    comparison: Comparison


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
class Kept:
    """A judgement with its key and all that is worth keeping: the raw text, what was wrong with it where it
    is invalid, tries and tokens. `is_cached`: it was known, so nobody was asked."""

    key: str
    judgement: Judgement
    text: str
    problem: str
    num_tries: int
    spent: Spent
    is_cached: bool = False


# Gives what is kept under a key, or None.
Known = Callable[[str], Kept | None]


def both_orders(comparisons: Iterable[Comparison]) -> Iterator[Comparison]:
    for comparison in comparisons:
        yield comparison
        yield comparison.turned


def judge_all(
    comparisons: Sequence[Comparison],
    judge: Judge,
    settings: JudgeSettings,
    *,
    known: Known = lambda key: None,
    limits: Limits | None = None,
    spent: Spent | None = None,
    pace: Pace | None = None,
) -> Iterator[Kept]:
    """A judgement of each comparison, once each, as they come; keep each one at once, so that what ends the
    work loses nothing. Texts that `known` has are asked of nobody.

    An answer that is no verdict is asked again and in the end INVALID. Raises LimitReached before a request
    that could pass a limit (`spent` counts from before), JudgeFailed where the judge answers nothing at all
    of what it was asked last.
    """
    limits, spent = limits or Limits(), spent or Spent()
    pace = pace or Pace(limits.requests_per_minute)
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        key = key_of(comparison, settings)
        kept = known(key)
        if kept is not None:
            judgement = _judgement(comparison, settings, kept.judgement)
            yield replace(kept, judgement=judgement, is_cached=True, spent=Spent())
        else:
            groups.setdefault(key, []).append(comparison)
    waiting = [_Asked(key, tuple(same)) for key, same in groups.items()]
    num_failed, failure = 0, ""
    while waiting:
        asked = waiting[: judge.num_at_once]
        prompts = [_question(one, settings).prompt for one in asked]
        number = num_within(prompts, max_new_tokens=settings.max_new_tokens, limits=limits, spent=spent)
        asked = asked[: pace.allowed(number)]
        waiting = waiting[len(asked) :]
        by_key = {one.key: one for one in asked}
        num_failed_now = 0
        for answer in judge.answers([_question(one, settings) for one in asked]):
            one = by_key.pop(answer.key)
            if isinstance(answer, Unanswered):
                failure = answer.reason
                num_failed += len(one.comparisons)
                num_failed_now += 1
                continue
            cost = Spent(1, answer.num_prompt_tokens, answer.num_tokens)
            spent += cost
            one = replace(one, num_tries=one.num_tries + 1, spent=one.spent + cost)
            done = _kept(one, answer, settings)
            if done:
                yield from done
            else:
                waiting.append(one)
        if by_key:
            raise JudgeFailed("The judge left questions without an answer. Let the run go on to ask again.")
        if num_failed_now == len(asked):
            raise JudgeFailed(failure)
    if num_failed:
        raise JudgeFailed(
            f"The judge could not be asked about {num_failed} of {len(comparisons)} comparisons, the last "
            f"time because: {failure} What is judged is kept; let the run go on."
        )


@dataclass(frozen=True)
class _Asked:
    """Comparisons of the same texts, which one question answers."""

    key: str
    comparisons: tuple[Comparison, ...]
    num_tries: int = 0
    spent: Spent = field(default_factory=Spent)


def _question(asked: _Asked, settings: JudgeSettings) -> Question:
    comparison = asked.comparisons[0]
    prompt = prompt_of(settings.prompt_version).render(
        first=comparison.first_text, second=comparison.second_text, reference=comparison.reference
    )
    return Question(
        key=asked.key,
        prompt=prompt,
        temperature=settings.temperature_of_retries if asked.num_tries else settings.temperature,
        seed=settings.seed + asked.num_tries,
        max_new_tokens=settings.max_new_tokens,
        comparison=comparison,
    )


def _kept(asked: _Asked, answer: Said, settings: JudgeSettings) -> list[Kept]:
    """A judgement for each of the comparisons, the first of which bears the cost; none where the judge must
    be asked again."""
    problem = ""
    try:
        if not answer.is_whole:
            raise NotAVerdict(f"It was cut off after {settings.max_new_tokens} tokens.")
        read = read_verdict(answer.text)
        found = Judgement("", "", "", "", "", Kind.MODEL, read.verdict, criteria=read.criteria)
    except NotAVerdict as error:
        if asked.num_tries < settings.most_tries:
            return []
        found = Judgement("", "", "", "", "", Kind.MODEL, Verdict.INVALID)
        problem = str(error)
    return [
        Kept(
            key=asked.key,
            judgement=_judgement(comparison, settings, found),
            text=answer.text,
            problem=problem,
            num_tries=asked.num_tries,
            spent=Spent() if number else asked.spent,
        )
        for number, comparison in enumerate(asked.comparisons)
    ]


def _judgement(comparison: Comparison, settings: JudgeSettings, found: Judgement) -> Judgement:
    """What was found of these texts, told of this case and these models."""
    return replace(
        found,
        case=comparison.case,
        study=comparison.study,
        category=comparison.category,
        first=comparison.first,
        second=comparison.second,
        judge=settings.judge,
        kind=Kind.MODEL,
        of_first=style_of(comparison.first_text),
        of_second=style_of(comparison.second_text),
    )
