"""Cuts a written report at its headings in capitals, where all of them are known; else it stays whole.

The headings are the frequent ones of section_parser.py in the MIMIC Code Repository (MIT-LCP/mimic-code).
That parser guesses at rare headings, at misspelt ones and at the last paragraph; here nothing is guessed, as
what a source says is taken for the truth.
"""

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^[ \t]*([A-Z][A-Z ()/,-]*):(?=\s|$)", re.MULTILINE)
_SECTION_OF = {
    "INDICATION": "indication",
    "CLINICAL INDICATION": "indication",
    "REASON FOR EXAM": "indication",
    "REASON FOR EXAMINATION": "indication",
    "HISTORY": "indication",
    "CLINICAL HISTORY": "indication",
    "CLINICAL INFORMATION": "indication",
    "PATIENT HISTORY": "indication",
    "FINDINGS": "findings",
    "FINDING": "findings",
    "IMPRESSION": "impression",
    "CONCLUSION": "impression",
    "FINDINGS AND IMPRESSION": "impression",
    "FINDINGS/IMPRESSION": "impression",
}
# How the film was made, what it was held against and who was told: nothing that is seen on it.
_LEFT = (
    "EXAMINATION",
    "EXAM",
    "TYPE OF EXAMINATION",
    "TECHNIQUE",
    "COMPARISON",
    "COMPARISONS",
    "COMPARISON EXAM",
    "COMPARISON FILM",
    "REFERENCE EXAM",
    "NOTIFICATION",
    "RECOMMENDATION",
    "RECOMMENDATIONS",
    "RECOMMENDATION(S)",
)
_TITLES = ("", "FINAL REPORT")


@dataclass(frozen=True)
class Sections:
    """Either the sections, one of `findings` and `impression` at least, or the whole `report`."""

    indication: str = ""
    findings: str = ""
    impression: str = ""
    report: str = ""


def sections_of(text: str) -> Sections:
    """
    >>> sections_of("FINAL REPORT\\n INDICATION:  Cough.\\n\\n FINDINGS:\\n Clear lungs.\\n")
    Sections(indication='Cough.', findings='Clear lungs.', impression='', report='')
    >>> sections_of("Clear lungs.")
    Sections(indication='', findings='', impression='', report='Clear lungs.')
    """
    headings = list(_HEADING.finditer(text))
    starts = [*(heading.start() for heading in headings), len(text)]
    is_known = " ".join(text[: starts[0]].split()) in _TITLES
    found: dict[str, list[str]] = {}
    for heading, end in zip(headings, starts[1:], strict=True):
        name = " ".join(heading[1].split())
        said = text[heading.end() : end].strip()
        if name in _SECTION_OF:
            found.setdefault(_SECTION_OF[name], []).append(said)
        # A heading over nothing is the title of the examination.
        elif said and name not in _LEFT:
            is_known = False
    sections = {name: "\n".join(filter(None, parts)) for name, parts in found.items()}
    if is_known and (sections.get("findings") or sections.get("impression")):
        return Sections(**sections)
    return Sections(report=text.strip())
