"""What a benchmark asks and what is right, and what a model wrote: both as files of JSON lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from inference.grounding import ParsedCompletion, parse_completion
from inference.presets import PRESETS, ServingPreset
from inference.prompts import template
from inference.regions import Box, Frame, model_size, to_image_px
from rl_feedback.evaluation.reports.radcliq import PARTS


class Task(StrEnum):
    """What a sample asks for; regions are measured wherever a sample has some."""

    REPORT = "report"
    VQA = "vqa"
    GROUNDING = "grounding"


class Film(StrEnum):
    """Which film the model was shown with a question."""

    OWN = "own"
    BLANK = "blank"
    SHUFFLED = "shuffled"  # that of another sample


@dataclass(frozen=True)
class Sample:
    """One question of a benchmark with its right answer. `reference` is the report, or the answer with `|`
    between those of a list; samples of one `study` are drawn together. `boxes` are in film pixels, None
    where nobody drew any; `image` is the film's file, where it is there."""

    uid: str
    task: Task
    dataset: str
    category: str
    reference: str
    study: str
    question: str = ""
    options: tuple[str, ...] = ()
    boxes: tuple[Box, ...] | None = None
    image_size: tuple[int, int] = (1, 1)
    image: Path | None = None


@dataclass(frozen=True)
class Prediction:
    """What a model wrote for one sample. `answer` is None where the text can't be read for one, with the
    `problems` of `inference.grounding`. `boxes` are in film pixels, as written: some may be no regions.
    `radcliq_parts` are the four scores that RadCliQ is made of, where they were computed elsewhere."""

    uid: str
    text: str
    answer: str | None
    problems: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    prompt: str = ""
    radcliq_parts: tuple[float, ...] | None = None


@dataclass(frozen=True)
class System:
    """A model's predictions: for each sample of the benchmark one, None where the file has none."""

    name: str
    own: tuple[Prediction | None, ...]
    blank: tuple[Prediction | None, ...]
    shuffled: tuple[Prediction | None, ...]
    sha256: str


def report_text(prediction: Prediction | None) -> str:
    """A report that can't be read counts as an empty one."""
    return (prediction.answer or "").strip() if prediction else ""


REFERENCE_KEYS = {
    *("id", "task", "dataset", "category", "study", "question", "answer", "options", "boxes"),
    *("image_size", "image"),
}
PREDICTION_KEYS = {
    "id",
    "text",
    "film",
    "boxes",
    "box_frame",
    "model_size",
    "prompt",
    "model",
    "radcliq_parts",
}


def read_references(path: Path) -> tuple[Sample, ...]:
    """A benchmark of one's own: a JSON object a line, with `id`, `task` ("report", "vqa", "grounding"),
    `answer`, and where known `dataset`, `category`, `study`, `question`, `options`, `boxes` with
    `image_size`, and `image`. Raises ValueError that names the line and what it should hold."""
    samples: dict[str, Sample] = {}
    for place, row in rows_of(path):
        sample = _sample(row, place, folder=path.parent)
        if samples.setdefault(sample.uid, sample) is not sample:
            raise ValueError(f"{place}: the id {sample.uid} stands on an earlier line. Give each its own.")
    if not samples:
        raise ValueError(f"{path} holds no sample. Write one JSON object a line.")
    return tuple(samples.values())


def read_system(path: Path, samples: Sequence[Sample], *, name: str = "", preset: str = "") -> System:
    """A file of predictions for these samples: a JSON object a line, with `id` and `text`; `film` is "blank"
    or "shuffled" where the model was shown another film. `preset` names how its model writes
    (`inference.presets`); without one a text is the answer, unless it has reasoning or a boxed answer."""
    by_uid = {sample.uid: place for place, sample in enumerate(samples)}
    found: dict[Film, list[Prediction | None]] = {film: [None] * len(samples) for film in Film}
    unknown: list[str] = []
    for place, row in rows_of(path):
        _check_keys(row, PREDICTION_KEYS, place)
        uid, film = _text(row, "id", place), _film(row, place)
        number = by_uid.get(uid)
        if number is None:
            unknown.append(uid)
            continue
        if found[film][number] is not None:
            raise ValueError(f"{place}: there is a prediction for {uid} on its {film} film already.")
        found[film][number] = _prediction(row, samples[number], place, preset=preset)
    if unknown:
        raise ValueError(
            f"{path}: {len(unknown)} predictions are for no sample of the references, the first for "
            f"{unknown[0]}. Name the references that they were made for."
        )
    if not any(found[Film.OWN]):
        raise ValueError(f"{path} holds no prediction. Write one JSON object a line, with `id` and `text`.")
    return System(
        name=name or path.stem,
        own=tuple(found[Film.OWN]),
        blank=tuple(found[Film.BLANK]),
        shuffled=tuple(found[Film.SHUFFLED]),
        sha256=sha256_of(path),
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a file of JSON lines with where it stands. Raises ValueError for a line that is none."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                place = f"{path.name}, line {number}"
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    raise ValueError(f"{place} is no JSON. Write one object a line.") from None
                if not isinstance(row, dict):
                    raise ValueError(f"{place} is no object. Write one object a line.")
                yield place, row
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is no text in UTF-8. Write it as JSON lines.") from None


def _sample(row: Mapping[str, Any], place: str, *, folder: Path) -> Sample:
    _check_keys(row, REFERENCE_KEYS, place)
    uid, task = _text(row, "id", place), row.get("task")
    if task not in list(Task):
        raise ValueError(f"{place}: `task` is one of {', '.join(Task)}, not {task!r}.")
    boxes = None if row.get("boxes") is None else _boxes(row["boxes"], place)
    reference = row.get("answer", "")
    if isinstance(reference, list) and all(isinstance(one, str) for one in reference):
        reference = "|".join(reference)
    if not isinstance(reference, str) or (task != Task.GROUNDING and not reference.strip()):
        raise ValueError(f"{place}: `answer` is the right text, or a list of answers.")
    if task == Task.GROUNDING and boxes is None:
        raise ValueError(f"{place}: grounding needs `boxes`, an empty list where there is nothing.")
    options = row.get("options") or []
    if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
        raise ValueError(f"{place}: `options` is a list of texts.")
    image = row.get("image")
    return Sample(
        uid=uid,
        task=Task(task),
        dataset=str(row.get("dataset") or "own"),
        category=str(row.get("category") or task),
        reference=reference,
        study=str(row.get("study") or uid),
        question=str(row.get("question") or ""),
        options=tuple(options),
        boxes=boxes,
        image_size=(1, 1) if boxes is None else _size(row.get("image_size"), "image_size", place),
        image=folder / image if isinstance(image, str) and image else None,
    )


def _prediction(row: Mapping[str, Any], sample: Sample, place: str, *, preset: str) -> Prediction:
    text, prompt = row.get("text"), row.get("prompt") or ""
    if not isinstance(text, str) or not isinstance(prompt, str):
        raise ValueError(f"{place}: `text` is what the model wrote, `prompt` what it was asked.")
    serving = PRESETS[preset] if preset else None
    parsed = _parsed(text, serving)
    if row.get("boxes") is not None:
        written = _boxes(row["boxes"], place)
    else:
        steps = parsed.steps
        if sample.boxes is not None and serving is None and not any(step.boxes for step in steps):
            # Regions are asked for, and a model that doesn't reason may name them in its answer.
            steps = parse_completion(f"<think> {text} </think>", reasons=True).steps
        written = tuple(box for step in steps for box in step.boxes)
    answer = parsed.answer if parsed.answer and parsed.answer.strip() else None
    return Prediction(
        uid=sample.uid,
        text=text,
        answer=answer,
        problems=tuple(parsed.problems),
        boxes=_on_film(written, row, sample, place, serving) if sample.boxes is not None else (),
        prompt=prompt,
        radcliq_parts=None if row.get("radcliq_parts") is None else _parts(row["radcliq_parts"], place),
    )


def _parsed(text: str, serving: ServingPreset | None) -> ParsedCompletion:
    if serving is None:
        return parse_completion(text, reasons="<think>" in text or "\\boxed" in text)
    reasons = template(serving.prompt_template).reasons
    return parse_completion(text, reasons=reasons, dialect=serving.dialect)


def _on_film(
    boxes: Sequence[Box],
    row: Mapping[str, Any],
    sample: Sample,
    place: str,
    serving: ServingPreset | None,
) -> tuple[Box, ...]:
    default = Frame.INPUT if serving is None else Frame(serving.box_frame)
    frame = row.get("box_frame") or default
    if frame not in list(Frame):
        raise ValueError(f"{place}: `box_frame` is one of {', '.join(Frame)}, not {frame!r}.")
    if row.get("model_size") is not None:
        seen = _size(row["model_size"], "model_size", place)
    elif serving is not None:
        seen = model_size(
            sample.image_size,
            preparation=serving.preparation,
            min_pixels=serving.min_pixels,
            max_pixels=serving.max_pixels,
            factor=serving.size_multiple,
        )
    elif frame == Frame.PROCESSED:
        raise ValueError(f"{place}: boxes in the {frame} frame need `model_size`, of the picture seen.")
    else:
        seen = sample.image_size
    preparation = "aspect" if serving is None else serving.preparation
    return tuple(
        to_image_px(box, frame=frame, model_size=seen, image_size=sample.image_size, preparation=preparation)
        for box in boxes
    )


def _check_keys(row: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(row) - known):
        raise ValueError(f"{place}: {unknown[0]} is not known. There are {', '.join(sorted(known))}.")


def _text(row: Mapping[str, Any], key: str, place: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: `{key}` is missing.")
    return value


def _film(row: Mapping[str, Any], place: str) -> Film:
    film = row.get("film") or Film.OWN
    if film not in list(Film):
        raise ValueError(f"{place}: `film` is one of {', '.join(Film)}, not {film!r}.")
    return Film(film)


def _size(value: object, key: str, place: str) -> tuple[int, int]:
    match value:
        case [int(width), int(height)] if width > 0 and height > 0:
            return width, height
    raise ValueError(f"{place}: `{key}` is a width and a height in pixels, not {value!r}.")


def _parts(value: Any, place: str) -> tuple[float, ...]:
    if isinstance(value, dict) and all(isinstance(value.get(name), int | float) for name in PARTS):
        return tuple(float(value[name]) for name in PARTS)
    raise ValueError(f"{place}: `radcliq_parts` holds the numbers {', '.join(PARTS)}.")


def _boxes(value: object, place: str) -> tuple[Box, ...]:
    if isinstance(value, list) and all(_is_box(one) for one in value):
        return tuple(Box(*map(float, one)) for one in value)
    raise ValueError(f"{place}: `boxes` is a list of [x_min, y_min, x_max, y_max], not {value!r}.")


def _is_box(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) <= 1e6 for n in value)
    )
