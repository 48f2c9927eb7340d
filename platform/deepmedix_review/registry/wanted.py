"""How a model from outside shall be registered: its preset, and what differs from that."""

import re
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
LONGEST_HUB_ID = 200
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
# A commit, since a branch or a tag may move.
HUB_REVISION = re.compile(r"[0-9a-f]{40}")
# In words, where a preset would be a guess: of completions that were made elsewhere.
NOT_TOLD = "not told"


@dataclass(frozen=True)
class WantedVersion:
    """`preset` is a key of PRESETS; what is empty or None is as that says. `hub_id` and `hub_revision`: where
    a folder's files were fetched at Hugging Face, if they were."""

    preset: str
    name: str = ""
    licence: str = ""
    limits: str = ""
    box_frame: str = ""
    temperature: float | None = None
    max_new_tokens: int | None = None
    hub_id: str = ""
    hub_revision: str = ""

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
        self.fetched_from()
        return replace(
            preset,
            name=self.name.strip() or preset.name,
            licence=self.licence.strip() or preset.licence,
            limits=self.limits.strip() or preset.limits,
            box_frame=Frame(self.box_frame or preset.box_frame),
            temperature=preset.temperature if self.temperature is None else self.temperature,
            max_new_tokens=self.max_new_tokens or preset.max_new_tokens,
        )

    def fetched_from(self) -> dict[str, str]:
        """The version's fields of the name at Hugging Face and the commit. Raises RefusedByRule for what is
        neither, and where one is said without the other."""
        hub_id, revision = self.hub_id.strip(), self.hub_revision.strip().lower()
        if bool(hub_id) != bool(revision):
            raise RefusedByRule(
                "Name both, the Hugging Face id and the revision that was fetched, or neither."
            )
        if hub_id and (len(hub_id) > LONGEST_HUB_ID or not HUB_ID.fullmatch(hub_id)):
            raise RefusedByRule("A Hugging Face id is written owner/name, such as Qika/DeepMedix-R1.")
        if revision and not HUB_REVISION.fullmatch(revision):
            raise RefusedByRule(
                "A revision is a commit of 40 hexadecimal digits: a branch or a tag may mean others later."
            )
        return {"hub_id": hub_id, "hub_revision": revision}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "WantedVersion":
        return cls(**told)
