"""Asks a judge about pairs of reports: both orders, again where it wrote rubbish, never twice the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rl_feedback.evaluation.arena.answers import ReadVerdict, read_verdict
from rl_feedback.evaluation.arena.asking import Answered, Comparison, HowAsked, Judge, ToAsk, ask_all
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict
from rl_feedback.evaluation.arena.limits import Limits, Pace, Spent
from rl_feedback.evaluation.arena.prompts import NEWEST, prompt_of
from rl_feedback.evaluation.arena.style_counts import style_of


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(HowAsked):
    """Whom to ask, and how. `revision` names the judge's exact weights or release, as far as one knows; with
    the prompt's version and the rest it makes the key by which an answer is kept.

    `is_by_pair`: equal texts of two cases, or of other models on one case, are judged apart, as of recorded
    judgements, whose judge may have known more than the texts.
    """

    judge: str
    revision: str = ""
    prompt_version: str = NEWEST
    is_by_pair: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        prompt_of(self.prompt_version)

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
    same case and models, where the settings tell pairs apart."""
    told = {
        **settings.as_json(),
        "texts": [comparison.first_text, comparison.second_text],
        "reference": comparison.reference,
        **({"pair": [comparison.case, comparison.first, comparison.second]} if settings.is_by_pair else {}),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


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
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        key = key_of(comparison, settings)
        kept = known(key)
        if kept is not None:
            judgement = _judgement(comparison, settings, kept.judgement, key=key)
            yield replace(kept, judgement=judgement, is_cached=True, spent=Spent())
        else:
            groups.setdefault(key, []).append(comparison)
    questions = [ToAsk(key, _prompt(same[0], settings), same[0]) for key, same in groups.items()]
    for answered in ask_all(
        questions, judge, settings, read=read_verdict, limits=limits, spent=spent, pace=pace
    ):
        yield from _kept(answered, groups[answered.key], settings)


def _prompt(comparison: Comparison, settings: JudgeSettings) -> str:
    return prompt_of(settings.prompt_version).render(
        first=comparison.first_text, second=comparison.second_text, reference=comparison.reference
    )


def _kept(
    answered: Answered[ReadVerdict], same: Sequence[Comparison], settings: JudgeSettings
) -> Iterator[Kept]:
    """A judgement for each of the comparisons of the same texts, the first of which bears the cost."""
    read = answered.found
    verdict, criteria = (Verdict.INVALID, {}) if read is None else (read.verdict, read.criteria)
    found = Judgement("", "", "", "", "", Kind.MODEL, verdict, criteria=criteria)
    for number, comparison in enumerate(same):
        yield Kept(
            key=answered.key,
            judgement=_judgement(comparison, settings, found, key=answered.key),
            text=answered.text,
            problem=answered.problem,
            num_tries=answered.num_tries,
            spent=Spent() if number else answered.spent,
        )


def _judgement(comparison: Comparison, settings: JudgeSettings, found: Judgement, *, key: str) -> Judgement:
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
        key=key,
    )
