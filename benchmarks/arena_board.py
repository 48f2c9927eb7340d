"""How long a board of 1,000,000 battles between 50 models takes, with 200 bootstrap draws."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.report import Figure, Peer

NUM_BATTLES, NUM_MODELS, NUM_DRAWS, NUM_STUDIES = 1_000_000, 50, 200, 10_000
NUM_RUNS = 5
SEED = 1


def run() -> list[Figure]:
    import evalica

    from rl_feedback.evaluation.arena import bradley_terry

    rng = np.random.default_rng(SEED)
    strength = 0.7 * rng.normal(size=NUM_MODELS)
    left = rng.integers(NUM_MODELS, size=NUM_BATTLES)
    right = (left + rng.integers(1, NUM_MODELS, size=NUM_BATTLES)) % NUM_MODELS
    won = rng.random(NUM_BATTLES) < 1 / (1 + np.exp(strength[right] - strength[left]))
    outcome = np.where(rng.random(NUM_BATTLES) < 0.15, 0.5, won)
    study = rng.integers(NUM_STUDIES, size=NUM_BATTLES)
    names = np.array([f"model-{n}" for n in range(NUM_MODELS)])
    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    told = left.tolist(), right.tolist(), [winner[end] for end in outcome.tolist()]
    peer = Peer(
        "evalica's ratings of the same battles, without intervals",
        _processor_seconds(
            lambda: evalica.bradley_terry(*told, tie_weight=0.5, tolerance=1e-9, limit=10_000)
        ),
    )
    works: dict[str, Callable[[], object]] = {
        "battles, models by number": lambda: bradley_terry(left, right, outcome, num_draws=NUM_DRAWS),
        "battles, models by name": lambda: bradley_terry(
            names[left], names[right], outcome, num_draws=NUM_DRAWS
        ),
        f"battles, drawn by {NUM_STUDIES:,} studies": lambda: bradley_terry(
            left, right, outcome, study=study, num_draws=NUM_DRAWS
        ),
    }
    return [
        Figure(
            f"{NUM_BATTLES:,} {name}, {NUM_MODELS} models, {NUM_DRAWS} draws, processor time",
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
