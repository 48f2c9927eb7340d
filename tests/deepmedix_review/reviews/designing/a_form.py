"""What the design page sends of a plain reader study, with some of it said otherwise."""

from typing import Any

NEW = "/reader-studies/new/"


def form(**said: Any) -> dict[str, Any]:
    """What the page sends of a plain reader study, with some of it said otherwise."""
    return {
        "title": "Winter films",
        "shows": "two_samples",
        "cases_from": "chosen",
        "design": "every_reader",
        "first_reads": "off",
        "adjudication": "off",
        "seed": "4",
        "taught-TOTAL_FORMS": "0",
        "taught-INITIAL_FORMS": "0",
    } | said


def uids(*found: Any) -> list[str]:
    return [str(one.uid) for one in found]
