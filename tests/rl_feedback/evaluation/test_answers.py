"""Answers to questions are right, partly right or wrong, and what can't be read is wrong and says so."""

import pytest

from rl_feedback.evaluation.answers import Failure, Kind, score_answer
from rl_feedback.evaluation.samples import Prediction, Sample, Task


def asked(reference: str, *options: str) -> Sample:
    return Sample("1", Task.VQA, "own", "presence", reference, "1", options=options)


def said(text: str) -> Prediction:
    return Prediction("1", text, text)


@pytest.mark.parametrize(
    ("reference", "text", "kind", "score", "as_published"),
    [
        ("yes", "yes", Kind.CLOSED, 1, 1),
        ("yes", "Yes.", Kind.CLOSED, 1, 0),
        ("No", "no", Kind.CLOSED, 1, 1),
        ("no", "No, there is none", Kind.CLOSED, 1, 0),
        ("no", "yes", Kind.CLOSED, 0, 0),
        ("left lung", "the left lung", Kind.OPEN, 1, 0),
        ("left lung", "right lung", Kind.OPEN, 0, 0),
        ("edema|effusion", "Effusion|Edema", Kind.MULTI, 1, 1),
        ("edema|effusion", "edema, effusion", Kind.MULTI, 1, 0),
        # XrayBench's own score of lists: one of two right, one too much, 2 * 1 / (2 + 2).
        ("edema|effusion", "edema|nodule", Kind.MULTI, 0.5, 0.5),
        ("edema|effusion", "edema|effusion|nodule", Kind.MULTI, 0.8, 0.8),
        ("1,000 mL|left", "left|1,000 mL", Kind.MULTI, 1, 1),
    ],
)
def test_each_kind_of_answer_has_its_score(reference, text, kind, score, as_published) -> None:
    found = score_answer(asked(reference), said(text))
    assert (found.kind, found.score, found.as_published) == (kind, score, as_published)
    assert found.failure is None


@pytest.mark.parametrize("text", ["AP view", "B", "(b)", "B. AP view", "b: AP view"])
def test_an_option_is_named_by_words_or_letter(text: str) -> None:
    assert score_answer(asked("AP view", "PA view", "AP view"), said(text)).score == 1
    assert score_answer(asked("PA view", "PA view", "AP view"), said(text)).score == 0


@pytest.mark.parametrize(
    ("prediction", "failure"),
    [
        (None, Failure.MISSING),
        (Prediction("1", "<think>", None), Failure.UNREADABLE),
        (said("..."), Failure.UNREADABLE),
        (said("perhaps"), Failure.NO_OPTION),
        (said("yes or no"), Failure.NO_OPTION),
    ],
)
def test_what_cannot_be_read_is_wrong_and_says_why(prediction, failure: Failure) -> None:
    found = score_answer(asked("yes"), prediction)
    assert (found.score, found.as_published, found.word_f1, found.failure) == (0, 0, 0, failure)


def test_a_near_miss_of_an_open_question_shares_words() -> None:
    found = score_answer(asked("left lower lobe"), said("left upper lobe"))
    assert found.score == 0
    assert found.word_f1 == pytest.approx(2 / 3)
