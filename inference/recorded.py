"""Reads completions that were made elsewhere, so that published outputs can be read and rated here.

One JSON object a line: `{"image": "film-1", "model": "DeepMedix-R1", "text": "<think> … "}`; with `"seed": 2`
where a film has several, else they count from 1 in the file's order, and with `"model_size": [504, 504]`
where the model saw another picture than its preset's, and `"question"` as it was asked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of one line, in characters: 4,096 tokens take some 20,000.
LONGEST_LINE = 1_000_000
LONGEST_MODEL = 200
LARGEST_SEED = 2**63 - 1
LONGEST_QUESTION = 2000
_KNOWN = {"image", "model", "text", "seed", "model_size", "question"}
_LARGEST_SIDE_PX = 100_000


@dataclass(frozen=True)
class RecordedCompletion:
    """`model_size` (width, height) is that of the picture its boxes are counted on, None where untold;
    `question` what the model was asked, empty where untold."""

    image: str
    model: str
    text: str
    seed: int
    model_size: tuple[int, int] | None = None
    question: str = ""


def read_recorded(path: Path, *, called: str = "") -> tuple[RecordedCompletion, ...]:
    """Every completion of a file, in its order. Raises ValueError, naming the line and the way out, where one
    can't be read or two are the same film's, model's and seed's: then none is taken. `called`: the file's
    name for people, where its own is another.
    """
    called = called or path.name
    found: dict[tuple[str, str, int], RecordedCompletion] = {}
    counted: dict[tuple[str, str], int] = defaultdict(int)
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(_lines(lines, called), start=1):
            if not line.strip():
                continue
            place = f"{called}, line {number}"
            told = _object(line, place)
            image, model = told["image"], told["model"]
            counted[image, model] += 1
            completion = RecordedCompletion(
                image=image,
                model=model,
                text=told["text"],
                seed=_seed(told.get("seed", counted[image, model]), place),
                model_size=_size(told.get("model_size"), place),
                question=_question(told.get("question", ""), place),
            )
            known = found.setdefault((image, model, completion.seed), completion)
            if known is not completion:
                raise ValueError(
                    f"{place}: {model} has a completion of {image} with seed {completion.seed} already. "
                    "Give each its own seed, or none."
                )
    if not found:
        raise ValueError(f"{called} holds no completion. Write one JSON object a line.")
    return tuple(found.values())


def _lines(file: Any, called: str) -> Any:
    while True:
        try:
            line = file.readline(LONGEST_LINE + 1)
        except UnicodeDecodeError:
            raise ValueError(f"{called} is no text in UTF-8. Write it as that.") from None
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise ValueError(f"{called} has a line of over {LONGEST_LINE} characters. One object a line.")
        yield line


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"{place} is no JSON. Write one object a line.") from None
    if not isinstance(told, dict):
        raise ValueError(f'{place} is no object. Write {{"image": …, "model": …, "text": …}}.')
    if unknown := sorted(set(told) - _KNOWN):
        raise ValueError(f"{place}: {unknown[0]} is not known. There are {', '.join(sorted(_KNOWN))}.")
    for name in ("image", "model", "text"):
        if not isinstance(told.get(name), str) or (name != "text" and not told[name].strip()):
            raise ValueError(f"{place} has no {name}. It is a text.")
        _require_signs(told[name], name, place)
    if len(told["model"]) > LONGEST_MODEL:
        raise ValueError(f"{place}: model has over {LONGEST_MODEL} characters. Shorten its name.")
    return told


def _require_signs(text: str, name: str, place: str) -> None:
    """JSON may hold NUL and halves of signs (RFC 8259, 8.2); no database and no UTF-8 keeps them."""
    if "\0" in text:
        raise ValueError(f"{place}: {name} holds the sign NUL (\\u0000). Take it out.")
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError(f"{place}: {name} holds half of a sign (\\ud800 to \\udfff alone). Take it out.")


def _seed(told: object, place: str) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise ValueError(f"{place}: seed is no whole number.")
    if not 0 <= told <= LARGEST_SEED:
        raise ValueError(f"{place}: seed is not from 0 to {LARGEST_SEED}.")
    return told


def _question(told: object, place: str) -> str:
    if not isinstance(told, str) or len(told) > LONGEST_QUESTION:
        raise ValueError(f"{place}: question is no text of at most {LONGEST_QUESTION} characters.")
    _require_signs(told, "question", place)
    return told.strip()


def _size(told: object, place: str) -> tuple[int, int] | None:
    match told:
        case None:
            return None
        case [int(width), int(height)] if 0 < width <= _LARGEST_SIDE_PX and 0 < height <= _LARGEST_SIDE_PX:
            return width, height
    raise ValueError(f"{place}: model_size is no [width, height] in pixels.")
