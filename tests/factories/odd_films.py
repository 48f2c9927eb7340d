"""Films in every way in which DICOM lets a film be stored, each with its greys by the standard's formulae.

The greys are written out here a second time, plainly and for themselves: nothing of the product is used.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import draw_phantom

Greys = NDArray[np.float64]
Stored = NDArray[np.integer[Any]]

ROWS, COLUMNS = 160, 128
STRIP_ROWS = 24
WHITE = 255.0


@dataclass(frozen=True)
class OddFilm:
    """`greys` of stored values, 0 to 255 and not rounded. `low` and `high` are the film's outermost values;
    `signed` and `bits` say how they are stored. `presets` are names in the viewer and what they show."""

    greys: Callable[[Greys], Greys]
    attributes: dict[str, Any] = field(default_factory=dict)
    low: int = 0
    high: int = 4095
    bits: int = 12
    signed: bool = False
    padding: tuple[int, int] | None = None
    presets: dict[str, Callable[[Greys], Greys]] = field(default_factory=dict)
    pixel_height: int = 1
    pixel_width: int = 1

    def stored(self, *, seed: int) -> Stored:
        """A phantom over the film's whole range, a strip with all its values below, padding on the left."""
        tall = draw_phantom(seed=seed, width=COLUMNS, height=ROWS).pixels
        values = np.round(self.low + tall * (self.high - self.low))
        ramp = np.linspace(self.low, self.high, STRIP_ROWS * COLUMNS).reshape(STRIP_ROWS, COLUMNS)
        values[-STRIP_ROWS:] = np.round(ramp)
        if self.padding is not None:
            values[:, :16] = self.padding[0]
            values[40:80, :16] = self.padding[1]
        depth = 8 if self.bits <= 8 else 16
        stored: Stored = values.astype(np.dtype(f"{'int' if self.signed else 'uint'}{depth}"))
        return stored

    def expected(self, stored: Stored, *, preset: str = "") -> Greys:
        """What the screen must show; padding is black."""
        values = stored.astype(np.float64)
        shown = np.clip((self.presets[preset] if preset else self.greys)(values), 0, WHITE)
        if self.padding is not None:
            low, high = self.padding
            shown[(values >= low) & (values <= high)] = 0
        return shown

    def write(self, path: Path, *, seed: int) -> Path:
        """The DICOM file, Explicit VR Little Endian, with no window but what the attributes name."""
        plain = FilmEncoding(photometric="MONOCHROME2", bits_stored=12, transfer_syntax="explicit")
        write_phantom_dicom(path, seed=seed, size=64, encoding=plain, patient_id=f"ODD-{path.stem}")
        film = dcmread(path)
        for keyword in (
            "WindowCenter",
            "WindowWidth",
            "WindowCenterWidthExplanation",
            "PixelSpacing",
            "ImagerPixelSpacing",
        ):
            film.pop(keyword, None)
        stored = self.stored(seed=seed)
        film.Rows, film.Columns = stored.shape
        film.BitsAllocated, film.BitsStored, film.HighBit = stored.itemsize * 8, self.bits, self.bits - 1
        film.PixelRepresentation = int(self.signed)
        kept = stored.astype(np.int64) & (2**self.bits - 1)
        film.PixelData = kept.astype(f"<u{stored.itemsize}").tobytes()
        film["PixelData"].VR = "OW" if stored.itemsize == 2 else "OB"
        if self.padding is not None:
            kind = "SS" if self.signed else "US"
            film.add_new("PixelPaddingValue", kind, self.padding[0])
            if self.padding[0] != self.padding[1]:
                film.add_new("PixelPaddingRangeLimit", kind, self.padding[1])
        for keyword, value in self.attributes.items():
            if value is None:
                film.pop(keyword, None)
            else:
                setattr(film, keyword, value)
        film.save_as(path)
        return path


def linear(center: float, width: float) -> Callable[[Greys], Greys]:
    """PS3.3 C.11.2.1.2.1."""

    def greys(x: Greys) -> Greys:
        if width == 1:
            return np.where(x > center - 0.5, WHITE, 0)
        return ((x - (center - 0.5)) / (width - 1) + 0.5) * WHITE

    return greys


def linear_exact(center: float, width: float) -> Callable[[Greys], Greys]:
    """PS3.3 C.11.2.1.3.2."""
    return lambda x: ((x - center) / width + 0.5) * WHITE


def sigmoid(center: float, width: float) -> Callable[[Greys], Greys]:
    """PS3.3 C.11.2.1.3.1."""
    return lambda x: WHITE / (1 + np.exp(-4 * (x - center) / width))


def between(low: float, high: float) -> Callable[[Greys], Greys]:
    """Black at `low`, white at `high`."""
    return lambda x: (x - low) / (high - low) * WHITE


def looked_up(entries: NDArray[Any], first: int, top: float) -> Callable[[Greys], Greys]:
    """PS3.3 C.11.2.1.1, as shares of `top`."""
    return lambda x: entries[np.clip(x.astype(int) - first, 0, entries.size - 1)] / top * WHITE


def negative(greys: Callable[[Greys], Greys]) -> Callable[[Greys], Greys]:
    """MONOCHROME1: the lowest value is white."""
    return lambda x: WHITE - np.clip(greys(x), 0, WHITE)


def after(modality: Callable[[Greys], Greys], greys: Callable[[Greys], Greys]) -> Callable[[Greys], Greys]:
    return lambda x: greys(modality(x))


def table(entries: NDArray[Any], *, first: int, bits: int, packed: bool = False, name: str = "") -> Dataset:
    item = Dataset()
    number = 0 if entries.size == 65536 else entries.size
    signed = first < 0
    item.add(DataElement("LUTDescriptor", "SS" if signed else "US", [number, first, bits]))
    if name:
        item.LUTExplanation = name
    item.add(DataElement("LUTData", "OW", entries.astype("u1" if packed else "<u2").tobytes()))
    return item


def modality_table(entries: NDArray[Any], *, first: int) -> Dataset:
    item = table(entries, first=first, bits=16)
    item.ModalityLUTType = "US"
    return item


_SHARE = np.arange(4096) / 4095
BENT = np.round(65535 * _SHARE**2.2)
HARD = np.round(65535 * np.clip(_SHARE * 3 - 1, 0, 1))
BENT_8 = np.round(255 * _SHARE**0.5)
SHORT = np.round(4095 * np.linspace(0, 1, 1001) ** 1.5)
LONG = np.round(65535 * np.sin(np.arange(65536) / 65535 * np.pi / 2))
FALLING = np.round(3000 - 2500 * _SHARE**1.3)
_RESCALE = {"RescaleType": "US"}
_ONE = {"PresentationLUTShape": "INVERSE", "PhotometricInterpretation": "MONOCHROME1"}


def _window(center: Any, width: Any, function: str = "LINEAR", **more: Any) -> dict[str, Any]:
    return {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function, **more}


def _tables(*items: Dataset) -> dict[str, Any]:
    return {"VOILUTSequence": Sequence(items)}


def _rescale(slope: float, intercept: float) -> dict[str, Any]:
    return {"RescaleSlope": slope, "RescaleIntercept": intercept}


ODD_FILMS: dict[str, OddFilm] = {
    "a window": OddFilm(linear(2048, 4096), _window(2048, 4096)),
    "a narrow window": OddFilm(linear(1500, 900), _window(1500, 900)),
    "a window of width 1": OddFilm(linear(2000, 1), _window(2000, 1)),
    "a linear exact window": OddFilm(linear_exact(1500, 9), _window(1500, 9, "LINEAR_EXACT")),
    "a sigmoid": OddFilm(sigmoid(2000, 1500), _window(2000, 1500, "SIGMOID")),
    "several windows": OddFilm(
        linear(1500, 2000),
        _window([1500, 2500], [2000, 800], WindowCenterWidthExplanation=["NORMAL", "HARDER"]),
        presets={"As stored: HARDER": linear(2500, 800), "Full range": between(0, 4095)},
    ),
    "no window": OddFilm(between(40, 3900), low=40, high=3900),
    "a VOI table": OddFilm(
        looked_up(BENT, 0, 65535),
        _tables(table(BENT, first=0, bits=16)),
        presets={"Full range": between(0, 4095)},
    ),
    "a VOI table of bytes": OddFilm(
        looked_up(BENT_8, 0, 255), _tables(table(BENT_8, first=0, bits=8, packed=True))
    ),
    "a VOI table that starts late": OddFilm(
        looked_up(SHORT, 1200, 4095), _tables(table(SHORT, first=1200, bits=12))
    ),
    "a VOI table with more bits than it says": OddFilm(
        looked_up(BENT, 0, 65535), _tables(table(BENT, first=0, bits=10))
    ),
    "several VOI tables": OddFilm(
        looked_up(BENT, 0, 65535),
        _tables(table(BENT, first=0, bits=16, name="NORMAL"), table(HARD, first=0, bits=16, name="HARDER")),
        presets={"As stored: HARDER": looked_up(HARD, 0, 65535)},
    ),
    "a window and a VOI table of one name": OddFilm(
        linear(2048, 3000),
        {
            **_window(2048, 3000, WindowCenterWidthExplanation="NORMAL"),
            **_tables(table(BENT, first=0, bits=16, name="NORMAL")),
        },
        presets={"As stored: NORMAL (2)": looked_up(BENT, 0, 65535)},
    ),
    "a VOI table of 65536 entries for signed values": OddFilm(
        looked_up(LONG, -32768, 65535),
        _tables(table(LONG, first=-32768, bits=16)),
        low=-32768,
        high=32767,
        bits=16,
        signed=True,
    ),
    "MONOCHROME1 with a window": OddFilm(negative(linear(1800, 2600)), {**_window(1800, 2600), **_ONE}),
    "MONOCHROME1 with a sigmoid": OddFilm(
        negative(sigmoid(1800, 2600)), {**_window(1800, 2600, "SIGMOID"), **_ONE}
    ),
    "MONOCHROME1 with a VOI table": OddFilm(
        negative(looked_up(BENT, 0, 65535)), {**_tables(table(BENT, first=0, bits=16)), **_ONE}
    ),
    "MONOCHROME1 without a window": OddFilm(negative(between(0, 4095)), _ONE),
    "rescaled": OddFilm(
        after(lambda x: x * 2 - 1024, linear(3000, 5000)), {**_window(3000, 5000), **_rescale(2, -1024)}
    ),
    "rescaled to fractions": OddFilm(
        after(lambda x: x / 4096, linear_exact(0.5, 0.8)),
        {**_window(0.5, 0.8, "LINEAR_EXACT"), **_rescale(1 / 4096, 0)},
    ),
    "rescaled to fractions without a window": OddFilm(
        after(lambda x: x / 4096, between(0, 4095 / 4096)), _rescale(1 / 4096, 0)
    ),
    "rescaled the other way round": OddFilm(
        after(lambda x: 4095 - x, linear(2048, 4096)), {**_window(2048, 4096), **_rescale(-1, 4095)}
    ),
    "a modality table and a window": OddFilm(
        after(lambda x: FALLING[x.astype(int)], linear(1700, 2000)),
        {
            **_window(1700, 2000),
            "ModalityLUTSequence": Sequence([modality_table(FALLING, first=0)]),
            "RescaleSlope": None,
            "RescaleIntercept": None,
            "RescaleType": None,
        },
    ),
    "a modality table and a VOI table": OddFilm(
        after(lambda x: FALLING[x.astype(int)], looked_up(BENT, 0, 65535)),
        {
            **_tables(table(BENT, first=0, bits=16)),
            "ModalityLUTSequence": Sequence([modality_table(FALLING, first=0)]),
            "RescaleSlope": None,
            "RescaleIntercept": None,
            "RescaleType": None,
        },
    ),
    "a modality table without a window": OddFilm(
        after(lambda x: FALLING[x.astype(int)], between(500, 3000)),
        {
            "ModalityLUTSequence": Sequence([modality_table(FALLING, first=0)]),
            "RescaleSlope": None,
            "RescaleIntercept": None,
            "RescaleType": None,
        },
    ),
    "padding without a window": OddFilm(between(300, 3500), low=300, high=3500, padding=(4095, 4095)),
    "padding and a wide window": OddFilm(
        linear(2048, 8000), _window(2048, 8000), low=300, high=3500, padding=(0, 0)
    ),
    "padding on MONOCHROME1": OddFilm(negative(between(300, 3500)), _ONE, low=300, high=3500, padding=(0, 0)),
    "a range of padding": OddFilm(between(300, 3500), low=300, high=3500, padding=(3900, 4095)),
    "padding that is rescaled": OddFilm(
        after(lambda x: x * 2 - 1024, between(2 * 300 - 1024, 2 * 3500 - 1024)),
        _rescale(2, -1024),
        low=300,
        high=3500,
        padding=(0, 10),
    ),
    "signed padding": OddFilm(
        linear(0, 3000),
        _window(0, 3000),
        low=-1500,
        high=1500,
        bits=16,
        signed=True,
        padding=(-32768, -32768),
    ),
    "signed values of 16 bits": OddFilm(
        linear(-200, 3000), _window(-200, 3000), low=-2000, high=2000, bits=16, signed=True
    ),
    "signed values of 12 bits without a window": OddFilm(
        between(-2048, 2047), low=-2048, high=2047, bits=12, signed=True
    ),
    "signed values of 8 bits": OddFilm(
        linear(0, 256), _window(0, 256), low=-128, high=127, bits=8, signed=True
    ),
    "8 bits": OddFilm(linear(128, 256), _window(128, 256), high=255, bits=8),
    "10 bits": OddFilm(linear(512, 1024), _window(512, 1024), high=1023, bits=10),
    "14 bits": OddFilm(linear(8192, 16384), _window(8192, 16384), high=16383, bits=14),
    "15 bits": OddFilm(between(0, 32767), high=32767, bits=15),
    "16 bits": OddFilm(linear(32768, 65536), _window(32768, 65536), high=65535, bits=16),
    "16 bits through a table": OddFilm(
        looked_up(LONG, 0, 65535), _tables(table(LONG, first=0, bits=16)), high=65535, bits=16
    ),
    "pixels three times as high as wide": OddFilm(
        linear(2048, 4096), {**_window(2048, 4096), "PixelSpacing": [0.9, 0.3]}, pixel_height=3
    ),
    "pixels three times as wide as high": OddFilm(
        linear(2048, 4096), {**_window(2048, 4096), "ImagerPixelSpacing": [0.15, 0.45]}, pixel_width=3
    ),
    "an aspect ratio without a spacing": OddFilm(
        linear(2048, 4096), {**_window(2048, 4096), "PixelAspectRatio": [3, 1]}, pixel_height=3
    ),
}
