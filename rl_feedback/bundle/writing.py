"""Writes a bundle: films as the model sees them, what is known of each case, the reward, and how to start."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from inference.engines.folders import folder_sha256
from rl_feedback.bundle.carried_code import copy_reward_code
from rl_feedback.bundle.manifest import NOTHING, seal
from rl_feedback.training.examples import RewardedCase
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView

REWARDS = ("grounded", "paper")
IMAGE_MARK = "<image>"
# EasyR1's default batch; DeepMedix-R1's 6,600 cases fill it, a smaller set takes the largest that it fills.
LARGEST_BATCH = 512
LARGEST_UPDATE = 128
MAX_RESPONSE_TOKENS = 2048


@dataclass(frozen=True)
class BundleFigures:
    """`sha256` is the manifest's own: the bundle's name."""

    sha256: str
    num_train: int
    num_validation: int


def write_bundle(
    folder: Path,
    *,
    train: Sequence[RewardedCase],
    validation: Sequence[RewardedCase],
    data: Path,
    view: FilmView,
    model: Path,
    reward: str = "grounded",
    max_response_tokens: int = MAX_RESPONSE_TOKENS,
    left_out: Mapping[str, int] = NOTHING,
    on_film: Callable[[int], None] = lambda _: None,
) -> BundleFigures:
    """A new folder, whole or not at all. Films are named by their path, absolute or below `data`; `on_film`
    is told how many are written, and what it raises ends the writing. `left_out` is told in the manifest.

    Raises ValueError where a case can't be handed over, and where the folder is not a new one.
    """
    if reward not in REWARDS:
        raise ValueError(f"There is no reward {reward}; choose {' or '.join(REWARDS)}.")
    if not train or not validation:
        raise ValueError("A bundle needs cases to learn from, and at least one to validate on.")
    shared = {case.film for case in train} & {case.film for case in validation}
    if shared:
        raise ValueError(f"{len(shared)} films are on both sides; validate on films of other patients.")
    if folder.exists():
        raise ValueError(f"{folder} is there already. Name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bundle-") as scratch:
        part = Path(scratch) / "bundle"
        (part / "images").mkdir(parents=True)
        films = Films(data, view)
        rows = []
        for row in _rows([*train, *validation], num_train=len(train), films=films, folder=part):
            rows.append(row)
            on_film(len(rows))
        _write_table(part / "train.parquet", rows[: len(train)])
        _write_table(part / "val.parquet", rows[len(train) :])
        batch = _batch(len(train))
        _write_carried(
            part,
            reward=reward,
            num_train=len(train),
            num_validation=len(validation),
            rollout_batch_size=batch,
            global_batch_size=min(batch, LARGEST_UPDATE),
            max_response_length=min(max_response_tokens, MAX_RESPONSE_TOKENS),
            min_pixels=view.min_pixels,
            max_pixels=view.max_pixels,
        )
        copy_reward_code(part / "reward_code")
        sha256 = seal(
            part,
            parent=folder_sha256(model),
            reward=reward,
            num_train=len(train),
            num_validation=len(validation),
            left_out=left_out,
        )
        part.rename(folder)
    return BundleFigures(sha256, len(train), len(validation))


def _rows(
    cases: Sequence[RewardedCase], *, num_train: int, films: Films, folder: Path
) -> Iterator[dict[str, Any]]:
    """Cases are numbered in their order: films' own names stay here."""
    for place, case in enumerate(cases):
        name = f"case-{place + 1:06d}"
        if IMAGE_MARK in case.prompt:
            raise ValueError(f'The question of {name} holds "{IMAGE_MARK}", which would stand for a film.')
        shown = films.film(case.film)
        _require_fitting(name, case, shown)
        shown.convert("L").save(folder / "images" / f"{name}.png")
        yield {
            "problem": IMAGE_MARK + case.prompt,
            "answer": json.dumps(_known(name, case), sort_keys=True),
            "images": [f"images/{name}.png"],
            "split": "train" if place < num_train else "validation",
        }


def _require_fitting(name: str, case: RewardedCase, shown: Image.Image) -> None:
    if case.regions is not None and list(shown.size) != list(case.model_size):
        raise ValueError(
            f"{name} was answered on an image of {case.model_size} pixels, and this model sees "
            f"{list(shown.size)}: its regions would not fit. Choose the preset that the data are of."
        )


def _known(name: str, case: RewardedCase) -> dict[str, Any]:
    return {
        "case": name,
        "answer": case.answer,
        "regions": case.regions,
        "image_size": case.image_size,
        "model_size": case.model_size,
        "box_frame": case.box_frame,
        "steps": case.steps,
        "weight": case.weight,
        "origin": case.origin,
    }


def _write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    # datasets takes a second to load.
    from datasets import Dataset, Features, Sequence, Value

    text = Value("string")
    features = Features({"problem": text, "answer": text, "images": Sequence(text), "split": text})
    Dataset.from_list(list(rows), features=features).to_parquet(str(path))


def _batch(num_cases: int) -> int:
    """The largest power of two that the cases fill, up to EasyR1's own.

    >>> _batch(6600), _batch(100), _batch(1)
    (512, 64, 1)
    """
    return min(LARGEST_BATCH, 1 << (num_cases.bit_length() - 1))


def _write_carried(folder: Path, **values: Any) -> None:
    with as_file(files("rl_feedback.bundle") / "carried") as carried:
        for path in sorted(carried.iterdir()):
            if path.suffix in (".yaml", ".md"):
                text = Template(path.read_text("utf-8")).substitute(values)
                (folder / path.name).write_text(text, encoding="utf-8")
            elif path.is_file():
                shutil.copy(path, folder / path.name)
    (folder / "launch.sh").chmod(0o755)
