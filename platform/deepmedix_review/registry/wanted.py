"""How a model from outside shall be registered: its preset, and what differs from that."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from inference.presets import PRESETS, ServingPreset
from inference.regions import Frame

LONGEST_NAME = LONGEST_LICENCE = 80
LONGEST_LIMITS = 500
HOTTEST = 2.0
MOST_NEW_TOKENS = 32_768
# In words, where a preset would be a guess: of completions that were made elsewhere.
NOT_TOLD = "not told"


@dataclass(frozen=True)
class WantedVersion:
    """`preset` is a key of PRESETS; what is empty or None is as that says."""

    preset: str
    name: str = ""
    licence: str = ""
    limits: str = ""
    box_frame: str = ""
    temperature: float | None = None
    max_new_tokens: int | None = None

    def settings(self) -> ServingPreset:
        """The preset with what differs. Raises RefusedByRule, saying the way out, for what no model has."""
        preset = PRESETS.get(self.preset)
        if preset is None:
            raise RefusedByRule(f"There is no preset {self.preset}. There are {', '.join(PRESETS)}.")
        for said, longest, word in (
            (self.name, LONGEST_NAME, "name"),
            (self.licence, LONGEST_LICENCE, "licence"),
            (self.limits, LONGEST_LIMITS, "limits of the licence"),
        ):
            if len(said.strip()) > longest:
                raise RefusedByRule(f"Write the {word} in at most {longest} characters.")
        if self.box_frame and self.box_frame not in set(Frame):
            raise RefusedByRule(f"There is no box frame {self.box_frame}. There are {', '.join(Frame)}.")
        if self.temperature is not None and not 0 <= self.temperature <= HOTTEST:
            raise RefusedByRule(f"The temperature is a number from 0 to {HOTTEST:g}.")
        if self.max_new_tokens is not None and not 1 <= self.max_new_tokens <= MOST_NEW_TOKENS:
            raise RefusedByRule(f"An output has 1 to {MOST_NEW_TOKENS} tokens.")
        return replace(
            preset,
            name=self.name.strip() or preset.name,
            licence=self.licence.strip() or preset.licence,
            limits=self.limits.strip() or preset.limits,
            box_frame=Frame(self.box_frame or preset.box_frame),
            temperature=preset.temperature if self.temperature is None else self.temperature,
            max_new_tokens=self.max_new_tokens or preset.max_new_tokens,
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "WantedVersion":
        return cls(**told)
