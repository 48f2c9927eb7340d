"""Makes what was written elsewhere a text that can be stored and printed."""


def well_formed(text: str) -> str:
    """The text with halves of signs joined that were sent apart, and � for a half that stands alone: JSON may
    hold such halves (RFC 8259, 8.2), UTF-8 may not.

    >>> well_formed("a" + chr(0xD83D) + chr(0xDE00) + chr(0xD800)) == "a" + chr(0x1F600) + chr(0xFFFD)
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
