"""What a person asks of the arena."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepmedix_review.registry.models import ModelVersion


@dataclass(frozen=True)
class RecordedFile:
    """Judgements made elsewhere. `leaves_out`: what matches no pair is left out; else it refuses the file."""

    path: Path
    called: str
    leaves_out: bool = False


@dataclass(frozen=True, kw_only=True)
class WantedRun:
    """What a person asks for. The judge is one of three: one on a server (`url`, `served_model`, `key_name`),
    a version in a worker's memory (`judge_version`), or who made the judgements in a file (`recorded`, with
    `served_model` as their name). Without any the board is of experts' votes alone. `limits` are the fields
    of `rl_feedback.evaluation.arena.Limits`."""

    title: str
    versions: Sequence[ModelVersion]
    url: str = ""
    served_model: str = ""
    key_name: str = ""
    revision: str = ""
    judge_version: ModelVersion | None = None
    recorded: RecordedFile | None = None
    prompt_version: str = "arena-1"
    seed: int = 1
    random_share: float = 0.2
    num_wanted: int = 200
    limits: Mapping[str, Any] = field(default_factory=dict)
