"""Where an evaluation comes from: versions, what was asked and right, what was written, and the seed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence

from rl_feedback.evaluation.samples import Sample, System
from rl_feedback.evaluation.settings import Settings

_VERSIONS_OF = ("deepmedix-review", "numpy", "scipy", "nltk")


def provenance_of(samples: Sequence[Sample], systems: Sequence[System], settings: Settings) -> dict[str, str]:
    told = {"python": platform.python_version()}
    told |= {name: importlib.metadata.version(name) for name in _VERSIONS_OF}
    told["references"] = f"{len(samples)} samples, sha256 {data_hash(samples)}"
    for system in systems:
        told[f"predictions of {system.name}"] = f"sha256 {system.sha256}"
        told[f"prompts of {system.name}"] = _prompt_hash(system)
    told["draws of studies"] = str(settings.num_draws)
    told["exchanges of outputs"] = str(settings.num_shuffles)
    told["seed"] = str(settings.seed)
    if settings.judge:
        told["judge of GREEN"] = settings.judge
    return told


def data_hash(samples: Sequence[Sample]) -> str:
    """Of what is asked and what is right, whatever file it came from."""
    digest = hashlib.sha256()
    for one in samples:
        row = (one.uid, one.task, one.dataset, one.category, one.study, one.question, one.reference)
        digest.update(json.dumps([*row, one.options, one.boxes, one.image_size]).encode() + b"\n")
    return digest.hexdigest()


def _prompt_hash(system: System) -> str:
    prompts = [one.prompt for one in system.own if one is not None]
    if not any(prompts):
        return "not told"
    digest = hashlib.sha256("\n".join(prompts).encode()).hexdigest()
    return f"{len(set(prompts))} different, sha256 {digest}"
