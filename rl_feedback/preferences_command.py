"""`python -m rl_feedback preferences`: turns a file of readings into a folder of training data."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rl_feedback.counting import counted
from rl_feedback.preferences import Dispute, LeftOut, Preferences, gather_preferences
from rl_feedback.readings import SignedReading
from rl_feedback.readings_file import read_readings
from rl_feedback.training.examples import TrainingPair, write_examples
from rl_feedback.training.loss_by_agreement import READERS_FILE

ROWS_FILE, REST_FILE = "rows.jsonl", "left_out.jsonl"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--readings", type=Path, required=True, help="JSON lines of rl_feedback.readings.SignedReading"
    )
    parser.add_argument(
        "--anchors", type=Path, help="the same of hidden repeats and controls, which measure readers alone"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help=f"folder for pairs.jsonl, {ROWS_FILE} and the rest"
    )


def run(options: argparse.Namespace) -> Iterator[str]:
    """Writes the folder, then tells what is in it and its sha256."""
    readings = read_readings(options.readings)
    found = gather_preferences(readings, anchors=read_readings(options.anchors) if options.anchors else ())
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / ROWS_FILE).write_text("".join(f"{line}\n" for line in found.lines()), encoding="ascii")
    rest: list[Dispute | LeftOut] = [*found.disputes, *found.left_out]
    (options.out / REST_FILE).write_text(
        "".join(json.dumps(asdict(row), sort_keys=True) + "\n" for row in rest), encoding="utf-8"
    )
    behind = {**found.readers.as_json(), "struck": found.struck.as_json()}
    (options.out / READERS_FILE).write_text(json.dumps(behind, indent=1), encoding="utf-8")
    write_examples(options.out, pairs_to_train_on(found, readings), kind=TrainingPair)
    yield f"{counted(len(readings), 'reading')} of {counted(len(found.splits), 'patient')}."
    for name, rows in (("pair", found.pairs), ("label", found.labels), ("region", found.regions)):
        sides = Counter(row.split for row in rows)
        told = ", ".join(f"{sides[side]} {side}" for side in ("train", "tune", "test"))
        yield f"{counted(len(rows), name)}: {told}."
    without = counted(len(found.left_out), "time")
    yield f"{counted(len(found.disputes), 'dispute')}, {without} no pair: see {REST_FILE}."
    yield _strikes(found)
    yield f"sha256 {found.sha256} of {ROWS_FILE}; pairs of the train side are in pairs.jsonl."


def _strikes(found: Preferences) -> str:
    """How many strikes are in doubt, and the readers' rate of oversight that says so."""
    model, cases = found.struck.model, len(found.struck.doubtful)
    if model is None:
        return "No reader corrected a text that names a finding."
    rate = model.oversight
    return (
        f"Of {counted(cases, 'film')} a finding was struck out that was likely overlooked, and what rests on "
        f"it is left out: readers strike out {rate.mean:.0%} ({rate.low:.0%} to {rate.high:.0%}) of what is "
        f"there, by {counted(model.num_shared_words, 'word')} on findings that several looked at. "
        f"{model.note}"
    ).strip()


def pairs_to_train_on(found: Preferences, readings: tuple[SignedReading, ...]) -> Iterator[TrainingPair]:
    """The pairs of the train side, each with the film that its readings name."""
    films = {one.uid: reading.film for reading in readings for one in reading.completions}
    for pair in found.pairs:
        if pair.split == "train":
            yield TrainingPair(
                film=films[pair.completion],
                prompt=pair.prompt,
                chosen=pair.chosen,
                rejected=pair.rejected,
                weight=pair.weight,
                origin=pair.origin,
                prefix=pair.prefix,
            )
