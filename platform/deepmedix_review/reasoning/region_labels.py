"""Names a region as readers see it on the film, and where it lies, the same wherever it is named."""

UP_AND_DOWN = ("upper", "middle", "lower")
ACROSS = ("left", "centre", "right")


def region_label(*, step: int, region: int, num_regions: int) -> str:
    """By its step's place and its own in it, from 1: the letter where the step has several.

    >>> region_label(step=2, region=1, num_regions=1), region_label(step=2, region=27, num_regions=30)
    ('2', '2aa')
    """
    return f"{step}{_letter(region) if num_regions > 1 else ''}"


def output_letter(place: int) -> str:
    """Which of several outputs about one film: A, B … Z, AA.

    >>> output_letter(1), output_letter(28)
    ('A', 'AB')
    """
    return _letter(place).upper()


def place_on_film(box: tuple[float, float, float, float], size: tuple[int, int]) -> str:
    """In which ninth of the film its middle lies: of the picture as it is seen, not of the patient. Edges
    x_min, y_min, x_max, y_max and size in film pixels.

    >>> place_on_film((10, 700, 90, 900), (1000, 1000)), place_on_film((450, 450, 550, 550), (1000, 1000))
    ('lower left', 'middle')
    >>> place_on_film((450, 0, 550, 20), (1000, 1000)), place_on_film((900, 450, 990, 550), (1000, 1000))
    ('upper middle', 'middle right')
    """
    x_min, y_min, x_max, y_max = box
    width, height = size
    down = UP_AND_DOWN[_third((y_min + y_max) / 2, height)]
    across = ACROSS[_third((x_min + x_max) / 2, width)]
    if across == "centre":
        return down if down == "middle" else f"{down} middle"
    return f"{down} {across}"


def _third(place: float, length: int) -> int:
    return min(2, max(0, int(3 * place / length))) if length else 1


def _letter(place: int) -> str:
    """1 is a, 26 z, 27 aa."""
    before, last = divmod(place - 1, 26)
    return (_letter(before) if before else "") + chr(ord("a") + last)
