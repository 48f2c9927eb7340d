"""How a film's stored values become grey, as DICOM PS3.4 N.2 orders it.

Modality transform, window or VOI table, polarity. The viewer (`frontend/src/viewer/values.ts`) does the same
arithmetic in the same order, so that a reader sees what the model is given.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

Numbers = NDArray[np.float64]
Curve = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True)
class LookupTable:
    """PS3.3 C.11.1.1 and C.11.2.1.1: `entries` for the values from `first_mapped` on, `maximum` is white."""

    first_mapped: int
    entries: Numbers
    maximum: float

    def look_up(self, values: Numbers) -> Numbers:
        """Below the first mapped value its entry holds, past the last the last."""
        index = np.clip(np.floor(values + 0.5) - self.first_mapped, 0, self.entries.size - 1)
        return np.asarray(self.entries[index.astype(np.int64)])


@dataclass(frozen=True)
class Look:
    """One way to show a film: a window over the values after the modality transform, or over the output of
    a VOI table."""

    name: str
    center: float
    width: float
    curve: Curve = "LINEAR"
    table: LookupTable | None = None

    def shares(self, values: Numbers) -> Numbers:
        """0 black to 1 white; PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2."""
        if self.table is not None:
            values = self.table.look_up(values)
        if self.curve == "SIGMOID":
            exponent = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponent)))
        middle, length = self.center, self.width
        if self.curve == "LINEAR":
            middle, length = self.center - 0.5, max(self.width, 1.0) - 1
        between = (values - middle) / max(length, 1e-9) + 0.5
        shares = np.where(values > middle + length / 2, 1.0, between)
        return np.where(values <= middle - length / 2, 0.0, shares)


def modality_values(stored: NDArray[Any], dataset: Dataset) -> Numbers:
    """Through the modality table where there is one, else the rescale (PS3.3 C.11.1)."""
    values = stored.astype(np.float64)
    tables = lookup_tables(dataset, "ModalityLUTSequence")
    if tables:
        return tables[0][1].look_up(values)
    slope = _number(dataset.get("RescaleSlope"), otherwise=1.0) or 1.0
    return values * slope + _number(dataset.get("RescaleIntercept"), otherwise=0.0)


def named_looks(dataset: Dataset) -> tuple[Look, ...]:
    """The windows that a film's header names, then its VOI tables; empty where it names none."""
    return (*_windows(dataset), *_tables(dataset))


def full_range(lowest: float, highest: float) -> Look:
    """The look of a film that names none: black is its lowest value, white its highest."""
    return Look("Full range", (lowest + highest) / 2 + 0.5, highest - lowest + 1)


def _windows(dataset: Dataset) -> list[Look]:
    centers, widths = _all(dataset.get("WindowCenter")), _all(dataset.get("WindowWidth"))
    names = [str(name).strip() for name in _all(dataset.get("WindowCenterWidthExplanation"))]
    function = str(dataset.get("VOILUTFunction") or "LINEAR").strip()
    curve: Curve = function if function in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"  # type: ignore[assignment]
    looks = []
    for index, (center, width) in enumerate(zip(centers, widths, strict=False)):
        middle, length = _number(center), _number(width)
        if np.isfinite([middle, length]).all() and length > 0:
            name = names[index] if index < len(names) else ""
            looks.append(Look(name or f"Window {index + 1}", middle, length, curve))
    return looks


def _tables(dataset: Dataset) -> list[Look]:
    looks = []
    for index, (name, table) in enumerate(lookup_tables(dataset, "VOILUTSequence")):
        whole = full_range(0, table.maximum)
        looks.append(Look(name or f"Table {index + 1}", whole.center, whole.width, table=table))
    return looks


def lookup_tables(dataset: Dataset, keyword: str) -> list[tuple[str, LookupTable]]:
    """Each table of a sequence with its explanation; one that can't be read is left out.

    pydicom's own function takes a table of 8-bit entries for one of 256 entries.
    """
    items = [item for item in dataset.get(keyword) or () if item.get("LUTData") is not None]
    return [
        (str(item.get("LUTExplanation") or "").strip(), _table(item))
        for item in items
        if len(_all(item.get("LUTDescriptor"))) == 3 and len(_all(item.LUTData)) > 0
    ]


def _table(item: Dataset) -> LookupTable:
    descriptor = item["LUTDescriptor"]
    number, first, bits = (int(value) for value in descriptor.value)
    # Of the three only the second is ever negative, whatever type the element has.
    number, bits = number & 0xFFFF or 65536, bits & 0xFFFF
    data = item.LUTData
    if isinstance(data, bytes):
        is_packed = bits <= 8 and len(data) < 2 * number
        entries = np.frombuffer(data, dtype="u1" if is_packed else "<u2")[:number]
    else:
        entries = np.asarray(_all(data)) & 0xFFFF
    if entries.size < number:
        raise ValueError(f"a lookup table holds {entries.size} entries, and its descriptor says {number}")
    # Some films' entries need more bits than their descriptor says; cut off, the bright ones would be white.
    maximum = max(2**bits, 2 ** int(entries.max()).bit_length()) - 1
    return LookupTable(first, entries.astype(np.float64), float(maximum))


def _all(value: Any) -> list[Any]:
    if value is None or (isinstance(value, str) and not value):
        return []
    if isinstance(value, bytes):
        return list(value)
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]


def _number(value: Any, *, otherwise: float = float("nan")) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return number if np.isfinite(number) else otherwise
