"""How many completions of one film are asked for, and by which draws."""

from dataclasses import dataclass

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.wanted import HOTTEST

MOST_SAMPLES = 8
LAST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Draws:
    """`num_samples` completions at one temperature, by the seeds `first_seed`, `first_seed` + 1 …"""

    num_samples: int
    temperature: float
    first_seed: int

    @property
    def seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.num_samples)


@dataclass(frozen=True)
class Sampling:
    """What is asked for: `num_samples` completions of each film, from `first_seed` on. `temperature`: 0 takes
    the likeliest token each time, None is the version's own."""

    num_samples: int = 2
    temperature: float | None = None
    first_seed: int = 1

    def of(self, version: ModelVersion) -> Draws:
        """As this version draws. Without chance every sample is the same: then it is one, by seed 1.

        Raises RefusedByRule for what can't be drawn.
        """
        temperature = version.temperature if self.temperature is None else self.temperature
        if not 1 <= self.num_samples <= MOST_SAMPLES:
            raise RefusedByRule(f"Ask for 1 to {MOST_SAMPLES} completions of each study.")
        if not 0 <= temperature <= HOTTEST:
            raise RefusedByRule(f"The temperature is a number from 0 to {HOTTEST:g}.")
        if not 1 <= self.first_seed <= LAST_SEED - self.num_samples + 1:
            raise RefusedByRule(f"Seeds are whole numbers from 1 to {LAST_SEED:,}.")
        if temperature == 0:
            return Draws(1, temperature, 1)
        return Draws(self.num_samples, temperature, self.first_seed)


TWO = Sampling()
