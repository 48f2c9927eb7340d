"""A shared data set's croissant.json: each subset as records, each part and the card as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rl_feedback.croissant import (
    MARKDOWN,
    PARQUET,
    DataFile,
    DataFiles,
    Described,
    Field,
    Fields,
    Kind,
    RecordSet,
    SplitOf,
    croissant_of,
)
from rl_feedback.hugging_face.card import README
from rl_feedback.hugging_face.subsets import SPLIT_NAMES, SUBSETS, Subset

KEYWORDS = ("chest X-ray", "reasoning with regions", "preference", "reinforcement learning")
# Of columns, and of the parts of lists of objects below them.
ABOUT = {
    "prompt": "the question, as messages of a chat; in stepwise as a text",
    "chosen": "the better text, as messages of a chat",
    "rejected": "the other text, as messages of a chat",
    "completion": "the text, as messages of a chat",
    "prefix": "with which both texts begin",
    "weight": "how sure it is: 2 (P - 1/2), P that it is as said",
    "origin": "who said so: vote, rating, rewrite, region or step",
    "label": "whether readers found the text good",
    "completions": "the steps of the text in their order",
    "labels": "whether each step is right",
    "values": "what each step deserves, 0 to 1",
    "answer": "the true answer",
    "regions": "where readers saw what, in pixels of the film; null where nobody drew any",
    "steps": "what readers gave the steps of the text that was read",
    "images": "the film, grey, as the model saw it",
    "film": "the film's name, of this data set alone",
    "image_size": "width and height of the film, pixels",
    "model_size": "width and height of the picture, pixels",
    "box_frame": "how boxes in texts are counted",
    "role": "whose message",
    "content": "what it says",
    "finding": "what is there",
    "box": "x and y of two corners, pixels",
    "tolerance": "spread of the readers' edges, pixels; null of one reader",
    "text": "the step's text",
    "criterion": "by which it was judged",
    "value": "what it deserves, 0 to 1",
    "variance": "of the value",
}
_KINDS = {"string": Kind.TEXT, "int64": Kind.WHOLE, "float64": Kind.NUMBER, "bool": Kind.YES_NO}


def described_as_croissant(described: Described, files: Mapping[str, Mapping[str, Any]]) -> str:
    """`files` are by name: their sha256, rows and bytes; parts of subsets, and the card."""
    held = [one for one in SUBSETS if any(name.startswith(f"{one.name}/") for name in files)]
    found = [split for split in SPLIT_NAMES.values() if any(f"/{split}-" in name for name in files)]
    split_of = {one.name: SplitOf(one.name, found) for one in held}
    return croissant_of(
        described,
        files=[
            DataFile(
                name,
                MARKDOWN if name == README else PARQUET,
                told["sha256"],
                told["bytes"],
                "the card" if name == README else f"{told['rows']} rows of {name.partition('/')[0]}",
            )
            for name, told in files.items()
        ],
        file_sets=[
            DataFiles(_files_of(one), PARQUET, f"{one.name}/*.parquet", f"all parts of {one.name}")
            for one in held
        ],
        record_sets=[
            RecordSet(
                one.name,
                one.about,
                _files_of(one),
                list(_columns(one)),
                is_of_many_files=True,
                split=split_of[one.name],
            )
            for one in held
        ],
    )


def _files_of(subset: Subset) -> str:
    return f"{subset.name}-files"


def _columns(subset: Subset) -> Iterator[Field | Fields]:
    for name, feature in subset.features().items():
        parts = _parts(feature)
        if parts is None:
            yield _field(name, feature)
        else:
            yield Fields(name, ABOUT[name], [_field(part, kind) for part, kind in parts.items()])


def _parts(feature: Any) -> Mapping[str, Any] | None:
    """Of a list of objects, in either way in which `datasets` writes one."""
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    return inner if isinstance(inner, dict) else None


def _field(name: str, feature: Any) -> Field:
    from datasets import Image

    inner = getattr(feature, "feature", None)
    one = feature if inner is None else inner
    kind = Kind.IMAGE if isinstance(one, Image) else _KINDS[one.dtype]
    return Field(name, ABOUT[name], kind, is_list=inner is not None)
