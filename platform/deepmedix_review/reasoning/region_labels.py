"""Names a region as readers see it on the film, the same wherever it is named."""


def region_label(*, step: int, region: int, num_regions: int) -> str:
    """By its step's place and its own in it, from 1: the letter where the step has several.

    >>> region_label(step=2, region=1, num_regions=1), region_label(step=2, region=27, num_regions=30)
    ('2', '2aa')
    """
    return f"{step}{_letter(region) if num_regions > 1 else ''}"


def _letter(place: int) -> str:
    """1 is a, 26 z, 27 aa."""
    before, last = divmod(place - 1, 26)
    return (_letter(before) if before else "") + chr(ord("a") + last)
