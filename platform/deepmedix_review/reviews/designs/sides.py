"""Draws which output stands on side A: by blocks along each reader's list, and either way as often per case.

Of each block of a list half are swapped, in random order (permuted blocks: Pocock, Clinical Trials, 1983,
5.3), so that no stretch of it has one output on one side. Within a block two and two readings get different
sides, and so do two and two of a case; what these ties connect are paths and even cycles, each of which can
be coloured in two ways, and a coin says in which.
"""

import random
from collections.abc import Mapping, Sequence

from deepmedix_review.reviews.designs.balance import Before, Pair

# Half of a block at its end and half of the next at its beginning: a run of one side is no longer than this.
BLOCK = 4


def draw_sides(
    lists: Mapping[str, Sequence[int]],
    *,
    rng: random.Random,
    lists_before: Mapping[str, Sequence[bool]] | None = None,
    cases_before: Mapping[int, Before] | None = None,
) -> frozenset[Pair]:
    """The pairs of reader and case that are swapped, of each reader's cases in their order.

    `lists_before` says by reader which of the readings before these were swapped, `cases_before` by case how
    many of how many. Where both can't be kept, blocks give way: who comes late makes up for those before.

    >>> swapped = draw_sides({"r": [1, 2, 3, 4, 5, 6, 7, 8]}, rng=random.Random(1))
    >>> [sum(("r", case) in swapped for case in block) for block in ([1, 2, 3, 4], [5, 6, 7, 8])]
    [2, 2]
    """
    ties = _Ties(rng)
    for reader, cases in lists.items():
        held = list((lists_before or {}).get(reader, ()))
        unfinished = held[len(held) - len(held) % BLOCK :]
        pairs = [(reader, case) for case in cases]
        first = BLOCK - len(unfinished)
        ties.tie_in_block(pairs[:first], unfinished)
        for start in range(first, len(pairs), BLOCK):
            ties.tie_in_block(pairs[start : start + BLOCK], [])
    of_case: dict[int, list[Pair]] = {}
    for reader, cases in lists.items():
        for case in cases:
            of_case.setdefault(case, []).append((reader, case))
    for case, pairs in of_case.items():
        had = (cases_before or {}).get(case, Before())
        ties.tie_of_case(pairs, [True] * had.num_chosen + [False] * (had.num - had.num_chosen))
    return ties.swapped()


class _Ties:
    """Which two readings get different sides: each is tied at most once in its block and once by its case."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._in_block: dict[Pair, Pair] = {}
        self._of_case: dict[Pair, Pair] = {}
        # Told by what was drawn before, in the block or of the case.
        self._by_block: dict[Pair, bool] = {}
        self._by_case: dict[Pair, bool] = {}
        self._pairs: list[Pair] = []

    def tie_in_block(self, pairs: Sequence[Pair], before: Sequence[bool]) -> None:
        self._pairs += pairs
        self._tie(pairs, before, self._in_block, self._by_block)

    def tie_of_case(self, pairs: Sequence[Pair], before: Sequence[bool]) -> None:
        self._tie(pairs, before, self._of_case, self._by_case)

    def _tie(
        self, pairs: Sequence[Pair], before: Sequence[bool], ties: dict[Pair, Pair], told: dict[Pair, bool]
    ) -> None:
        """What was drawn before more often one way is made up for; the rest go two and two."""
        surplus = 2 * sum(before) - len(before)
        drawn = self._rng.sample(list(pairs), len(pairs))
        for pair in drawn[: abs(surplus)]:
            told[pair] = surplus < 0
        free = drawn[abs(surplus) :]
        for one, other in zip(free[::2], free[1::2], strict=False):
            ties[one], ties[other] = other, one

    def swapped(self) -> frozenset[Pair]:
        sides = self._by_block | self._by_case
        for pair in (*self._by_case, *self._by_block):
            self._spread(pair, sides)
        for pair in self._pairs:
            if pair not in sides:
                sides[pair] = self._rng.random() < 0.5
                self._spread(pair, sides)
        return frozenset(pair for pair, is_swapped in sides.items() if is_swapped)

    def _spread(self, start: Pair, sides: dict[Pair, bool]) -> None:
        """To all that is tied to it. A tie between two that were told apart from each other is left."""
        reached = [start]
        for pair in reached:
            for ties in (self._in_block, self._of_case):
                other = ties.get(pair)
                if other is not None and other not in sides:
                    sides[other] = not sides[pair]
                    reached.append(other)
