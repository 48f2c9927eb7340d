"""Makes what was written elsewhere a text that can be stored, printed and read as it runs."""

import re
import unicodedata

# What turns the order of the letters after it round (Unicode Standard Annex 9, 2.1 to 2.4).
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def turns_text(text: str) -> bool:
    """Whether it reads otherwise than it runs (Boucher, Anderson 2021, "Trojan Source").

    >>> turns_text(f"no{chr(0x202E)} nodule"), turns_text("no nodule")
    (True, False)
    """
    return _TURNS.search(text) is not None


def seen_text(text: str) -> tuple[str, int]:
    """The text, with signs that can't be seen or that turn the order of others round written as their number,
    and how many there are.

    >>> seen_text("a = 1" + chr(0x202E))
    ('a = 1<U+202E>', 1)
    """
    shown, num_hidden = [], 0
    for sign in text:
        is_hidden = sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cf", "Co", "Zl", "Zp")
        num_hidden += is_hidden
        shown.append(f"<U+{ord(sign):04X}>" if is_hidden else sign)
    return "".join(shown), num_hidden


def well_formed(text: str) -> str:
    """The text with halves of signs joined that were sent apart, and � for a half that stands alone: JSON may
    hold such halves (RFC 8259, 8.2), UTF-8 may not.

    >>> well_formed("a" + chr(0xD83D) + chr(0xDE00) + chr(0xD800)) == "a" + chr(0x1F600) + chr(0xFFFD)
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
