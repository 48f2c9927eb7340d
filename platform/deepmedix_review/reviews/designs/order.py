"""Puts a reader's cases in order, each case early for some and late for others, and hides repeats in it."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

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


def count_repeats(
    orders: Mapping[str, Sequence[int]],
    *,
    share: float,
    washout_cases: int,
    may_be_repeated: frozenset[int],
    held_before: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, int]:
    """By reader, how many cases are read twice: as `share_repeats` says and the washout leaves room for.

    `held_before` says by reader how many cases and repeats the list has already: the share is of all cases of
    that list then, or what is rounded each time would add up.
    """
    num_data = [sum(case in may_be_repeated for case in order) for order in orders.values()]
    if held_before is None:
        wanted = share_repeats(num_data, share=share)
    else:
        before = [held_before.get(reader, (0, 0)) for reader in orders]
        wanted = tuple(
            min(number, max(0, round(share * (cases + number)) - repeats))
            for number, (cases, repeats) in zip(num_data, before, strict=True)
        )
    return {
        reader: RoomForRepeats(number, len(order)).fitting(washout_cases)
        for (reader, order), number in zip(orders.items(), wanted, strict=True)
    }


def bring_forward(
    order: Sequence[int], number: int, *, washout_cases: int, may_be_repeated: frozenset[int]
) -> list[int]:
    """The order with so many cases that may be repeated early enough for it: where controls have taken their
    places, the last of these change with the first cases behind."""
    last = max(0, len(order) - max(1, washout_cases))
    lacking = number - sum(case in may_be_repeated for case in order[:last])
    brought = list(order)
    if lacking <= 0:
        return brought
    early = [place for place in reversed(range(last)) if order[place] not in may_be_repeated]
    late = [place for place in range(last, len(order)) if order[place] in may_be_repeated]
    for there, here in list(zip(early, late, strict=False))[:lacking]:
        brought[there], brought[here] = brought[here], brought[there]
    return brought


def choose_repeats(
    orders: Mapping[str, Sequence[int]],
    numbers: Mapping[str, int],
    *,
    washout_cases: int,
    may_be_repeated: frozenset[int],
    rng: random.Random,
) -> dict[str, list[int]]:
    """The cases that each reader reads twice: so many, each case about as often. Only a case with
    `washout_cases` other cases after it can be repeated."""
    pairs: list[Pair] = []
    rows: dict[str, Bounds] = {}
    for reader, order in orders.items():
        last = max(0, len(order) - max(1, washout_cases))
        if numbers[reader]:
            rows[reader] = Bounds(numbers[reader], numbers[reader])
            pairs += [(reader, case) for case in order[:last] if case in may_be_repeated]
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
    order: Sequence[int], repeats: Sequence[int], *, washout_cases: int, rng: random.Random
) -> list[tuple[int, bool]]:
    """Cases and whether each is a repeat: between both readings of a case lie at least `washout_cases`
    others."""
    after: dict[int, list[int]] = defaultdict(list)
    place = {case: index for index, case in enumerate(order)}
    for case in repeats:
        # Never right behind the first reading, whatever the washout.
        earliest = place[case] + max(1, washout_cases)
        drawn = rng.randint(earliest, len(order) - 1)
        # What comes due by the very signature before it would push aside the case made ready on the screen.
        after[min(max(drawn, earliest + 1), len(order) - 1)].append(case)
    hidden: list[tuple[int, bool]] = []
    for index, case in enumerate(order):
        hidden.append((case, False))
        rng.shuffle(after[index])
        hidden += [(repeat, True) for repeat in after[index]]
    return hidden
