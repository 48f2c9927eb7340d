"""Scores a model's reports against the references by every measure, and says which could not be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rl_feedback.evaluation import findings
from rl_feedback.evaluation.columns import Columns, read_at
from rl_feedback.evaluation.reports import bleu, rule_chexpert
from rl_feedback.evaluation.reports.cider import cider, rarity_of
from rl_feedback.evaluation.reports.green import Ask, green
from rl_feedback.evaluation.reports.meteor import meteor
from rl_feedback.evaluation.reports.radcliq import radcliq_v1
from rl_feedback.evaluation.reports.weighted import MEASURES, Unavailable
from rl_feedback.evaluation.reports.words import tokens_13a, words
from rl_feedback.evaluation.statistics import Scored
from rl_feedback.rewards.lexical import longest_common, longest_f1, stems

COCO_BETA = 1.2
F1_KINDS = tuple(
    (f"{kind}_{number}", number == 5, kind == "macro") for kind in ("micro", "macro") for number in (14, 5)
)


@dataclass(frozen=True, eq=False)
class ReportScores:
    """`unavailable` tells of each measure without figures the reason and the way to it."""

    scored: Scored
    unavailable: dict[str, tuple[str, str]]


def coco_rouge_l(given: Sequence[str], wanted: Sequence[str]) -> float:
    """ROUGE-L as pycocoevalcap has it: recall weighs 1.2 squared times as much as precision, no stems.

    >>> round(coco_rouge_l(["no", "effusion"], ["no", "left", "effusion"]), 4)
    0.7722
    """
    shared = longest_common(given, wanted)
    if not shared:
        return 0.0
    precision, recall = shared / len(given), shared / len(wanted)
    return (1 + COCO_BETA**2) * precision * recall / (recall + COCO_BETA**2 * precision)


def score_words(given: Sequence[str], wanted: Sequence[str]) -> Scored:
    """By the measures that need no weights; `wanted` are all references of the set: CIDEr hangs on them."""
    table = Columns()
    pairs = list(zip(given, wanted, strict=True))
    counts = table.take([bleu.counts_of(tokens_13a(a), tokens_13a(b)) for a, b in pairs])
    for order in range(1, bleu.MAX_ORDER + 1):
        table.measures[f"bleu_{order}"] = read_at(counts, partial(bleu.bleu_of, order=order))
    table.mean("rouge_l", [longest_f1(stems(a), stems(b)) for a, b in pairs])
    table.mean("coco_rouge_l", [coco_rouge_l(words(a), words(b)) for a, b in pairs])
    table.mean("meteor", [meteor(words(a), words(b)) for a, b in pairs])
    rarity = rarity_of(words(b) for b in wanted)
    ciders = [cider(words(a), words(b), rarity) for a, b in pairs]
    table.mean("cider", [plain for plain, _ in ciders])
    table.mean("cider_d", [clipped for _, clipped in ciders])
    counts = table.take([rule_chexpert.counts_of(a, b) for a, b in pairs])
    for suffix, of_five, is_macro in F1_KINDS:
        f1 = partial(rule_chexpert.f1_of, of_five=of_five, is_macro=is_macro)
        table.measures[f"rule_chexpert_f1_{suffix}"] = read_at(counts, f1)
    compared = [findings.compare_findings(a, b) for a, b in pairs]
    table.share("made_up", [(one.made_up, one.num_said) for one in compared], of_findings=True)
    table.share("left_out", [(one.left_out, one.num_true) for one in compared], of_findings=True)
    table.share("flipped", [(one.flipped, one.num_shared) for one in compared], of_findings=True)
    table.share("swapped", [(one.swapped, one.num_sided) for one in compared], of_findings=True)
    table.share("length", [(len(words(a)), len(words(b))) for a, b in pairs])
    return table.scored()


def score_reports(
    given: Sequence[str],
    wanted: Sequence[str],
    *,
    with_weights: bool = True,
    with_java: bool = False,
    ask: Ask | None = None,
    radcliq_parts: Sequence[Sequence[float] | None] = (),
) -> ReportScores:
    """By every measure. `ask` is the judge of GREEN, `radcliq_parts` what RadCliQ is made of where that was
    computed elsewhere; without them, and without weights, a measure is unavailable and says why."""
    words_alone = score_words(given, wanted)
    table = Columns(words_alone)
    unavailable: dict[str, tuple[str, str]] = {}
    for one in MEASURES:
        names = [f"{one.name}_{suffix}" for suffix, _, _ in F1_KINDS] if one.is_labels else [one.name]
        try:
            if not with_weights:
                raise Unavailable("only measures without weights were asked for", "leave out --weight-free")
            if one.is_java and not with_java:
                raise Unavailable(
                    "it is a Java program, which was not asked for",
                    "on the command line, ask with --with-java",
                )
            scores = one.scores(given, wanted)
        except Unavailable as error:
            unavailable |= dict.fromkeys(names, (error.reason, error.way_out))
            continue
        if not one.is_labels:
            table.mean(one.name, scores)
            continue
        ours, theirs = scores[: len(given)] > 0, scores[len(given) :] > 0
        counts = table.take(np.hstack([ours & theirs, ours & ~theirs, theirs & ~ours]))
        for name, (_, of_five, is_macro) in zip(names, F1_KINDS, strict=True):
            table.measures[name] = read_at(
                counts, partial(rule_chexpert.f1_of, of_five=of_five, is_macro=is_macro)
            )
    try:
        if ask is None:
            raise Unavailable("no judge was named", "name one with --green URL and --green-model NAME")
        table.mean("green", green(given, wanted, ask))
    except Unavailable as error:
        unavailable["green"] = (error.reason, error.way_out)
    parts = [one for one in radcliq_parts if one is not None]
    if len(parts) == len(given):
        table.mean("radcliq_v1", radcliq_v1(np.array(parts, dtype=np.float64)))
    else:
        unavailable["radcliq_v1"] = (
            f"its parts are given for {len(parts)} of {len(given)} reports",
            "run rajpurkarlab/CXR-Report-Metric, which needs CheXbert's and RadGraph's weights, and put "
            "radgraph, bertscore, semb and bleu_2 into radcliq_parts of each prediction",
        )
    return ReportScores(table.scored(), unavailable)
