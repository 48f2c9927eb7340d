"""How right a model's answers to questions are: closed, open and those with several parts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rl_feedback.evaluation.samples import Prediction, Sample

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_ARTICLES = {"a", "an", "the"}
_YES_NO = ("yes", "no")
# "B", "(b)", "B." or "B: left lung"
_LETTER = re.compile(r"\s*\(?([A-Za-z])\)?(?:[.:)\s]|$)")
VARIANT = "closed and open: equal but for case, marks and articles; several parts: F1 of the parts"


class Kind(StrEnum):
    """How a question is answered."""

    CLOSED = "closed"  # yes or no, or one of the options
    OPEN = "open"
    MULTI = "multi-label"  # several parts, `|` between them


class Failure(StrEnum):
    """Why a text counts as wrong before it is compared."""

    MISSING = "no prediction"
    UNREADABLE = "no answer can be read"
    NO_OPTION = "none of the options"


@dataclass(frozen=True)
class AnswerResult:
    """`score` is in [0, 1]; `as_published` is XrayBench's own way, where case alone is forgiven; `word_f1` is
    that of the words, for open questions' near misses. A `failure` has 0 in all of them."""

    kind: Kind
    score: float
    as_published: float
    word_f1: float
    failure: Failure | None = None


def kind_of(sample: Sample) -> Kind:
    """By the right answer, and by the options where the question has some."""
    if "|" in sample.reference:
        return Kind.MULTI
    is_closed = bool(sample.options) or plain(sample.reference) in _YES_NO
    return Kind.CLOSED if is_closed else Kind.OPEN


def score_answer(sample: Sample, prediction: Prediction | None) -> AnswerResult:
    """One answer. What can't be read is wrong, and says why.

    >>> from rl_feedback.evaluation.samples import Task
    >>> asked = Sample("1", Task.VQA, "own", "presence", "yes", "1")
    >>> score_answer(asked, Prediction("1", "Yes.", "Yes.")).score
    1.0
    >>> score_answer(asked, Prediction("1", "It may be so.", "It may be so.")).failure.value
    'none of the options'
    """
    kind = kind_of(sample)
    failure = _failure(sample, prediction, kind)
    if failure is not None or prediction is None or prediction.answer is None:
        return AnswerResult(kind, 0.0, 0.0, 0.0, failure)
    answer, truth = prediction.answer, sample.reference
    if kind is Kind.MULTI:
        separator = r"\|" if "," in truth else r"[|,;]"
        given, wanted = re.split(separator, answer), truth.split("|")
        return AnswerResult(
            kind,
            _set_f1(map(plain, given), map(plain, wanted)),
            _set_f1((one.strip().lower() for one in answer.split("|")), (w.strip().lower() for w in wanted)),
            _word_f1(answer, truth.replace("|", " ")),
        )
    if kind is Kind.CLOSED:
        answer = _chosen(sample, answer) or answer
    return AnswerResult(
        kind,
        float(plain(answer) == plain(truth)),
        float(prediction.answer.strip().lower() == truth.strip().lower()),
        _word_f1(answer, truth),
    )


def plain(text: str) -> str:
    """The words of a text without case, marks and articles.

    >>> plain("The left lung.")
    'left lung'
    """
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(word for word in found if word not in _ARTICLES)


def _failure(sample: Sample, prediction: Prediction | None, kind: Kind) -> Failure | None:
    if prediction is None:
        return Failure.MISSING
    if prediction.answer is None or not plain(prediction.answer):
        return Failure.UNREADABLE
    if kind is Kind.CLOSED and _chosen(sample, prediction.answer) is None:
        return Failure.NO_OPTION
    return None


def _chosen(sample: Sample, answer: str) -> str | None:
    """The option that an answer names, by its words, its letter, or as its first word where the others stand
    nowhere in it ("Yes, there is one"); None where it names none or several."""
    options = sample.options or _YES_NO
    by_words = {plain(option): option for option in options}
    said = plain(answer)
    if said in by_words:
        return by_words[said]
    letter = _LETTER.match(answer)
    if sample.options and letter and (place := ord(letter[1].upper()) - ord("A")) < len(options):
        rest = plain(answer[letter.end() :])
        if rest in ("", plain(options[place])):
            return options[place]
    named = [option for words, option in by_words.items() if f" {words} " in f" {said} "]
    return named[0] if len(named) == 1 and f"{said} ".startswith(f"{plain(named[0])} ") else None


def _set_f1(given: Iterable[str], wanted: Iterable[str]) -> float:
    ours, theirs = set(given) - {""}, set(wanted) - {""}
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours & theirs else 0.0


def _word_f1(answer: str, truth: str) -> float:
    ours, theirs = Counter(plain(answer).split()), Counter(plain(truth).split())
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0
