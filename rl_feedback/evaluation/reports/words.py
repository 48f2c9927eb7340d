"""The words of a report, as BLEU's own tokeniser cuts them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# mteval-v13a, as sacrebleu has it: Western punctuation, and marks in numbers stay where they are.
_CUTS = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}
_SAYS_SOMETHING = re.compile(r"\w")


@lru_cache(maxsize=20_000)
def tokens_13a(text: str) -> tuple[str, ...]:
    """Words and marks in small letters: tokeniser 13a of WMT, as sacrebleu's `tok:13a|case:lc`.

    >>> tokens_13a("No effusion, 2.5 cm.")
    ('no', 'effusion', ',', '2.5', 'cm', '.')
    """
    line = text.lower().rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, sign in _ENTITIES.items():
            line = line.replace(entity, sign)
    line = f" {line} "
    for cut, parted in _CUTS:
        line = cut.sub(parted, line)
    return tuple(line.split())


@lru_cache(maxsize=20_000)
def words(text: str) -> tuple[str, ...]:
    """The same without marks.

    >>> words("No effusion, 2.5 cm.")
    ('no', 'effusion', '2.5', 'cm')
    """
    return tuple(token for token in tokens_13a(text) if _SAYS_SOMETHING.search(token))


def runs(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Every run of `order` tokens."""
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))
