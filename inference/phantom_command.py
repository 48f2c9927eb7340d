"""`python -m inference phantoms`: writes a folder of drawn films, each beside a note of what is on it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from inference.phantom_dicom import Visit, encoding_of, write_phantom_dicom
from inference.phantoms import DEMO_SEEDS, SITES, Phantom, ideal_reasoning, reference_report

_FIRST_VISIT = {"": Visit()}
_VISITS = {
    **_FIRST_VISIT,
    "-ap": Visit(take=1, view_position="AP"),
    "-before": Visit(study_date=date(2025, 1, 1), is_earlier=True),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, help="where the films go; made if it is not there")
    parser.add_argument("--num-films", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=DEMO_SEEDS.start, help="film 0's seed")
    parser.add_argument("--size", type=int, default=1024, help="pixels on each side")
    parser.add_argument(
        "--with-other-films",
        action="store_true",
        help="also a second film of each study, and one from a year before the lesions came",
    )
    parser.add_argument("--site", choices=sorted(SITES), default="first")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Write the films and `truth.json`."""
    options.folder.mkdir(parents=True, exist_ok=True)
    notes = {}
    for seed in range(options.first_seed, options.first_seed + options.num_films):
        for name, visit in (_VISITS if options.with_other_films else _FIRST_VISIT).items():
            path = options.folder / f"phantom-{options.site}-{seed}{name}.dcm"
            phantom = write_phantom_dicom(path, seed=seed, size=options.size, site=options.site, visit=visit)
            notes[path.name] = _note(phantom)
    (options.folder / "truth.json").write_text(json.dumps(notes, indent=1) + "\n")
    yield f"{len(notes)} films and truth.json are in {options.folder}."


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
