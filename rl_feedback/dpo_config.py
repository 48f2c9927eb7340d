"""How a retraining from preferences is to be done, what it learns from, and what it tells while it runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from inference.phantoms import TAUGHT_SITES

PAIRS_FILE = "pairs.jsonl"


@dataclass(frozen=True)
class DpoConfig:
    """Every choice of a DPO run. Raises ValueError, naming the field, for a choice that can't work.

    The defaults suit the shipped model on tens to hundreds of pairs.
    """

    num_steps: int = 60
    """Optimizer steps."""
    pairs_per_step: int = 8
    """Pairs drawn for each step, with chances as their weights."""
    learning_rate: float = 1e-4
    """Peak of AdamW's rate: linear warm-up over a tenth of the steps, then cosine decay to 0."""
    beta: float = 0.1
    """How strongly the candidate is tied to its parent (DPO, Rafailov et al. 2023, eq. 7)."""
    sft_weight: float = 1.0
    """Weight of the likelihood of the chosen texts beside DPO's loss of 1; keeps grounding from decaying."""
    replay_weight: float = 1.0
    """Weight of the likelihood of ideal reasoning on drawn films, against forgetting; phantom models only."""
    replay_films_per_step: int = 8
    """Drawn films replayed in each step; 0 for models that were not trained on drawn films."""
    replay_site: str = "first"
    """Site of the replayed films, one of inference.phantoms.TAUGHT_SITES: no other site's truth trains."""
    lora_rank: int = 16
    """Rank of the adapters that are trained and then merged (LoRA, Hu et al. 2021)."""
    lora_alpha: int = 32
    """Scale of the adapters, over the rank."""
    adapts_vision: bool = False
    """Adapt the vision tower too, not the language model alone."""
    checkpoint_every: int = 10
    """Steps between checkpoints: what a kill costs at most."""
    seed: int = 7
    """Draws adapters, pairs and replayed films: the same seed and data give the same run on one machine."""
    num_threads: int = 1
    """Processor threads; on two cores that others share, one was ten times faster than two (measured)."""
    precision: str = "float32"
    """float32, or bfloat16 on devices that have it."""

    def __post_init__(self) -> None:
        for name in (
            "num_steps",
            "pairs_per_step",
            "lora_rank",
            "lora_alpha",
            "checkpoint_every",
            "num_threads",
        ):
            _require(
                _is_int(getattr(self, name)) and getattr(self, name) >= 1,
                name,
                "a whole number of at least 1",
            )
        for name in ("learning_rate", "beta"):
            _require(_is_number(getattr(self, name)) and getattr(self, name) > 0, name, "a number above 0")
        for name in ("sft_weight", "replay_weight"):
            _require(
                _is_number(getattr(self, name)) and getattr(self, name) >= 0, name, "a number of at least 0"
            )
        _require(
            _is_int(self.replay_films_per_step) and self.replay_films_per_step >= 0,
            "replay_films_per_step",
            "a whole number of at least 0",
        )
        _require(_is_int(self.seed) and 0 <= self.seed < 2**32, "seed", "a whole number from 0 to 2^32 - 1")
        _require(self.num_steps <= 100_000, "num_steps", "at most 100000")
        _require(self.pairs_per_step <= 1024, "pairs_per_step", "at most 1024")
        _require(self.learning_rate <= 0.1, "learning_rate", "at most 0.1")
        _require(isinstance(self.adapts_vision, bool), "adapts_vision", "true or false")
        _require(self.replay_site in TAUGHT_SITES, "replay_site", f"one of {', '.join(TAUGHT_SITES)}")
        _require(self.precision in ("float32", "bfloat16"), "precision", "float32 or bfloat16")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The config with the given fields, all others at their default; an unknown field is refused by name.

        >>> DpoConfig.from_json({"num_steps": 5}).num_steps
        5
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"There is no setting {', '.join(unknown)}; the settings are {', '.join(sorted(known))}."
            )
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TrainingPair:
    """Two texts on one film. `film` is a DICOM file, absolute or below the data folder; `prompt` follows the
    image."""

    film: str
    prompt: str
    chosen: str
    rejected: str
    weight: float
    origin: str


@dataclass(frozen=True)
class FilmView:
    """How the parent sees a film; see `inference.images.prepare_image`. Areas in pixels."""

    preparation: str
    min_pixels: int
    max_pixels: int


@dataclass(frozen=True)
class StepFigures:
    """One step of a run. `margin` is the mean reward of chosen over rejected, `accuracy` the share of pairs
    in which the chosen has the higher reward."""

    step: int
    num_steps: int
    loss: float
    margin: float
    accuracy: float


def write_pairs(folder: Path, pairs: Iterable[TrainingPair]) -> Path:
    """Write the pairs as JSON lines into a data folder that `python -m rl_feedback dpo --data` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAIRS_FILE
    path.write_text(
        "".join(json.dumps(asdict(pair), sort_keys=True) + "\n" for pair in pairs), encoding="utf-8"
    )
    return path


def read_pairs(folder: Path) -> tuple[TrainingPair, ...]:
    """The pairs of a data folder. Raises ValueError, naming file and line, for what is no pair."""
    path = folder / PAIRS_FILE
    if not path.is_file():
        raise ValueError(
            f"There are no pairs in {folder}: {PAIRS_FILE} is missing. Export a data set to it first."
        )
    pairs = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            pairs.append(TrainingPair(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}, is no pair: {error}") from error
    return tuple(pairs)


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {what}.")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
