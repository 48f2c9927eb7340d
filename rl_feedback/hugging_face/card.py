"""A shared data set's card, with the header that Hugging Face reads, and its manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_feedback.croissant import CROISSANT
from rl_feedback.hugging_face.subsets import SPLIT_NAMES, SUBSETS, Subset

README, MANIFEST = "README.md", "manifest.json"
# Hugging Face's own words for how many rows there are.
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_LARGEST = "n>1M"


@dataclass(frozen=True)
class _SplitSize:
    """`num_bytes` once it is unpacked."""

    num_rows: int
    num_bytes: int
    num_file_bytes: int


def card_of(folder: Path, *, title: str, data_use: str, licences: Sequence[str] = (), about: str = "") -> str:
    """README.md of the parts that lie in the folder. `licences` are sentences on where films and texts come
    from; `about` is Markdown that goes on below."""
    found = {subset: _splits(folder, subset) for subset in SUBSETS}
    held = {subset: splits for subset, splits in found.items() if splits}
    lines = [
        "---",
        _header(held, title=title).rstrip("\n"),
        "---",
        f"# {_plain(title)}",
        "",
        "## What it may be used for",
        _plain(data_use),
        *(f"- {_plain(one)}" for one in licences),
        "",
        *_loading(held),
    ]
    return "\n".join(lines) + "\n" + (f"\n{about}" if about else "")


def manifest_of(files: Mapping[str, Mapping[str, Any]], **about: Any) -> str:
    """JSON. `files` are by name: their sha256, rows and bytes."""
    return json.dumps({"format": 1, **about, "files": files}, indent=2, ensure_ascii=False) + "\n"


def _splits(folder: Path, subset: Subset) -> dict[str, _SplitSize]:
    """`datasets` loads no split that is empty: it has none."""
    found = {}
    for split in SPLIT_NAMES.values():
        sizes = [_size(path) for path in sorted((folder / subset.name).glob(f"{split}-*.parquet"))]
        if sizes:
            found[split] = _SplitSize(
                sum(one.num_rows for one in sizes),
                sum(one.num_bytes for one in sizes),
                sum(one.num_file_bytes for one in sizes),
            )
    return found


def _size(path: Path) -> _SplitSize:
    from pyarrow import parquet

    told = parquet.read_metadata(path)
    num_bytes = sum(told.row_group(place).total_byte_size for place in range(told.num_row_groups))
    return _SplitSize(told.num_rows, num_bytes, path.stat().st_size)


def _header(held: Mapping[Subset, Mapping[str, _SplitSize]], *, title: str) -> str:
    from datasets import DatasetInfo, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    num_rows = sum(size.num_rows for splits in held.values() for size in splits.values())
    data = DatasetCardData(
        pretty_name=title,
        license="other",
        license_name="see-what-it-may-be-used-for",
        task_categories=["image-text-to-text"],
        tags=["trl", "preference", "medical", "chest-x-ray"],
        size_categories=[next((word for limit, word in _SIZES if num_rows < limit), _LARGEST)],
        configs=[
            {
                "config_name": subset.name,
                "data_files": [
                    {"split": split, "path": f"{subset.name}/{split}-*.parquet"} for split in splits
                ],
            }
            for subset, splits in held.items()
        ],
    )
    infos = {
        subset.name: DatasetInfo(
            features=subset.features(),
            config_name=subset.name,
            splits=SplitDict(
                {
                    split: SplitInfo(split, num_bytes=size.num_bytes, num_examples=size.num_rows)
                    for split, size in splits.items()
                }
            ),
            download_size=sum(size.num_file_bytes for size in splits.values()),
            dataset_size=sum(size.num_bytes for size in splits.values()),
        )
        for subset, splits in held.items()
    }
    DatasetInfosDict(infos).to_dataset_card_data(data)
    return data.to_yaml(line_break="\n")


def _loading(held: Mapping[Subset, Mapping[str, _SplitSize]]) -> Iterator[str]:
    first = next(iter(held)).name
    yield "## How to load it"
    yield f'`datasets.load_dataset("this folder", "{first}")`, and so every other subset:'
    yield ""
    splits = list(SPLIT_NAMES.values())
    yield f"| subset | {' | '.join(splits)} |"
    yield "|---|" + "---|" * len(splits)
    for subset, sizes in held.items():
        cells = (str(sizes[split].num_rows) if split in sizes else "none" for split in splits)
        yield f"| `{subset.name}` | {' | '.join(cells)} |"
    for subset in held:
        yield ""
        yield f"**{subset.name}.** {subset.about}"
    yield ""
    yield (
        "`images` has the film once, grey, as the model saw it that wrote the text: `model_size` in pixels, "
        "`image_size` before. Boxes in texts are counted in pixels of the picture where `box_frame` is "
        "processed, of the film where it is input, and in thousandths, hundredths or shares of its sides "
        "where it is norm1000, norm100 or norm1. `film` is the same wherever the film is, and a name of this "
        "data set alone. A patient is in one split of all subsets."
    )
    yield f"{CROISSANT} says the same for programs: Croissant 1.1, with its vocabulary of responsible AI."
    yield f"{MANIFEST} has the sha256 of each file."


def _plain(text: str) -> str:
    """On one line, as words alone: what was typed makes no heading, link or tag of the card."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>#|" else one for one in " ".join(text.split()))
