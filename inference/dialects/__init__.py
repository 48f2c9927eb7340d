"""How each family of models writes its reasoning, its boxes and its answer.

A dialect turns a text into the same `ParsedCompletion`, in one pass, and never raises. The door to all of
them is `inference.grounding.parse_completion`.
"""

from collections.abc import Callable
from enum import StrEnum

from inference.dialects import deepmedix, json_boxes, maira_2, marked, prose
from inference.dialects.parsed import ParsedCompletion

__all__ = ["DIALECT_WORDS", "Dialect", "read"]


class Dialect(StrEnum):
    """Which grammar a completion follows."""

    DEEPMEDIX = "deepmedix"
    JSON_BOXES = "json-boxes"
    MARKED = "marked"
    MAIRA_2 = "maira-2"
    PROSE = "prose"


# How a box is written, for people.
DIALECT_WORDS: dict[Dialect, str] = {
    Dialect.DEEPMEDIX: "`[x_min, y_min, x_max, y_max]` in `<think>`, answer in `\\boxed{}`",
    Dialect.JSON_BOXES: '`{"bbox_2d": [x_min, y_min, x_max, y_max], "label": …}` '
    'or `{"box_2d": [y_min, x_min, y_max, x_max], …}`',
    Dialect.MARKED: "`<\\|ref\\|>…<\\|/ref\\|><\\|box\\|>(x_min,y_min),(x_max,y_max)<\\|/box\\|>`",
    Dialect.MAIRA_2: "`<obj>…<box><x_min><y_min><x_max><y_max></box></obj>`, 100 bins a side",
    Dialect.PROSE: "no boxes",
}

_READERS: dict[Dialect, Callable[..., ParsedCompletion]] = {
    Dialect.DEEPMEDIX: deepmedix.read,
    Dialect.JSON_BOXES: json_boxes.read,
    Dialect.MARKED: marked.read,
    Dialect.MAIRA_2: maira_2.read,
    Dialect.PROSE: prose.read,
}


def read(text: str, *, dialect: Dialect, reasons: bool) -> ParsedCompletion:
    """Read a completion by its dialect; see `inference.grounding.parse_completion`."""
    return _READERS[dialect](text, reasons=reasons)
