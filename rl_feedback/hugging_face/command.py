"""`python -m rl_feedback hugging-face`: a data folder as a data set that `datasets` and TRL load."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from inference.presets import PRESETS
from rl_feedback.counting import counted
from rl_feedback.hugging_face.folder import write_folder
from rl_feedback.training.view import FilmView


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with pairs.jsonl, cases.jsonl or others"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--title", required=True, help="of its card")
    parser.add_argument("--use", required=True, help="what the data may be used for, a sentence")
    parser.add_argument(
        "--as-of", type=_day, required=True, help="day up to which the data were gathered, YYYY-MM-DD"
    )
    parser.add_argument("--made-by", default="", help="who publishes it: a group or an institution")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="phantom", help="how the model saw films"
    )


def run(options: argparse.Namespace) -> Iterator[str]:
    """Writes the folder, then tells what is in it."""
    preset = PRESETS[options.preset]
    written = write_folder(
        options.out,
        data=options.data,
        view=FilmView.of(preset),
        box_frame=str(preset.box_frame),
        title=options.title,
        data_use=options.use,
        as_of=options.as_of,
        made_by=options.made_by,
    )
    for subset, num_rows in written.num_rows.items():
        yield f"{subset}: {counted(num_rows, 'row')}."
    yield f"The data set {written.sha256} of {counted(written.num_films, 'film')} is in {options.out}."


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day as YYYY-MM-DD") from error
