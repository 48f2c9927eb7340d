"""`python -m inference calibrate`: in which frame a model writes its boxes, found on drawn films."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from inference.asked_model import add_model, settings_of
from inference.engines import Done, EngineError, Failed, GenerationRequest, load_engine
from inference.frame_calibration import SaidOfFilm, calibrate
from inference.grounding import parse_completion
from inference.phantoms import DEMO_SEEDS, draw_phantom
from inference.presets import PRESETS
from inference.prompts import template

# Of unlike sides, and none of them a model's own: else two frames are the same.
WIDTH, HEIGHT = 640, 800


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_model(parser)
    parser.add_argument("--num-films", type=int, default=16)
    parser.add_argument("--query", help="the question; by default the model's own")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A row per frame, then what that says of the preset's. Raises EngineError where one is not answered."""
    preset = PRESETS[options.preset]
    prompt = template(preset.prompt_template)
    films = {
        str(seed): draw_phantom(seed=seed, width=WIDTH, height=HEIGHT)
        for seed in DEMO_SEEDS[: options.num_films]
    }
    engine = load_engine(settings_of(options, preset))
    requests = [
        GenerationRequest(
            key=name,
            film=film.to_uint8(),
            prompt=prompt.render(options.query or prompt.default_query),
            temperature=0.0,
            seed=1,
            max_new_tokens=preset.max_new_tokens,
        )
        for name, film in films.items()
    ]
    said = []
    for event in engine.generate(requests):
        if isinstance(event, Failed):
            raise EngineError(event.reason)
        if isinstance(event, Done):
            parsed = parse_completion(event.text, reasons=prompt.reasons, dialect=preset.dialect)
            boxes = [box for step in parsed.steps for box in step.boxes]
            said.append(SaidOfFilm(films[event.key].truth, boxes, event.model_size))
    found = calibrate(said, preparation=preset.preparation)
    if found.fits:
        yield f"| frame | IoU with what is there, of {found.num_with_boxes} films |"
        yield "| --- | --- |"
        for fit in found.fits:
            yield f"| {fit.frame} | {fit.overlap:.3f} [{fit.low:.3f}, {fit.high:.3f}] |"
    if found.frame is None:
        yield f"The frame can't be told. {found.reason}"
    elif found.frame == preset.box_frame:
        yield f"Its boxes are in the frame {found.frame}, as the preset {options.preset} says."
    else:
        yield (
            f"Its boxes are in the frame {found.frame}, and the preset {options.preset} says "
            f"{preset.box_frame}: under that one regions lie beside what they mean. Choose a preset with "
            f"{found.frame}."
        )
