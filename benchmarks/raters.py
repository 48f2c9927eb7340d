"""How long readers' severity and reliability take to find in 100,000 ratings, votes and verdicts."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.report import Figure, Peer

NUM_WORDS, NUM_READERS, READERS_PER_ITEM = 100_000, 20, 3
NUM_RUNS = 3
SEED = 1


def run() -> list[Figure]:
    from rl_feedback.agreement import krippendorff_alpha
    from rl_feedback.raters import VERDICTS, fit_ratings, fit_verdicts, fit_votes

    rng = np.random.default_rng(SEED)
    num_items = NUM_WORDS // READERS_PER_ITEM
    items = np.repeat(np.arange(num_items), READERS_PER_ITEM)
    readers = rng.permuted(np.tile(np.arange(NUM_READERS), (num_items, 1)), axis=1)[
        :, :READERS_PER_ITEM
    ].ravel()
    blur = np.exp(0.4 * rng.normal(size=NUM_READERS))[readers] * rng.logistic(size=len(items)) / 1.8
    seen = rng.normal(size=num_items)[items] - 0.6 * rng.normal(size=NUM_READERS)[readers] + blur
    ratings = 1 + np.digitize(seen, [-1.6, -0.6, 0.3, 1.2])
    truth = rng.choice(3, num_items, p=[0.7, 0.2, 0.1])[items]
    guess = rng.choice(3, len(items))
    verdicts = np.array(VERDICTS)[np.where(rng.random(len(items)) < 0.8, truth, guess)]
    swapped = rng.random(len(items)) < 0.5
    first, second = 2 * items, 2 * items + 1
    for_first = np.where(np.abs(seen) < 0.3, "tie", np.where((seen > 0) != swapped, "a", "b"))
    table = np.full((NUM_READERS, num_items), np.nan)
    table[readers, items] = ratings
    peer = Peer(
        "Krippendorff's alpha of the same ratings, which tells no reader from another, with 1,000 draws",
        _processor_seconds(lambda: krippendorff_alpha(table, "ordinal")),
    )
    works: dict[str, Callable[[], object]] = {
        "ratings": lambda: fit_ratings(items, readers, ratings),
        "votes": lambda: fit_votes(
            np.where(swapped, second, first), np.where(swapped, first, second), readers, for_first
        ),
        "verdicts": lambda: fit_verdicts(items, readers, verdicts),
    }
    return [
        Figure(
            f"{len(items):,} {name} of {NUM_READERS} readers, processor time",
            _processor_seconds(work),
            "s",
            peer,
            NUM_RUNS,
        )
        for name, work in works.items()
    ]


def _processor_seconds(work: Callable[[], object]) -> float:
    """The median run: the same however busy the machine is."""
    seconds = []
    for _ in range(NUM_RUNS):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return sorted(seconds)[NUM_RUNS // 2]
