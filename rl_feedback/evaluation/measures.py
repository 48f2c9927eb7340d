"""The measures by name: what each is called for people, which variant it is, and whether more is better."""

from __future__ import annotations

from dataclasses import dataclass

from rl_feedback.evaluation import answers, findings, grounding
from rl_feedback.evaluation.reports import bleu, cider, meteor, radcliq, rule_chexpert
from rl_feedback.evaluation.reports.weighted import MEASURES as WEIGHTED


@dataclass(frozen=True)
class Measure:
    """`better` is 1 where more is better, -1 where less is, 0 where it only describes. `most` is the end of
    its scale, None where it has none. `blind_to` says what it does not see."""

    name: str
    label: str
    variant: str
    better: int
    blind_to: str
    most: float | None = 1.0

    @property
    def label_with_way(self) -> str:
        """As a difference is called, whose sign alone does not say who is better."""
        return f"{self.label} \N{DOWNWARDS ARROW}" if self.better < 0 else self.label


# What each task is called wherever people read of it.
TASK_WORDS = {"report": "Reports", "vqa": "Questions", "grounding": "Regions"}
_WORDS = "denials, sides, and whether rare words are the ones that matter"
_BLEU = f"corpus, {bleu.SIGNATURE}"
_RULES = "what the rules don't know; severity, place within a lung, and for F1 the side"
_SAID, _TRUE = (f"{findings.VARIANT}; share of what is {one}" for one in ("said", "true"))
_SIDED = "rule labels; of findings whose side both name"
REPORT_MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *(
            Measure(f"bleu_{order}", f"BLEU-{order}", f"{_BLEU}, up to {order} words", 1, _WORDS)
            for order in (1, 2, 3, 4)
        ),
        Measure("rouge_l", "ROUGE-L", "rouge_score: F1, stemmed, marks left out", 1, _WORDS),
        Measure("coco_rouge_l", "ROUGE-L, coco", "pycocoevalcap: beta 1.2, no stems", 1, _WORDS),
        Measure("meteor", "METEOR exact+stem", meteor.VARIANT, 1, _WORDS),
        Measure("cider", "CIDEr", cider.VARIANT, 1, f"{_WORDS}; it hangs on the set of references", 10.0),
        Measure("cider_d", "CIDEr-D", cider.VARIANT_D, 1, f"{_WORDS}; it hangs on the set", 10.0),
        *(
            Measure(
                f"rule_chexpert_f1_{kind}_{number}",
                f"rule CheXpert F1 {kind}, {number}",
                rule_chexpert.VARIANT,
                1,
                _RULES,
            )
            for kind in ("micro", "macro")
            for number in (14, 5)
        ),
        Measure("made_up", "made up, of findings said", _SAID, -1, _RULES),
        Measure("left_out", "left out, of true findings", _TRUE, -1, _RULES),
        Measure(
            "flipped", "turned round, of shared findings", "rule labels; of those both speak of", -1, _RULES
        ),
        Measure("swapped", "other side, of sided findings", _SIDED, -1, _RULES),
        Measure("failed", "could not be read", "no prediction, or no report in it", -1, "what is in it"),
        Measure("length", "words per reference word", "of all texts together", 0, "everything else", None),
        *(
            Measure(
                f"{one.name}{suffix}",
                f"{one.label}{words}",
                one.variant,
                1,
                "sides and denials in part" if one.name != "meteor_1_5" else _WORDS,
            )
            for one in WEIGHTED
            for suffix, words in (
                [(f"_{k}_{n}", f" {k}, {n}") for k in ("micro", "macro") for n in (14, 5)]
                if one.is_labels
                else [("", "")]
            )
        ),
        Measure("green", "GREEN", "by a judge at an endpoint, question green-1", 1, "what it misses"),
        Measure("radcliq_v1", "RadCliQ-v1", radcliq.VARIANT, -1, "what its four parts don't see", None),
    )
}
VQA_MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("score", "score", answers.VARIANT, 1, "synonyms; a right answer in other words is wrong"),
        Measure(
            "as_published",
            "score as published",
            "as above, but only case is forgiven",
            1,
            "marks and articles",
        ),
        Measure("word_f1", "F1 of words", "of the words without case, marks and articles", 1, "their order"),
        Measure("failed", "could not be read", "no prediction, no answer, or none of the options", -1, ""),
    )
}
GROUNDING_MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "mean_iou", "matched IoU", f"{grounding.VARIANT}; unmatched boxes are 0", 1, "what a box is of"
        ),
        *(
            Measure(
                f"{kind}_{round(100 * threshold)}",
                f"{kind if kind != 'f1' else 'F1'} at {threshold:g}",
                grounding.VARIANT,
                1,
                "what a box is of; how near above the threshold",
            )
            for threshold in grounding.THRESHOLDS
            for kind in ("precision", "recall", "f1")
        ),
        Measure("pointing", "pointing game", "middle of the first box in a true one", 1, "size and number"),
        Measure("pixel_precision", "pixel precision", "of the unions of boxes", 1, "number of boxes"),
        Measure("pixel_recall", "pixel recall", "of the unions of boxes", 1, "number of boxes"),
        Measure("invalid", "invalid boxes", "share of boxes that can't be regions", -1, "where others lie"),
    )
}
