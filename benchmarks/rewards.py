"""How many completions a second the rewards score: both of them, beside the libraries that the published one
calls."""

import random
import statistics
import time
from collections.abc import Callable

from benchmarks.report import Figure, Peer

NUM_FILMS = 125
GROUP = 8  # completions of one film, as GRPO draws them
NUM_RUNS = 3


def run() -> list[Figure]:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
    from rouge_score.rouge_scorer import RougeScorer

    from inference.grounding import format_completion
    from inference.phantoms import HELD_OUT_SEEDS, draw_phantom, ideal_reasoning, reference_report
    from rl_feedback.rewards import CaseTruth, grounded_reward, paper_reward, phantom_case

    drawn = [draw_phantom(seed=seed, width=56, height=56).truth for seed in HELD_OUT_SEEDS[:NUM_FILMS]]
    reports = [reference_report(truth).findings for truth in drawn for _ in range(GROUP)]
    cases = [
        CaseTruth(report, case.regions, case.image_size, case.model_size, case.box_frame)
        for report, case in zip(
            reports, (phantom_case(truth) for truth in drawn for _ in range(GROUP)), strict=True
        )
    ]
    steps = [
        ideal_reasoning(truth).removeprefix("<think> ").partition(" </think>")[0].split("; ")
        for truth in drawn
        for _ in range(GROUP)
    ]
    scorer, smoothing = RougeScorer(["rouge1"], use_stemmer=True), SmoothingFunction().method2

    def by_libraries(answers: list[str]) -> None:
        for answer, report in zip(answers, reports, strict=True):
            for weights in ((1, 0, 0, 0), (0.25,) * 4):
                sentence_bleu([report], answer, weights=weights, smoothing_function=smoothing)
            scorer.score(answer, report)

    def by_ours(answers: list[str]) -> None:
        grounded_reward(list(map(format_completion, steps, answers)), cases)

    def by_published(answers: list[str]) -> None:
        paper_reward(list(map(format_completion, steps, answers)), reports)

    libraries = _per_second(by_libraries, reports)
    peer = Peer("nltk and rouge-score, for the published reward's words alone", libraries)
    number = len(reports) * NUM_RUNS
    return [
        Figure("completions by our reward", _per_second(by_ours, reports), "per second", peer, number),
        Figure(
            "completions by the published reward, our code",
            _per_second(by_published, reports),
            "per second",
            peer,
            number,
        ),
    ]


def _per_second(work: Callable[[list[str]], None], reports: list[str]) -> float:
    """Median over runs. Each run has other answers, one word in ten left out, as nothing that is remembered
    of the last one should help; the first warms up."""
    dice = random.Random(0)
    seconds = []
    for _ in range(NUM_RUNS + 1):
        answers = [" ".join(word for word in report.split() if dice.random() > 0.1) for report in reports]
        begin = time.perf_counter()
        work(answers)
        seconds.append(time.perf_counter() - begin)
    return len(reports) / statistics.median(seconds[1:])
