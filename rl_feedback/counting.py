"""How many of what, in words."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun; `nouns` where more than one is not said with an s.

    >>> counted(1, "pair"), counted(1200, "pair"), counted(0, "study", "studies")
    ('1 pair', '1,200 pairs', '0 studies')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
