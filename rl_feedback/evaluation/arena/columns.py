"""Battles as columns of numbers, and how often each pair of models met with which end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from rl_feedback.agreement.estimate import Floats, Integers

Column = npt.NDArray[Any] | Sequence[Any]
# Lost, tied, won, by the left one: the outcome's places times 2.
NUM_ENDS = 3
# Whole numbers in so narrow a range are told apart by counting instead of by their names.
_WIDEST_RANGE = 100_000


@dataclass(frozen=True, eq=False)
class Columns:
    """`left` and `right` are places in `models`, `end` is 0, 1 or 2, `study` a place or None. A `cell` is a
    pair of models, in that order, with an end."""

    models: tuple[Any, ...]
    left: Integers
    right: Integers
    end: Integers
    study: Integers | None
    num_studies: int

    @property
    def cell(self) -> Integers:
        return (self.left * len(self.models) + self.right) * NUM_ENDS + self.end

    @property
    def num_cells(self) -> int:
        return len(self.models) ** 2 * NUM_ENDS

    def counts(self) -> Integers:
        return np.bincount(self.cell, minlength=self.num_cells)

    def drawn_counts(self, *, num_draws: int, rng: np.random.Generator) -> Floats:
        """Counts of cells (draws x cells) where battles, or whole studies with all their battles, are drawn
        with replacement."""
        if self.study is None:
            counts = self.counts()
            used = np.flatnonzero(counts)
            drawn = np.zeros((num_draws, self.num_cells))
            total = int(counts.sum())
            drawn[:, used] = rng.multinomial(total, counts[used] / total, size=num_draws)
            return drawn
        of_study = scipy.sparse.csr_matrix(
            (np.ones(len(self.left)), (self.study, self.cell)), shape=(self.num_studies, self.num_cells)
        )
        weight = rng.multinomial(
            self.num_studies, np.full(self.num_studies, 1 / self.num_studies), size=num_draws
        )
        return np.asarray(weight @ of_study, dtype=np.float64)

    def won(self, counts: npt.NDArray[Any]) -> Floats:
        """Win matrices (draws x models x models) of counts of cells (draws x cells), ties as half."""
        many = len(self.models)
        cells = counts.reshape(-1, many, many, NUM_ENDS).astype(np.float64)
        half = cells[..., 1] / 2
        return cells[..., 2] + half + (cells[..., 0] + half).transpose(0, 2, 1)


def columns_of(left: Column, right: Column, outcome: Column, study: Column | None) -> Columns:
    """Raises ValueError for no battle, columns of unequal length, an outcome that is none, and a model that
    meets itself."""
    sizes = {len(column) for column in (left, right, outcome) if column is not None}
    if study is not None:
        sizes.add(len(study))
    if len(sizes) != 1:
        raise ValueError(
            "Every battle has a left model, a right one and an outcome: columns differ in length."
        )
    if sizes == {0}:
        raise ValueError("There is no battle yet, so no model can be ranked.")
    models, place = _named(left, right)
    left_place, right_place = place[: len(left)], place[len(left) :]
    if (left_place == right_place).any():
        raise ValueError("A battle is between two models; one names the same model twice.")
    studies, num_studies = None, 0
    if study is not None:
        names, studies = _named(study)
        num_studies = len(names)
    return Columns(models, left_place, right_place, _ends(outcome), studies, num_studies)


def _ends(outcome: Column) -> Integers:
    try:
        ends = 2 * np.asarray(outcome, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("An outcome is 1 where the left model won, 0 where it lost, .5 for a tie.") from None
    whole = np.nan_to_num(ends, nan=-1.0).astype(np.int64)
    if not ((whole == ends) & (whole >= 0) & (whole <= 2)).all():
        wrong = np.asarray(outcome)[~((whole == ends) & (whole >= 0) & (whole <= 2))][0]
        raise ValueError(
            f"An outcome is 1 where the left model won, 0 where it lost, .5 for a tie; one is {wrong}."
        )
    return whole


def _named(*columns: Column) -> tuple[tuple[Any, ...], Integers]:
    """The names there are, ascending, and for each entry of the columns in a row its name's place."""
    if all(isinstance(column, np.ndarray) and column.dtype.kind in "iu" for column in columns):
        numbers = np.concatenate(columns).astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < _WIDEST_RANGE:
            shifted = numbers - low
            present = np.bincount(shifted, minlength=high - low + 1) > 0
            place = np.cumsum(present) - 1
            return tuple((np.flatnonzero(present) + low).tolist()), place[shifted]
    values = [
        value
        for column in columns
        for value in (column if isinstance(column, list) else np.asarray(column).tolist())
    ]
    names = sorted(dict.fromkeys(values))
    places = {name: at for at, name in enumerate(names)}
    return tuple(names), np.fromiter(map(places.__getitem__, values), np.int64, len(values))
