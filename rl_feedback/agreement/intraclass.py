"""How much of the spread of scores lies between items, not between readers: intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, check_confidence, table_of

FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")


@dataclass(frozen=True, kw_only=True)
class IntraclassCorrelation(Estimate):
    """`form` as Shrout and Fleiss name them: the first figure is the model, then one reader's score (1) or
    the mean of all `num_readers` (k)."""

    form: str
    num_items: int
    num_readers: int
    num_items_left_out: int


@dataclass(frozen=True)
class _MeanSquares:
    """Of items, readers, error (two-way) and within items (one-way)."""

    items: float
    readers: float
    error: float
    within: float
    num_items: int
    num_readers: int


def icc(scores: Numbers, form: str, *, confidence: float = 0.95) -> IntraclassCorrelation:
    """The intraclass correlation of `scores`, items x readers.

    `form` "1,1": every item has readers of its own; "2,1": all readers read all items and stand for other
    readers (agreement); "3,1": these readers only (consistency: a reader's constant offset does not count);
    "1,k", "2,k", "3,k": the same of the mean over readers. Items with a gap (NaN) are left out and counted.
    Where no score differs, the value is None. The interval is by F (model 2: with Satterthwaite's degrees of
    freedom); it is None where the mean squares of error or items are 0.

    Sources: P. E. Shrout and J. L. Fleiss, Intraclass correlations (1979), Psychol Bull 86, 420-428: its
    table of 6 targets and 4 judges gives .17 .29 .71 .44 .62 .91. Intervals: K. O. McGraw and S. P. Wong
    (1996), Psychol Methods 1, 30-46.

    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(icc(judged, form).value, 2) for form in FORMS]
    [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    """
    check_confidence(confidence)
    if form not in FORMS:
        raise ValueError(f"form is one of {', '.join(FORMS)}; this is {form!r}.")
    table = table_of(scores, called="scores", shape="items x readers")
    whole = table[~np.isnan(table).any(axis=1)]
    if table.shape[1] < 2:
        raise ValueError(
            f"An intraclass correlation needs at least 2 readers (columns); these are {table.shape[1]}."
        )
    if len(whole) < 2:
        raise ValueError(
            f"Only {len(whole)} of {len(table)} items have a score of every reader, 2 are needed: leave out a"
            " reader with many gaps, or use krippendorff_alpha at interval level, which allows gaps."
        )
    found = _mean_squares(whole)
    value = _value(found, form)
    left_out = len(table) - len(whole)
    note = f"{left_out} items with a gap were left out." if left_out else ""
    if value is None:
        note = (
            "The scores do not vary as this form needs: between items and readers there is nothing to share."
        )
    return IntraclassCorrelation(
        value=value,
        interval=None if value is None else _interval(found, form, confidence),
        confidence=confidence,
        note=note,
        form=form,
        num_items=len(whole),
        num_readers=whole.shape[1],
        num_items_left_out=left_out,
    )


def _mean_squares(scores: Floats) -> _MeanSquares:
    num_items, num_readers = scores.shape
    centred = scores - scores.mean()
    of_items, of_readers = centred.mean(axis=1), centred.mean(axis=0)
    residual = centred - of_items[:, None] - of_readers[None, :]
    # Rounding leaves traces where sums of squares are 0.
    trace = 1e-24 * max(1.0, float((scores**2).sum()))
    sums = [
        num_readers * float(of_items @ of_items),
        num_items * float(of_readers @ of_readers),
        float((residual**2).sum()),
    ]
    items, readers, error = (0.0 if total <= trace else total for total in sums)
    return _MeanSquares(
        items=items / (num_items - 1),
        readers=readers / (num_readers - 1),
        error=error / ((num_items - 1) * (num_readers - 1)),
        within=(readers + error) / (num_items * (num_readers - 1)),
        num_items=num_items,
        num_readers=num_readers,
    )


def _value(found: _MeanSquares, form: str) -> float | None:
    n, k = found.num_items, found.num_readers
    model, unit = form.split(",")
    rest = found.within if model == "1" else found.error
    readers = (found.readers - found.error) / n if model == "2" else 0.0
    of_one_reader = (k - 1) * rest + (k - 1) * readers if unit == "1" else 0.0
    total = found.items + readers + of_one_reader
    return (found.items - rest) / total if total > 0 else None


def _interval(found: _MeanSquares, form: str, confidence: float) -> tuple[float, float] | None:
    model, unit = form.split(",")
    rest = found.within if model == "1" else found.error
    if rest <= 0 or found.items <= 0:
        return None
    k, n = found.num_readers, found.num_items
    if model == "2":
        low, high = _interval_of_agreement(found, confidence)
    else:
        of_rest = n * (k - 1) if model == "1" else (n - 1) * (k - 1)
        ratio, tail = found.items / rest, (1 + confidence) / 2
        smallest = ratio / scipy.stats.f.ppf(tail, n - 1, of_rest)
        largest = ratio * scipy.stats.f.ppf(tail, of_rest, n - 1)
        low, high = (float((f - 1) / (f + k - 1)) for f in (smallest, largest))
    if unit == "k":
        low, high = (k * end / (1 + (k - 1) * end) for end in (low, high))
    return low, high


def _interval_of_agreement(found: _MeanSquares, confidence: float) -> tuple[float, float]:
    """McGraw and Wong (1996), the interval of what they call ICC(A,1)."""
    n, k, tail = found.num_items, found.num_readers, (1 + confidence) / 2
    value = _value(found, "2,1") or 0.0
    ratio = found.readers / found.error
    a, b = k * value, n * (1 + (k - 1) * value) - k * value
    freedom = (k - 1) * (n - 1) * (a * ratio + b) ** 2 / ((n - 1) * (a * ratio) ** 2 + b**2)
    upper, lower = scipy.stats.f.ppf(tail, n - 1, freedom), scipy.stats.f.ppf(tail, freedom, n - 1)
    others = k * found.readers + (k * n - k - n) * found.error
    low = n * (found.items - upper * found.error) / (upper * others + n * found.items)
    high = n * (lower * found.items - found.error) / (others + n * lower * found.items)
    return float(low), float(high)
