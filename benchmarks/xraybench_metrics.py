"""How long all measures without weights take on as many samples as XrayBench has, and how much memory they
take: scored, drawn anew for intervals, and written as a page."""

import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Peer

LIMIT_S = 60.0
LIMIT_MB = 2000.0
NUM_REPORTS = 4547


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        write_made_up(Path(folder))
        seconds, megabytes, num = _apart(_evaluate, folder)
        by_libraries, _, _ = _apart(_by_libraries, folder)
        by_ours, _, _ = _apart(_by_ours, folder)
    return [
        Figure(
            "samples of XrayBench's size measured, with intervals and page",
            seconds,
            "seconds",
            Peer("limit", LIMIT_S),
            int(num),
        ),
        Figure("its memory at most", megabytes, "MB", Peer("limit", LIMIT_MB), int(num)),
        Figure(
            "words of its reports alone: BLEU, ROUGE-L, CIDEr-D, METEOR exact+stem",
            by_ours,
            "seconds",
            Peer("sacrebleu, rouge_score, pycocoevalcap and nltk, the same", by_libraries),
            NUM_REPORTS,
        ),
    ]


def write_made_up(folder: Path) -> None:
    """References and predictions of nobody: sentences that chest reports use, drawn by a seed, of which the
    predictions leave out one word in seven."""
    from rl_feedback.evaluation.xraybench import REPORT_SETS, SIZES

    dice = random.Random(5)
    references, predictions = [], []
    for (dataset, category), number in SIZES.items():
        for place in range(number):
            is_report = dataset in REPORT_SETS
            answer = _report(dice) if is_report else dice.choice(_ANSWERS)
            uid = f"{dataset} {category} {place}"
            references.append(
                {"id": uid, "answer": answer, "dataset": dataset, "category": category, "question": "What?"}
            )
            kept = " ".join(word for word in answer.split() if dice.random() > 1 / 7)
            predictions.append({"id": uid, "text": kept or "?"})
    (folder / "bench").mkdir()
    for path, rows in (("bench/test.jsonl", references), ("model.jsonl", predictions)):
        (folder / path).write_text("\n".join(map(json.dumps, rows)), "utf-8")


_ANSWERS = ("yes", "no", "left lower lobe", "atelectasis|pleural effusion", "PA", "severe", "right lung")
_FINDINGS = ("effusion", "consolidation", "atelectasis", "opacity", "pneumothorax", "edema", "nodule")


def _report(dice: random.Random) -> str:
    """Some 55 words, as MIMIC-CXR's findings have."""
    sentences = []
    for _ in range(dice.randint(5, 10)):
        finding, side = dice.choice(_FINDINGS), dice.choice(("left", "right", "bilateral"))
        size = dice.choice(("small", "moderate", "large", "stable", "new", "unchanged", "subtle"))
        sentences.append(
            dice.choice(
                (
                    f"There is a {size} {side} {finding}.",
                    f"No {finding} is seen on this {dice.choice(('frontal', 'lateral', 'portable'))} view.",
                    f"{size.capitalize()} {side} basilar {finding}, which may reflect infection.",
                    f"The heart is {dice.choice(('normal', 'enlarged', 'top normal'))} in size.",
                    f"Line tip ends {dice.randint(2, 60) / 10} cm above the carina.",
                )
            )
        )
    return " ".join(sentences)


def _apart(work: Any, folder: str) -> tuple[float, float, float]:
    """In a process of its own, for its memory alone: seconds, megabytes at most, what it says."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_told, args=(work, folder, send))
    process.start()
    send.close()
    told: tuple[float, float, float] = receive.recv()
    process.join()
    return told


def _told(work: Any, folder: str, send: Any) -> None:
    begin = time.perf_counter()
    num = work(Path(folder))
    seconds = time.perf_counter() - begin
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    send.send((seconds, most / (1e6 if sys.platform == "darwin" else 1e3), float(num)))


def _evaluate(folder: Path) -> int:
    from rl_feedback.evaluation.evaluating import evaluate
    from rl_feedback.evaluation.printing.writing import write_report
    from rl_feedback.evaluation.samples import read_system
    from rl_feedback.evaluation.settings import Settings
    from rl_feedback.evaluation.xraybench import deviations, read_folder

    samples = read_folder(folder / "bench")
    system = read_system(folder / "model.jsonl", samples)
    report = evaluate(
        samples,
        [system],
        title="made up",
        settings=Settings(with_weights=False),
        deviations=deviations(samples),
    )
    write_report(report, folder / "out")
    if report.deviations:
        raise ValueError(f"These are not XrayBench's sizes: {report.deviations[0]}")
    return len(samples)


def _pairs(folder: Path) -> tuple[list[str], list[str]]:
    texts = []
    for path, key in (("model.jsonl", "text"), ("bench/test.jsonl", "answer")):
        lines = (folder / path).read_text("utf-8").splitlines()
        texts.append([str(json.loads(line)[key]) for line in lines[:NUM_REPORTS]])
    given, wanted = texts
    return given, wanted


def _by_ours(folder: Path) -> int:
    import numpy as np

    from rl_feedback.evaluation.reports.bleu import bleu_of, counts_of
    from rl_feedback.evaluation.reports.cider import cider, rarity_of
    from rl_feedback.evaluation.reports.meteor import meteor
    from rl_feedback.evaluation.reports.words import tokens_13a, words
    from rl_feedback.rewards.lexical import longest_f1, stems

    given, wanted = _pairs(folder)
    pairs = list(zip(given, wanted, strict=True))
    counts = np.array([counts_of(tokens_13a(a), tokens_13a(b)) for a, b in pairs], dtype=np.float64)
    for order in (1, 2, 3, 4):
        bleu_of(counts.sum(axis=0), order=order)
    rarity = rarity_of(words(b) for b in wanted)
    for a, b in pairs:
        longest_f1(stems(a), stems(b))
        cider(words(a), words(b), rarity)
        meteor(words(a), words(b))
    return len(given)


def _by_libraries(folder: Path) -> int:
    from nltk.translate.meteor_score import single_meteor_score
    from pycocoevalcap.cider.cider import Cider
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu import BLEU

    from rl_feedback.evaluation.reports.words import words

    class NoSynonyms:
        def synsets(self, word: str) -> list[object]:
            return []

    given, wanted = _pairs(folder)
    for order in (1, 2, 3, 4):
        BLEU(lowercase=True, max_ngram_order=order).corpus_score(given, [wanted])
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    for a, b in zip(given, wanted, strict=True):
        scorer.score(b, a)
        single_meteor_score(words(b), words(a), wordnet=NoSynonyms())
    theirs = {place: [" ".join(words(text))] for place, text in enumerate(wanted)}
    ours = {place: [" ".join(words(text))] for place, text in enumerate(given)}
    Cider().compute_score(theirs, ours)
    return len(given)
