"""Asks a judge for GREEN's counts ahead: many at once, within limits, again where it wrote rubbish, and never
twice the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass

from rl_feedback.evaluation.arena.asking import HowAsked, Judge, JudgeFailed, Rubbish, ToAsk, ask_all
from rl_feedback.evaluation.arena.limits import Limits, Pace, Spent
from rl_feedback.evaluation.reports.green import PROMPT_VERSION, Ask, Counts, question_of, read_counts
from rl_feedback.evaluation.reports.weighted import Unavailable
from rl_feedback.evaluation.samples import Sample, System, Task, report_text


@dataclass(frozen=True, kw_only=True)
class GreenSettings(HowAsked):
    """Whom to ask, and how. `judge` names its exact weights or server, as far as one knows."""

    judge: str
    prompt_version: str = PROMPT_VERSION


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
    by_key = {key_of(question, settings): question for question in questions}
    to_ask = [ToAsk(key, question) for key, question in by_key.items() if key not in known]
    for one in ask_all(to_ask, judge, settings, read=_counts, limits=limits, spent=spent, pace=pace):
        told = "" if one.found is None else one.found.as_json()
        yield KeptCounts(one.key, by_key[one.key], told, one.num_tries, one.spent)


def judged_ahead(
    samples: Sequence[Sample], systems: Sequence[System], judge: Judge, settings: GreenSettings
) -> Ask:
    """A judge that answers at once, since it was asked about every report before: what it counted, empty
    where it wrote rubbish at every try. Where it could not be asked, each question raises Unavailable."""
    questions = [
        question_of(report_text(one), sample.reference)
        for system in systems
        for sample, one in zip(samples, system.own, strict=True)
        if sample.task is Task.REPORT
    ]
    counts: dict[str, str] = {}
    stopped = ""
    try:
        counts |= {kept.question: kept.counts for kept in count_all(questions, judge, settings)}
    except JudgeFailed as error:
        stopped = str(error).rstrip(".")

    def ask(question: str) -> str:
        if stopped:
            raise Unavailable(stopped, "start it, or name another with --green and --green-model")
        return counts[question]

    return ask


def _counts(text: str) -> Counts:
    counts = read_counts(text)
    if counts is None:
        raise Rubbish("It holds no JSON object with all counts.")
    return counts
