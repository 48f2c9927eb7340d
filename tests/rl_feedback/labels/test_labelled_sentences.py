"""The labeller reads the sentences it was written by without a mistake, and most of those kept from it."""

import csv
import re
from pathlib import Path

import pytest

from rl_feedback.labels import CHEXPERT_14, OTHER_FINDINGS, label_report
from tests.home import ROOT

FOLDER = Path(__file__).parent
PAGE = ROOT / "docs" / "reference" / "labels.md"
STATES = {"+": "present", "-": "absent", "?": "uncertain"}
SIDES = {"": (), "L": ("left",), "R": ("right",), "B": ("left", "right")}
Said = set[tuple[str, str, tuple[str, ...], bool]]


def written(name: str) -> list[tuple[str, Said]]:
    """The file's sentences and what they say: finding, state, sides, and whether it is stated."""
    lines = [line for line in (FOLDER / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    pairs = [line.partition(" =>")[::2] for line in lines]
    return [(sentence, expected(marks)) for sentence, marks in pairs]


def expected(marks: str) -> Said:
    said: Said = set()
    for part in filter(None, (part.strip() for part in marks.split(";"))):
        finding, given = re.fullmatch(r"([A-Z][A-Za-z ]+?) ([-+?][-+?LRB()i ]*)", part).groups()  # type: ignore[union-attr]
        assert finding in (*CHEXPERT_14, *OTHER_FINDINGS)
        for state, side, implied in re.findall(r"([-+?])([LRB]?)(\(i\))?", given):
            said.add((finding, STATES[state], SIDES[side], not implied))
    return said


def read(text: str) -> Said:
    return {
        (m.label, m.state.value, tuple(sorted(m.sides)), m.is_stated) for m in label_report(text).mentions
    }


@pytest.mark.parametrize(("sentence", "said"), written("sentences_to_write_by.txt"))
def test_a_sentence_that_the_rules_were_written_by_is_read_as_meant(sentence: str, said: Said) -> None:
    assert read(sentence) == said


def test_the_reference_tells_how_many_of_the_sentences_kept_from_the_rules_are_read_as_meant() -> None:
    rows = written("sentences_held_out.txt")
    right = sum(read(sentence) == said for sentence, said in rows)
    assert f"{right} of {len(rows)} sentences" in PAGE.read_text("utf-8")
    assert right >= 45


def test_the_reference_tells_how_the_published_labels_of_real_reports_are_met(shared_data: Path) -> None:
    with (shared_data / "reports" / "labeled_reports.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    text = PAGE.read_text("utf-8")
    for finding in CHEXPERT_14:
        truths = [None if row[finding] == "" else int(float(row[finding])) for row in rows]
        given = [label_report(row["Report Impression"]).as_chexpert()[finding] for row in rows]
        right = sum(truth == label for truth, label in zip(truths, given, strict=True))
        mentioned = sum(truth is not None for truth in truths)
        assert f"| {finding} | {mentioned} | {right} of {len(rows)} |" in text
