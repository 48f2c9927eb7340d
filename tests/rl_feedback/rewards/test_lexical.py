"""BLEU and ROUGE agree with nltk and rouge-score, which were written by others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

from rl_feedback.rewards.lexical import bleu, longest_f1, overlap_f1, rouge_1, stems

TEXTS = st.lists(
    st.sampled_from(
        [
            "the",
            "lungs",
            "are",
            "clear",
            "effusions",
            "effusion",
            "no",
            "dying",
            "skies",
            "5",
            "é",
            ".",
            "opacities",
        ]
    ),
    max_size=25,
).map(" ".join) | st.text(max_size=40)
SCORER = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)


@given(TEXTS, TEXTS, st.sampled_from([1, 4]))
def test_character_bleu_is_nltks(candidate: str, reference: str, max_order: int) -> None:
    expected = sentence_bleu(
        [reference],
        candidate,
        weights=[1 / max_order] * max_order,
        smoothing_function=SmoothingFunction().method2,
    )
    assert bleu(candidate, reference, max_order=max_order) == pytest.approx(expected, abs=1e-12)


@given(TEXTS, TEXTS)
def test_rouge_is_rouge_scores(candidate: str, reference: str) -> None:
    expected = SCORER.score(reference, candidate)
    ours, theirs = stems(candidate), stems(reference)
    assert rouge_1(candidate, reference) == pytest.approx(expected["rouge1"].fmeasure, abs=1e-12)
    assert overlap_f1(ours, theirs, order=2) == pytest.approx(expected["rouge2"].fmeasure, abs=1e-12)
    assert longest_f1(ours, theirs) == pytest.approx(expected["rougeL"].fmeasure, abs=1e-12)


def test_a_known_example_has_its_known_value() -> None:
    fox = ("the fast brown fox leaps over the lazy dog", "the quick brown fox jumps over the lazy dog")
    assert rouge_1(*fox) == pytest.approx(7 / 9)
    assert longest_f1(stems(fox[0]), stems(fox[1])) == pytest.approx(7 / 9)
