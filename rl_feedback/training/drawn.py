"""Drawn films with their ideal reasoning: shown again against forgetting, or followed where readers wrote
too few texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from inference.phantoms import REPORT_QUERY, TRAIN_SEEDS, draw_phantom, ideal_reasoning
from rl_feedback.training.config import SftConfig
from rl_feedback.training.films import Films

# So that a run does not follow the films that it replays in its first steps.
_STREAM = 1


@dataclass(frozen=True)
class DrawnText:
    """The film of one patient of a site, and what is to be said of it. It is drawn when it is shown."""

    seed: int
    site: str
    weight: float = 1.0

    def shown(self, films: Films) -> tuple[Image.Image, str, str]:
        """The film as the model sees it, the question, and the text, whose regions are in that film's
        pixels."""
        phantom = draw_phantom(seed=self.seed, site=self.site)
        image = films.prepared(phantom.to_uint8())
        text = ideal_reasoning(phantom.truth, width=image.width, height=image.height)
        return image, REPORT_QUERY, text


def num_to_fill(config: SftConfig, num_texts: int) -> int:
    """How many drawn films stand beside so many texts.

    >>> num_to_fill(SftConfig(fill_up_to=60), 3), num_to_fill(SftConfig(), 3)
    (57, 0)
    """
    return max(0, config.fill_up_to - num_texts)


def drawn_to_fill(config: SftConfig, num_texts: int) -> Sequence[DrawnText]:
    """Different patients, the same for the same seed."""
    rng = np.random.default_rng([config.seed, _STREAM])
    seeds = rng.choice(len(TRAIN_SEEDS), size=num_to_fill(config, num_texts), replace=False)
    return [DrawnText(TRAIN_SEEDS[int(seed)], config.replay_site) for seed in seeds]
