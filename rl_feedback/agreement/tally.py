"""How often each category was given to each item: all that agreement needs to know of a table of ratings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rl_feedback.agreement.estimate import Floats, Integers, Numbers, table_of

# Above this many cells a table of items x categories is kept as its non-zero entries only.
_MOST_CELLS = 20_000_000
# Whole numbers are told apart by counting where they span no more than this, or so many for each of them.
_WIDEST_RANGE, _WIDEST_FOR_EACH = 1000, 4


@dataclass(frozen=True, eq=False)
class Tally:
    """Items with the same counts are one pattern, so that a million ratings on five categories become a few
    hundred rows, and drawing items anew becomes drawing patterns: the same distribution, far faster.

    Entry e says that `count[e]` readers gave category `category[e]` to an item of pattern `pattern[e]`.
    """

    categories: Floats
    pattern: Integers
    category: Integers
    count: Floats
    num_items_of_pattern: Integers
    num_readers: int
    num_ratings: int

    @property
    def num_patterns(self) -> int:
        return len(self.num_items_of_pattern)

    @property
    def num_items(self) -> int:
        return int(self.num_items_of_pattern.sum())

    def sizes(self) -> Floats:
        """Ratings per item, by pattern."""
        return sums_by(self.pattern, self.count, self.num_patterns)

    def of_at_least(self, fewest: int) -> Tally:
        """Without the items that have fewer ratings."""
        kept = self.sizes() >= fewest
        if kept.all():
            return self
        entry = kept[self.pattern]
        count = self.count[entry]
        place = np.cumsum(kept) - 1
        num_items = self.num_items_of_pattern[kept]
        return replace(
            self,
            pattern=place[self.pattern[entry]],
            category=self.category[entry],
            count=count,
            num_items_of_pattern=num_items,
            num_ratings=int(count @ num_items[place[self.pattern[entry]]]),
        )

    def table(self) -> Floats:
        """Patterns x categories."""
        dense = np.zeros((self.num_patterns, len(self.categories)))
        dense[self.pattern, self.category] = self.count
        return dense


def sums_by(place: Integers, weight: Floats, many: int) -> Floats:
    """The sum of weights at each of `many` places."""
    return np.bincount(place, weight, minlength=many).astype(np.float64, copy=False)


def tally_counts(counts: Numbers, categories: Numbers) -> Tally:
    """Tally items x categories: how many readers gave each of the ascending `categories` to each item. Items
    without a rating are left out. It takes the place of a table of ratings where readers are many, or where
    the same ratings go into several statistics.

    Raises ValueError for counts that are no whole numbers, for other columns than `categories` has, and
    where no item has a rating.

    >>> from rl_feedback.agreement import krippendorff_alpha
    >>> of_items = tally_counts([[2, 0, 0], [1, 1, 0], [0, 0, 2]], [1, 2, 3])
    >>> krippendorff_alpha(of_items, "ordinal") == krippendorff_alpha([[1, 1, 3], [1, 2, 3]], "ordinal")
    True
    """
    table = table_of(counts, called="counts", shape="items x categories")
    names = np.asarray(categories, dtype=np.float64)
    if table.shape[1] != len(names) or (np.diff(names) <= 0).any():
        raise ValueError(
            f"counts have {table.shape[1]} columns, and there are {len(names)} categories: give a column for "
            "each, categories ascending."
        )
    if np.isnan(table).any() or (table < 0).any() or (table != np.rint(table)).any():
        raise ValueError("counts are whole numbers of readers, 0 where no reader gave the category.")
    whole = table.astype(np.int64)
    sizes = whole.sum(axis=1)
    if not sizes.any():
        raise ValueError("No item has a rating.")
    whole = whole[sizes > 0]
    return _of_counts(whole, names, num_readers=int(sizes.max()), num_ratings=int(sizes.sum()))


def tally_ratings(ratings: Numbers, *, categories: Numbers | None = None, fewest: int = 1) -> Tally:
    """Tally readers x items, NaN for gaps; items with fewer than `fewest` ratings are left out.

    `categories` lists every category there is, seen or not; without it, those seen. Raises ValueError for
    one reader, no ratings, or a rating outside the categories.
    """
    table = table_of(ratings, called="ratings", shape="readers x items")
    if table.shape[0] < 2:
        raise ValueError(
            f"Agreement needs at least 2 readers (rows); these are {table.shape[0]}."
            " Rows are readers, columns are items."
        )
    given = ~np.isnan(table)
    if given.all():
        readers_of_item = np.full(table.shape[1], table.shape[0])
    else:
        readers_of_item = given.sum(axis=0)
        if not readers_of_item.any():
            raise ValueError("There is no rating: every place holds a gap (NaN).")
    kept = readers_of_item >= fewest
    if not kept.any():
        raise ValueError(
            f"No item has {fewest} ratings, so nothing can be compared: let two readers read the same items."
        )
    given &= kept
    values = table[given]
    seen, codes = encode(values)
    if categories is not None:
        seen, codes = _among(seen, codes, categories)
    # Items without a rating vanish here.
    place_of_item = np.cumsum(kept) - 1
    item = np.broadcast_to(place_of_item, table.shape)[given]
    return _collapsed(item, codes, seen, num_items=int(kept.sum()), num_readers=table.shape[0])


def tally_of(ratings: Numbers | Tally, *, categories: Numbers | None = None, fewest: int = 1) -> Tally:
    """Ratings as `tally_ratings` takes them, or what was tallied already. Raises ValueError as it does, and
    for categories beside a tally, which has its own."""
    if not isinstance(ratings, Tally):
        return tally_ratings(ratings, categories=categories, fewest=fewest)
    if categories is not None:
        raise ValueError("A tally has its own categories: give them to tally_counts.")
    tally = ratings.of_at_least(fewest)
    if not tally.num_items:
        raise ValueError(
            f"No item has {fewest} ratings, so nothing can be compared: let two readers read the same items."
        )
    return tally


def encode(values: Floats) -> tuple[Floats, Integers]:
    """The distinct values, ascending, and the place of each value among them: `np.unique`, by counting where
    they are whole numbers close together."""
    low, high = values.min(), values.max()
    if high - low < max(_WIDEST_RANGE, _WIDEST_FOR_EACH * len(values)) and (values == np.rint(values)).all():
        offsets = (values - low).astype(np.int64)
        present = np.bincount(offsets) > 0
        return np.flatnonzero(present) + low, (np.cumsum(present) - 1)[offsets]
    seen, codes = np.unique(values, return_inverse=True)
    return seen, codes


def _among(seen: Floats, codes: Integers, categories: Numbers) -> tuple[Floats, Integers]:
    every = np.unique(np.asarray(categories, dtype=np.float64))
    places = np.searchsorted(every, seen)
    strange = [v for v, p in zip(seen, places, strict=True) if p == len(every) or every[p] != v]
    if strange:
        raise ValueError(f"The rating {strange[0]:g} is not among the categories: add it or mend the rating.")
    return every, places[codes]


def _collapsed(item: Integers, codes: Integers, seen: Floats, *, num_items: int, num_readers: int) -> Tally:
    num_categories = len(seen)
    cell = item * num_categories + codes
    if num_items * num_categories <= _MOST_CELLS:
        counts = np.bincount(cell, minlength=num_items * num_categories).reshape(num_items, num_categories)
        return _of_counts(counts, seen, num_readers=num_readers, num_ratings=len(codes))
    cells, count = np.unique(cell, return_counts=True)
    pattern, category = np.divmod(cells, num_categories)
    return Tally(
        categories=seen,
        pattern=pattern,
        category=category,
        count=count.astype(np.float64),
        num_items_of_pattern=np.ones(num_items, dtype=np.int64),
        num_readers=num_readers,
        num_ratings=len(codes),
    )


def _of_counts(counts: Integers, categories: Floats, *, num_readers: int, num_ratings: int) -> Tally:
    num_items, num_categories = counts.shape
    if num_categories * np.log2(num_readers + 1) < 62:
        keys = counts @ (num_readers + 1) ** np.arange(num_categories)
        _, first, multiplicity = np.unique(keys, return_index=True, return_counts=True)
        counts = counts[first]
    else:
        multiplicity = np.ones(num_items, dtype=np.int64)
    pattern, category = np.nonzero(counts)
    return Tally(
        categories=categories,
        pattern=pattern,
        category=category,
        count=counts[pattern, category].astype(np.float64),
        num_items_of_pattern=multiplicity,
        num_readers=num_readers,
        num_ratings=num_ratings,
    )
