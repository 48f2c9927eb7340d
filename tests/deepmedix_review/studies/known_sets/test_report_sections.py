"""Reports cut at their headings, or kept whole."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.studies.known_sets import report_sections
from deepmedix_review.studies.known_sets.report_sections import Sections, sections_of

HEAD = "  FINAL REPORT\n"


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("", Sections()),
        (" FINDINGS:  Clear.\n IMPRESSION:\n\n Normal.\n", Sections(findings="Clear.", impression="Normal.")),
        (HEAD + " CONCLUSION: Normal.", Sections(impression="Normal.")),
        (HEAD + " FINDINGS AND IMPRESSION:\n Normal.", Sections(impression="Normal.")),
        (" FINDINGS: Seen.\r\n IMPRESSION: Normal.\r\n", Sections(findings="Seen.", impression="Normal.")),
        (
            " REASON FOR EXAMINATION:  Fall.\n HISTORY:  Asthma.\n FINDINGS:  Clear.",
            Sections(indication="Fall.\nAsthma.", findings="Clear."),
        ),
        # Only what is seen is kept; the rest is known and left.
        (
            " EXAMINATION: CHEST\n TECHNIQUE: PA\n COMPARISON: No.\n IMPRESSION: Fit.\n NOTIFICATION: Told.",
            Sections(impression="Fit."),
        ),
        # A heading over nothing is a title; a word with a colon within a line is no heading.
        (
            " CHEST, PA AND LATERAL:\n\n IMPRESSION: As of yesterday: ETT: 3 cm.",
            Sections(impression="As of yesterday: ETT: 3 cm."),
        ),
        (" IMPRESSION:\n 1. Time 10:30.\n 2. Line.", Sections(impression="1. Time 10:30.\n2. Line.")),
    ],
)
def test_known_headings_cut_it(text: str, sections: Sections) -> None:
    said = sections_of(text)
    assert {name: [line.strip() for line in value.split("\n")] for name, value in vars(said).items()} == {
        name: value.split("\n") for name, value in vars(sections).items()
    }


@pytest.mark.parametrize(
    "text",
    [
        "Clear lungs.",
        "INDICATION: Cough.\n COMPARISON: None.\n Clear lungs.",
        "ADDENDUM: The nodule is new.\n FINDINGS: Clear.\n IMPRESSION: Normal.",
        "FINDINGS: Clear.\n PICC LINE: Ends in the right atrium.",
        "Wet read by resident.\n FINDINGS: Clear.",
        "FINDINGS:\n IMPRESSION:\n",
        "IMPRESION: Normal.",
    ],
)
def test_what_is_not_sure_stays_whole(text: str) -> None:
    assert sections_of(text) == Sections(report=text.strip())


@given(st.text(alphabet="FINDGSMPREO: \n\tabc-(),/", max_size=300))
def test_nothing_is_both_cut_and_whole(text: str) -> None:
    said = sections_of(text)
    assert bool(said.report) != bool(said.findings or said.impression) or not text.strip()
    assert not (said.report and said.indication)


def test_its_examples_hold() -> None:
    told = doctest.testmod(report_sections)
    assert (told.attempted, told.failed) == (2, 0)
