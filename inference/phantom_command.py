"""`python -m inference phantoms`: writes a folder of drawn films, each beside a note of what is on it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from inference.phantom_dicom import encoding_of, write_phantom_dicom
from inference.phantoms import DEMO_SEEDS, SITES, Phantom, ideal_reasoning, reference_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, help="where the films go; made if it is not there")
    parser.add_argument("--num-films", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=DEMO_SEEDS.start, help="film 0's seed")
    parser.add_argument("--size", type=int, default=1024, help="pixels on each side")
    parser.add_argument("--site", choices=sorted(SITES), default="first")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Write the films and `truth.json`."""
    options.folder.mkdir(parents=True, exist_ok=True)
    notes = {}
    for seed in range(options.first_seed, options.first_seed + options.num_films):
        path = options.folder / f"phantom-{options.site}-{seed}.dcm"
        notes[path.name] = _note(write_phantom_dicom(path, seed=seed, size=options.size, site=options.site))
    (options.folder / "truth.json").write_text(json.dumps(notes, indent=1) + "\n")
    yield f"{options.num_films} films and truth.json are in {options.folder}."


def _note(phantom: Phantom) -> dict[str, object]:
    truth, report, encoding = phantom.truth, reference_report(phantom.truth), encoding_of(phantom.seed)
    regions = {finding.name: [round(value) for value in finding.region] for finding in truth.findings}
    return {
        "seed": phantom.seed,
        "answer": truth.answer,
        "regions_px": regions,
        "findings": report.findings,
        "impression": report.impression,
        "reasoning": ideal_reasoning(truth, width=phantom.width, height=phantom.height),
        "transfer_syntax": encoding.transfer_syntax,
        "bits_stored": encoding.bits_stored,
        "photometric": encoding.photometric,
    }
