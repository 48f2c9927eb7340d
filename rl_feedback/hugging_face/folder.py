"""Writes a data folder's examples as a shared data set, without the platform."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import TypeVar
from uuid import UUID

from inference.grounding import parse_completion
from rl_feedback.bundle.manifest import sha256_of
from rl_feedback.counting import counted
from rl_feedback.croissant import CROISSANT, Described, said_readers
from rl_feedback.hugging_face.card import MANIFEST, README, card_of, manifest_of
from rl_feedback.hugging_face.describing import KEYWORDS, described_as_croissant
from rl_feedback.hugging_face.parts import FILMS_PER_PART, PartFile, PartWriter
from rl_feedback.hugging_face.shown import show_film
from rl_feedback.hugging_face.subsets import JudgedSteps, Shared
from rl_feedback.training.examples import (
    Example,
    JudgedText,
    RatedStep,
    RewardedCase,
    TrainingPair,
    ValidationCase,
    read_examples,
)
from rl_feedback.training.view import FilmView

AnyExample = TypeVar("AnyExample", bound=Example)
# Of a scale from 1 to 5.
LEAST_POINTS, MOST_POINTS = 1, 5


@dataclass(frozen=True)
class WrittenFolder:
    """`sha256` is the manifest's own."""

    sha256: str
    num_films: int
    num_rows: Mapping[str, int]


def write_folder(
    out: Path,
    *,
    data: Path,
    view: FilmView,
    box_frame: str,
    title: str,
    data_use: str,
    as_of: date,
    made_by: str = "",
) -> WrittenFolder:
    """A new folder, whole or not at all, of what lies in a data folder: pairs, judged texts, rated steps and
    cases of the train split, and cases of the validation split.

    Raises ValueError where nothing lies there, what lies there can't be read, or the folder is not a new one.
    """
    if out.exists():
        raise ValueError(f"{out} is there already. Name a new folder.")
    if not data_use.strip():
        raise ValueError("Say in a sentence what the data may be used for.")
    sides: dict[str, list[Shared]] = {"train": _learned(data), "validation": [*_read(data, ValidationCase)]}
    films = sorted({one.film for every in sides.values() for one in every})
    if not films:
        raise ValueError(
            f"There are no pairs, judged texts, rated steps or cases in {data}. "
            "Name a data folder that has any."
        )
    names = {film: f"film-{number:06d}" for number, film in enumerate(films, 1)}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".folder-") as scratch:
        folder = Path(scratch) / "folder"
        folder.mkdir()
        files: list[PartFile] = []
        for split, every in sides.items():
            for number, part in enumerate(_parts(every)):
                writer = PartWriter(folder, split=split, number=number)
                for film, found in part:
                    shown = show_film(data / film, name=names[film], view=view, box_frame=box_frame)
                    writer.add(shown, found)
                files += writer.close()
        card = card_of(folder, title=title, data_use=data_use)
        (folder / README).write_text(card, encoding="utf-8")
        everything = [PartFile(README, 0), *sorted(files, key=lambda one: one.name)]
        told = {one.name: _told(folder / one.name, one) for one in everything}
        described = Described(
            name=title,
            about=f"Examples for models that reason with regions on {counted(len(films), 'chest film')}.",
            url=_urn(told),
            moment=as_of.isoformat(),
            data_use=data_use,
            made_by=made_by,
            keywords=KEYWORDS,
            responsible=_responsible(data, view=view, data_use=data_use),
        )
        (folder / CROISSANT).write_text(described_as_croissant(described, told), encoding="utf-8")
        told[CROISSANT] = _told(folder / CROISSANT, PartFile(CROISSANT, 0))
        manifest = manifest_of(dict(sorted(told.items())), title=title, data_use=data_use)
        (folder / MANIFEST).write_text(manifest, encoding="utf-8")
        folder.rename(out)
    num_rows: dict[str, int] = defaultdict(int)
    for one in files:
        num_rows[one.name.partition("/")[0]] += one.num_rows
    return WrittenFolder(sha256_of(out / MANIFEST), len(films), dict(sorted(num_rows.items())))


def judged_steps(rated: Sequence[RatedStep]) -> Iterator[JudgedSteps]:
    """The means of their readers, on a scale from 0 to 1, from each text's first step on."""
    by_text: dict[tuple[str, str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in rated:
        by_text[one.film, one.prompt, one.text][one.step].append(one.rating)
    for (film, prompt, text), ratings in by_text.items():
        values: list[float] = []
        while len(values) in ratings:
            points = fmean(ratings[len(values)])
            values.append((points - LEAST_POINTS) / (MOST_POINTS - LEAST_POINTS))
        if values:
            steps = tuple(step.text for step in parse_completion(text).steps[: len(values)])
            yield JudgedSteps(film, prompt, steps, tuple(values))


def _urn(files: Mapping[str, Mapping[str, object]]) -> str:
    """A name for what is in the files: a UUID of the beginning of their sha256 (RFC 9562, version 8)."""
    said = "".join(f"{name} {told['sha256']}\n" for name, told in sorted(files.items()))
    digest = bytearray(hashlib.sha256(said.encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest)).urn


def _responsible(data: Path, *, view: FilmView, data_use: str) -> dict[str, str | list[str]]:
    """What the data folder itself tells."""
    rated = _read(data, RatedStep)
    told: dict[str, str | list[str]] = {
        "dataPreprocessingProtocol": [
            f"Films are 8-bit grey pictures, prepared as the model saw them: {view.preparation}, "
            f"{view.min_pixels} to {view.max_pixels} pixels.",
            "Films have names of this data set alone.",
        ],
        "dataUseCases": [data_use],
    }
    if rated:
        readers_of = defaultdict(set)
        for one in rated:
            readers_of[one.film, one.prompt, one.text, one.step].add(one.reader)
        told["annotationsPerItem"] = "Of steps: " + said_readers(Counter(map(len, readers_of.values())))
        told["annotatorDemographics"] = [
            f"Steps were rated by {counted(len({one.reader for one in rated}), 'reader')}."
        ]
    return told


def _learned(data: Path) -> list[Shared]:
    return [
        *_read(data, TrainingPair),
        *_read(data, JudgedText),
        *judged_steps(_read(data, RatedStep)),
        *_read(data, RewardedCase),
    ]


def _read(data: Path, kind: type[AnyExample]) -> tuple[AnyExample, ...]:
    return read_examples(data, kind) if (data / kind.file).is_file() else ()


def _parts(every: Sequence[Shared]) -> Iterator[list[tuple[str, list[Shared]]]]:
    """By film, some hundred films at once."""
    by_film = [
        (film, list(found))
        for film, found in groupby(sorted(every, key=lambda one: one.film), key=lambda one: one.film)
    ]
    for first in range(0, len(by_film), FILMS_PER_PART):
        yield by_film[first : first + FILMS_PER_PART]


def _told(path: Path, file: PartFile) -> dict[str, object]:
    return {"sha256": sha256_of(path), "rows": file.num_rows, "bytes": path.stat().st_size}
