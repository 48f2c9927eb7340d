"""Checks a bundle as a cluster would use it: its tables are loaded, and its reward scores on its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from inference.grounding import format_completion
from inference.regions import to_model_box
from rl_feedback.bundle.manifest import require_whole
from rl_feedback.rewards import CaseTruth, grounded_reward, paper_reward

NEEDED = ("numpy", "scipy", "nltk")
NUM_SCORED = 64
SCORING_SECONDS = 120
# As EasyR1 loads it: from its file, under a name of its own. Nothing of this installation is on the path but
# the folder of the three libraries, after everything else.
_SCORE = """
import importlib.util, json, sys
bundle, reward = sys.argv[1:3]
sys.path += sys.argv[3:]
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("custom_reward_fn", bundle + "/reward.py")
module = importlib.util.module_from_spec(spec)
sys.modules["custom_reward_fn"] = module
spec.loader.exec_module(module)
ours = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] in ("rl_feedback", "inference")]
scores = module.compute_score(json.load(sys.stdin), reward=reward)
print(json.dumps({"scores": scores, "loaded": ours}))
"""


@dataclass(frozen=True)
class CheckedBundle:
    num_train: int
    num_validation: int
    num_scored: int


def check_bundle(folder: Path) -> CheckedBundle:
    """Raises ValueError, saying what is wrong, unless every file is as written, both tables load with their
    films, and `compute_score` gives in a process of its own what is given here."""
    folder = folder.resolve()
    manifest = require_whole(folder)
    tables = {name: _load(folder, name) for name in ("train", "val")}
    if (len(tables["train"]), len(tables["val"])) != (manifest.num_train, manifest.num_validation):
        raise ValueError("The tables do not hold as many cases as the manifest says. Export it again.")
    known = [row["answer"] for rows in tables.values() for row in rows][:NUM_SCORED]
    attempts = [(text, truth) for truth in known for text in _attempts(json.loads(truth))]
    for reward in ("grounded", "paper"):
        _require_same_scores(folder, attempts, reward)
    return CheckedBundle(manifest.num_train, manifest.num_validation, len(attempts))


def _load(folder: Path, name: str) -> list[dict[str, Any]]:
    from datasets import load_dataset

    # In memory: the check leaves nothing in the cache of whoever runs it.
    rows = load_dataset("parquet", data_files=str(folder / f"{name}.parquet"), split="train", streaming=True)
    found = list(rows)
    for row in found:
        if row["problem"].count("<image>") != len(row["images"]):
            raise ValueError(f"A question in {name}.parquet names more films or fewer than it has.")
        truth = CaseTruth.from_columns(json.loads(row["answer"]))
        with Image.open(folder / row["images"][0]) as image:
            if truth.regions is not None and image.size != tuple(truth.model_size):
                raise ValueError(f"{row['images'][0]} is not of the size that its regions are counted on.")
    return found


def _attempts(known: dict[str, Any]) -> tuple[str, ...]:
    """What a model might write of a case: nothing, the answer alone, everything right, and one box moved."""
    truth = CaseTruth.from_columns(known)
    in_frame = partial(
        to_model_box, frame=truth.box_frame, model_size=truth.model_size, image_size=truth.image_size
    )
    boxes = [(one.finding, [round(v) for v in in_frame(one.box)]) for one in truth.regions or ()]
    right = format_completion([f"{finding} {box}" for finding, box in boxes] or ["clear"], truth.answer)
    moved = format_completion(
        [f"{finding} {[v + 9 for v in box]}" for finding, box in boxes] or ["unclear"], truth.answer
    )
    return "", f"\\boxed{{{truth.answer}}}", right, moved


def _require_same_scores(folder: Path, attempts: Sequence[tuple[str, str]], reward: str) -> None:
    asked = [
        {"response": text, "response_length": len(text), "ground_truth": truth} for text, truth in attempts
    ]
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _SCORE, str(folder), reward, *_library_folders()],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=SCORING_SECONDS,
        check=False,
    )
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["no word"])[-1]
        raise ValueError(f"The bundle's reward can't be called on its own: {last}")
    answer = json.loads(told.stdout)
    if not all(Path(path).is_relative_to(folder / "reward_code") for path in answer["loaded"]):
        raise ValueError("The bundle's reward took code from outside the bundle.")
    texts, truths = [text for text, _ in attempts], [json.loads(truth) for _, truth in attempts]
    expected = (
        [one.overall for one in paper_reward(texts, [truth["answer"] for truth in truths])]
        if reward == "paper"
        else [one.overall for one in grounded_reward(texts, [CaseTruth.from_columns(t) for t in truths])]
    )
    given = [score["overall"] for score in answer["scores"]]
    if len(given) != len(expected) or not all(map(math.isclose, given, expected)):
        raise ValueError(f"The bundle's {reward} reward scores otherwise than the code here. Export anew.")


def _library_folders() -> list[str]:
    specs = [find_spec(name) for name in NEEDED]
    return sorted({str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin})
