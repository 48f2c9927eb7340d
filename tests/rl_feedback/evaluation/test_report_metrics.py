"""Words are scored as sacrebleu, rouge_score, pycocoevalcap and nltk score them, which others wrote."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import single_meteor_score
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import BLEU

from rl_feedback.evaluation.reports import bleu, cider, rule_chexpert
from rl_feedback.evaluation.reports.meteor import meteor
from rl_feedback.evaluation.reports.scoring import coco_rouge_l
from rl_feedback.evaluation.reports.words import tokens_13a, words
from rl_feedback.labels import CHEXPERT_14
from rl_feedback.rewards.lexical import longest_f1, stems

WORDS = st.sampled_from(
    [
        "the",
        "lungs",
        "lung",
        "are",
        "clear",
        "no",
        "effusion",
        "effusions,",
        "2.5",
        "cm.",
        "opacities",
        "heart-size",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=6)


class NoSynonyms:
    """In place of WordNet."""

    def synsets(self, word: str) -> list[object]:
        return []


def summed(pairs, cut):
    return np.array([bleu.counts_of(cut(a), cut(b)) for a, b in pairs], dtype=float).sum(axis=0)


@settings(max_examples=150, deadline=None)
@given(PAIRS, st.sampled_from([1, 2, 3, 4]))
def test_bleu_is_sacrebleus(pairs, order: int) -> None:
    theirs = BLEU(lowercase=True, max_ngram_order=order)
    expected = theirs.corpus_score([a for a, _ in pairs], [[b for _, b in pairs]]).score / 100
    found = float(bleu.bleu_of(summed(pairs, tokens_13a), order=order))
    assert found == pytest.approx(expected, abs=1e-6)
    assert str(theirs.get_signature()).startswith(bleu.SIGNATURE)


@settings(deadline=None)
@given(st.text(max_size=60) | TEXTS)
def test_words_are_cut_as_sacrebleu_cuts_them(text: str) -> None:
    assert " ".join(tokens_13a(text)) == BLEU(lowercase=True)._preprocess_segment(text)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_bleu_cider_and_rouge_are_pycocoevalcaps(pairs) -> None:
    ours = {place: [a] for place, (a, _) in enumerate(pairs)}
    theirs = {place: [b] for place, (_, b) in enumerate(pairs)}
    expected, _ = Bleu(4).compute_score(theirs, ours, verbose=0)
    sums = summed(pairs, str.split)
    found = [float(bleu.bleu_of(sums, order=order, smoothing="coco")) for order in (1, 2, 3, 4)]
    assert found == pytest.approx(expected, abs=1e-6)
    rarity = cider.rarity_of([b.split() for _, b in pairs])
    _, expected = Cider().compute_score(theirs, ours)
    assert [cider.cider(a.split(), b.split(), rarity)[1] for a, b in pairs] == pytest.approx(
        list(expected), abs=1e-6
    )
    _, expected = Rouge().compute_score(theirs, ours)
    assert [coco_rouge_l(a.split(), b.split()) for a, b in pairs] == pytest.approx(list(expected), abs=1e-6)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_meteor_is_nltks_without_synonyms_and_rouge_is_rouge_scores(given_text: str, wanted: str) -> None:
    expected = single_meteor_score(wanted.split(), given_text.split(), wordnet=NoSynonyms())
    assert meteor(given_text.split(), wanted.split()) == pytest.approx(expected, abs=1e-9)
    expected = RougeScorer(["rougeL"], use_stemmer=True).score(wanted, given_text)["rougeL"].fmeasure
    assert longest_f1(stems(given_text), stems(wanted)) == pytest.approx(expected, abs=1e-9)


def test_published_examples_have_their_values() -> None:
    # sacrebleu's own value; Papineni 2002, example 2: seven of the come from one word.
    mat = ["the cat sat on the mat", "the cat is on the mat"]
    counts = np.array(bleu.counts_of(*map(tokens_13a, mat)), float)
    assert float(bleu.bleu_of(counts, order=4)) == pytest.approx(0.3799, abs=5e-5)
    the = bleu.counts_of(["the"] * 7, tokens_13a("the cat is on the mat"))
    assert (the[2], the[6]) == (2, 7)
    # nltk's documentation of METEOR, where no synonym takes part: .6944 with WordNet and without.
    one = "It is a guide to action which ensures that the military always obeys the commands of the party"
    other = "It is a guide to action that ensures that the military will forever heed Party commands"
    assert meteor(words(one), words(other)) == pytest.approx(0.6944, abs=5e-5)


@pytest.mark.parametrize(
    ("text", "value"), [("police kill the gunman", 0.75), ("the gunman kill police", 0.5)]
)
def test_rouge_l_has_the_values_of_its_papers_example(text: str, value: float) -> None:
    """Lin 2004, 3.1: both have the same bigrams with the reference, and not the same sentence."""
    reference = ["police", "killed", "the", "gunman"]
    assert longest_f1(text.split(), reference) == pytest.approx(value)
    assert coco_rouge_l(text.split(), reference) == pytest.approx(value)
    # With stems, as ROUGE-L here is by default, killed is kill.
    assert longest_f1(stems("police kill the gunman"), stems("police killed the gunman")) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on the mat sat the cat", 0.5),
        ("the cat sat on the mat", 0.9977),
        ("the cat was sat on the mat", 0.9654),
    ],
)
def test_meteor_has_the_values_of_the_encyclopaedias_example(text: str, value: float) -> None:
    assert meteor(text.split(), ["the", "cat", "sat", "on", "the", "mat"]) == pytest.approx(value, abs=5e-5)


def test_cider_without_clipping_is_the_cosine_of_rare_words() -> None:
    # By hand: of three references only "effusion" and "left" are shared, each in one of them.
    rarity = cider.rarity_of([("left", "effusion"), ("clear",), ("heart",)])
    plain, clipped = cider.cider(("left", "left", "effusion"), ("left", "effusion"), rarity)
    first = 3 / math.sqrt(5 * 2)  # (2, 1) . (1, 1)
    second = 1 / math.sqrt(2)  # left left, left effusion . left effusion
    assert plain == pytest.approx(10 * (first + second) / 4)
    assert clipped == pytest.approx(10 * math.exp(-1 / 72) * (2 / math.sqrt(5 * 2) + second) / 4)


def test_rule_labels_count_as_scikit_learn_counts() -> None:
    texts = [
        ("Cardiomegaly. Left effusion.", "Cardiomegaly. Edema."),
        ("No acute process.", "Left effusion."),
        ("Possible pneumonia.", "Pneumonia."),
    ]
    counts = np.array([rule_chexpert.counts_of(a, b) for a, b in texts], float)
    total = counts.sum(axis=0)
    ours = np.array([rule_chexpert.said(a) for a, _ in texts])
    theirs = np.array([rule_chexpert.said(b) for _, b in texts])
    hits = (ours & theirs).sum(axis=0)
    whole = ours.sum(axis=0) + theirs.sum(axis=0)
    each = [2 * h / w if w else 0.0 for h, w in zip(hits, whole, strict=True)]
    assert float(rule_chexpert.f1_of(total, of_five=False, is_macro=True)) == pytest.approx(np.mean(each))
    micro = 2 * hits.sum() / whole.sum()
    assert float(rule_chexpert.f1_of(total, of_five=False, is_macro=False)) == pytest.approx(micro)
    # Of the five: cardiomegaly is right, the effusion twice wrong, the edema left out.
    assert float(rule_chexpert.f1_of(total, of_five=True, is_macro=False)) == pytest.approx(2 / 5)
    assert float(rule_chexpert.f1_of(total, of_five=True, is_macro=True)) == pytest.approx(1 / 5)
    assert set(rule_chexpert.never_said(counts)) == set(CHEXPERT_14) - {
        *("Cardiomegaly", "Edema", "Pleural Effusion", "Pneumonia")
    }
