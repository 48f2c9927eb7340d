"""Puts a reader's cases in order, each case early for some and late for others, and hides repeats in it."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deepmedix_review.reviews.designs.balance import Bounds, choose, colour_evenly
from deepmedix_review.reviews.designs.washout import RoomForRepeats, share_repeats

# Each reader's list is cut into this many parts at most.
MOST_PARTS = 8

Pair = tuple[str, int]


def order_cases(pairs: Sequence[Pair], *, rng: random.Random) -> dict[str, list[int]]:
    """Each reader's cases in order: within one, every case is in every part of the list equally often.

    There are as many parts as readers of a case, so that they make a Latin square where every reader reads
    all; within a part the order is by chance.
    """
    if not pairs:
        return {}
    readers_per_case = min(Counter(case for _, case in pairs).values())
    parts = colour_evenly(pairs, min(MOST_PARTS, readers_per_case), rng=rng)
    by_reader: dict[str, list[tuple[int, float, int]]] = defaultdict(list)
    for (reader, case), part in zip(pairs, parts, strict=True):
        by_reader[reader].append((part, rng.random(), case))
    return {reader: [case for _, _, case in sorted(cases)] for reader, cases in by_reader.items()}


@dataclass(frozen=True)
class ListOrder:
    """One reader's cases in order: first `num_before` that were on the list before this draw and stay in
    their places, then the new ones. Behind these come the repeats of cases that `may_be_repeated`."""

    cases: tuple[int, ...]
    may_be_repeated: frozenset[int]
    num_before: int = 0

    @property
    def num_repeatable(self) -> int:
        return sum(case in self.may_be_repeated for case in self.cases)

    def last(self, washout_cases: int) -> int:
        """How many of its cases have the washout behind them."""
        return max(0, len(self.cases) - max(1, washout_cases))


def count_repeats(
    orders: Mapping[str, ListOrder],
    *,
    share: float,
    washout_cases: int,
    held_before: Mapping[str, tuple[int, int]],
) -> dict[str, int]:
    """By reader, how many more cases are read twice: as `share_repeats` says of the whole lists, less what
    they have, and the washout leaves room for.

    `held_before` says by reader how many cases of data and how many repeats the list has: of the new cases
    alone, what is rounded each time would add up, and the washout leave no room.
    """
    num_new = {
        reader: sum(case in order.may_be_repeated for case in order.cases[order.num_before :])
        for reader, order in orders.items()
    }
    num_data = [held_before[reader][0] + number for reader, number in num_new.items()]
    wanted = share_repeats(num_data, share=share)
    return {
        reader: RoomForRepeats(
            min(order.num_repeatable, max(0, number - held_before[reader][1])) if num_new[reader] else 0,
            len(order.cases),
        ).fitting(washout_cases)
        for (reader, order), number in zip(orders.items(), wanted, strict=True)
    }


def bring_forward(order: ListOrder, number: int, *, washout_cases: int) -> ListOrder:
    """The order with so many cases that may be repeated early enough for it: where controls have taken their
    places, the last of these change with the first cases behind."""
    last = order.last(washout_cases)
    brought = list(order.cases)
    lacking = number - sum(case in order.may_be_repeated for case in brought[:last])
    if lacking <= 0:
        return order
    early = [
        place
        for place in reversed(range(order.num_before, last))
        if brought[place] not in order.may_be_repeated
    ]
    late = [
        place
        for place in range(max(last, order.num_before), len(brought))
        if brought[place] in order.may_be_repeated
    ]
    for there, here in list(zip(early, late, strict=False))[:lacking]:
        brought[there], brought[here] = brought[here], brought[there]
    return replace(order, cases=tuple(brought))


def choose_repeats(
    orders: Mapping[str, ListOrder], numbers: Mapping[str, int], *, washout_cases: int, rng: random.Random
) -> dict[str, list[int]]:
    """The cases that each reader reads twice: so many, each case about as often. Only a case with
    `washout_cases` other cases after it can be repeated."""
    pairs: list[Pair] = []
    rows: dict[str, Bounds] = {}
    for reader, order in orders.items():
        able = [case for case in order.cases[: order.last(washout_cases)] if case in order.may_be_repeated]
        number = min(numbers[reader], len(able))
        if number:
            rows[reader] = Bounds(number, number)
            pairs += [(reader, case) for case in able]
    if not pairs:
        return {}
    total = sum(bounds.low for bounds in rows.values())
    cases = {case for _, case in pairs}
    columns = {case: Bounds(total // len(cases), -(-total // len(cases))) for case in cases}
    chosen = choose(pairs, rows=rows, columns=columns, total=total, rng=rng)
    repeats: dict[str, list[int]] = defaultdict(list)
    for (reader, case), is_chosen in zip(pairs, chosen, strict=True):
        if is_chosen:
            repeats[reader].append(case)
    return dict(repeats)


def hide_repeats(
    order: ListOrder, repeats: Sequence[int], *, washout_cases: int, rng: random.Random
) -> list[tuple[int, bool]]:
    """Cases and whether each is a repeat: between both readings of a case lie at least `washout_cases`
    others."""
    after: dict[int, list[int]] = defaultdict(list)
    place = {case: index for index, case in enumerate(order.cases)}
    end = len(order.cases) - 1
    for case in repeats:
        # Never right behind the first reading, whatever the washout.
        earliest = max(place[case] + max(1, washout_cases), order.num_before)
        drawn = rng.randint(earliest, end)
        # What comes due by the very signature before it would push aside the case made ready on the screen.
        after[min(max(drawn, earliest + 1), end)].append(case)
    hidden: list[tuple[int, bool]] = []
    for index, case in enumerate(order.cases):
        hidden.append((case, False))
        rng.shuffle(after[index])
        hidden += [(repeat, True) for repeat in after[index]]
    return hidden
