"""Asks a model about films and prints what it says, one JSON object a line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from pydicom.errors import InvalidDicomError

from inference.asked_model import add_model, settings_of
from inference.engines import (
    AnySettings,
    Done,
    Failed,
    GenerationRequest,
    ReplaySettings,
    load_engine,
)
from inference.grounding import parse_completion
from inference.images import Grey, render_reference
from inference.presets import PRESETS, ServingPreset
from inference.prompts import template
from inference.regions import region_problem, to_image_px


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("films", type=Path, nargs="+", help="DICOM files")
    add_model(parser).add_argument(
        "--recorded",
        type=Path,
        metavar="FILE",
        help="completions made elsewhere: one JSON object a line, with image (a film's file name without its "
        "ending), model and text",
    )
    parser.add_argument("--query", help="the question; by default the model's own")
    parser.add_argument("--num-samples", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first sample")
    parser.add_argument("--temperature", type=float, help="0 takes the likeliest; by default the model's own")


def run(options: argparse.Namespace) -> Iterator[str]:
    """One line per film and sample: text, answer, problems, and regions in film pixels."""
    preset: ServingPreset = PRESETS[options.preset]
    prompt = template(preset.prompt_template)
    # Before the model, which takes its time.
    films = {str(path): _film(path) for path in options.films}
    engine = load_engine(_settings(options, preset))
    requests = [
        GenerationRequest(
            key=f"{path} {seed}",
            film=film,
            prompt=prompt.render(options.query or prompt.default_query),
            temperature=preset.temperature if options.temperature is None else options.temperature,
            seed=seed,
            max_new_tokens=preset.max_new_tokens,
        )
        for path, film in films.items()
        for seed in range(options.seed, options.seed + options.num_samples)
    ]
    for event in engine.generate(requests):
        if isinstance(event, Failed):
            yield json.dumps({"film": event.key.rsplit(" ", 1)[0], "error": event.reason})
        elif isinstance(event, Done):
            path, seed = event.key.rsplit(" ", 1)
            rows, columns = films[path].shape
            answer = _told(
                event,
                preset,
                image_size=(columns, rows),
                reasons=prompt.reasons,
                question=options.query or prompt.default_query,
            )
            yield json.dumps({"film": path, "seed": int(seed), **answer}, ensure_ascii=False)


def _settings(options: argparse.Namespace, preset: ServingPreset) -> AnySettings:
    """Raises ValueError, saying the way out, where the model can't be asked so."""
    if options.recorded is not None:
        return ReplaySettings(
            file=options.recorded,
            model=options.served_model,
            image_of=lambda key: Path(key.rsplit(" ", 1)[0]).stem,
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
            size_multiple=preset.size_multiple,
        )
    return settings_of(options, preset)


def _film(path: Path) -> Grey:
    """Raises ValueError, saying the way out, where the file is no film that can be read."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name its films, as in {path}/*.dcm.")
    try:
        return render_reference(path)
    except OSError:
        raise
    except InvalidDicomError as error:
        raise ValueError(
            f"{path} is no DICOM file, and only DICOM films are read here. A PNG or JPEG film comes in on "
            "the import page of DeepMedix Review, where the model can be asked about it."
        ) from error
    except Exception as error:  # a damaged file makes its readers raise errors of every kind
        raise ValueError(
            f"The film in {path} can't be read: {error} The file may be damaged or cut off: get it again "
            "from where it came from."
        ) from error


def _told(
    done: Done, preset: ServingPreset, *, image_size: tuple[int, int], reasons: bool, question: str
) -> dict[str, object]:
    parsed = parse_completion(done.text, reasons=reasons, dialect=preset.dialect, question=question)
    steps = []
    for step in parsed.steps:
        boxes = [
            to_image_px(
                box,
                frame=preset.box_frame,
                model_size=done.model_size,
                image_size=image_size,
                preparation=preset.preparation,
            )
            for box in step.boxes
        ]
        regions = [
            {"box": [round(v, 1) for v in box], "problem": region_problem(box, image_size)} for box in boxes
        ]
        steps.append({"text": step.label or step.text, "regions": regions})
    return {
        "answer": parsed.answer,
        "problems": parsed.problems,
        "steps": steps,
        "text": done.text,
        "num_tokens": done.num_tokens,
        "num_prompt_tokens": done.num_prompt_tokens,
        "is_shaped": done.is_shaped,
        "seconds": round(done.seconds, 3),
    }
