"""Draws every reader's list from a seed: which cases, in which order, which side is A, what is repeated."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from deepmedix_review.reviews.designs.allocation import allocate, prepare
from deepmedix_review.reviews.designs.balance import Before, choose_share
from deepmedix_review.reviews.designs.design import (
    DesignCase,
    DesignReader,
    ListBefore,
    PlannedAssignment,
    ReaderStudyDesign,
)
from deepmedix_review.reviews.designs.order import (
    ListOrder,
    bring_forward,
    choose_repeats,
    count_repeats,
    hide_repeats,
    order_cases,
)
from deepmedix_review.reviews.designs.sides import draw_sides

__all__ = ["draw", "draw_assignments", "draw_new_reader", "draw_open_slots", "prepare"]

Pair = tuple[str, int]


def draw(
    design: ReaderStudyDesign,
    *,
    cases: Sequence[DesignCase],
    readers: Sequence[DesignReader],
    seed: int,
    lists_before: Mapping[str, ListBefore] | None = None,
) -> tuple[PlannedAssignment, ...]:
    """Every reader's list. `cases` and `readers` come from `prepare`; the same seed draws the same.
    `lists_before` says by reader what is on the list already: its cases can be repeated behind the new ones.

    >>> every = ReaderStudyDesign(design="every_reader")
    >>> cases, readers = prepare(every, cases=[DesignCase(1), DesignCase(2)],
    ...                          readers=[DesignReader("r"), DesignReader("s")], seed=1)
    >>> len(draw(every, cases=cases, readers=readers, seed=1))
    4
    """
    rng = random.Random(f"{seed}:lists")
    pairs = allocate(design, cases=cases, readers=readers, rng=rng)
    return draw_assignments(
        design, cases=cases, readers=readers, pairs=pairs, rng=rng, lists_before=lists_before
    )


def draw_assignments(
    design: ReaderStudyDesign,
    *,
    cases: Sequence[DesignCase],
    readers: Sequence[DesignReader],
    pairs: Sequence[Pair],
    rng: random.Random,
    swapped_before: Mapping[int, Before] | None = None,
    asked_before: Mapping[int, Before] | None = None,
    lists_before: Mapping[str, ListBefore] | None = None,
) -> tuple[PlannedAssignment, ...]:
    """Lists of these pairs of reader and data case; every reader also gets all cases of the other roles.

    Training comes first, then calibration, then data and controls mixed. `swapped_before` and `asked_before`
    say by case how many earlier readings were swapped and how many asked a first read, `lists_before` by
    reader what is on the list.
    """
    taught = [case for role in ("training", "calibration") for case in cases if case.role == role]
    # In a pool they are taken like any other case.
    controls = [] if design.is_pool else [case.key for case in cases if case.role == "control"]
    mixed = [*pairs, *((reader.key, control) for reader in readers for control in controls)]
    opening = [(reader.key, case.key) for reader in readers for case in taught]
    asked = _chosen(mixed, design.share_with_first_read, asked_before, rng)
    # A case that teaches shows all that the study asks.
    if design.share_with_first_read > 0:
        asked = asked | frozenset(opening)
    new_data = frozenset(case.key for case in cases if case.role == "data")
    washout_cases = design.washout_cases
    ordered = order_cases(mixed, rng=rng)
    before = {reader.key: (lists_before or {}).get(reader.key, ListBefore()) for reader in readers}
    orders = {
        key: ListOrder(
            cases=(*(item.case for item in held.readings), *ordered.get(key, [])),
            may_be_repeated=new_data | held.may_be_repeated,
            num_before=len(held.readings),
        )
        for key, held in before.items()
    }
    numbers = count_repeats(
        orders,
        share=design.repeat_share,
        washout_cases=washout_cases,
        held_before={key: (held.num_data, held.num_repeats) for key, held in before.items()},
    )
    orders = {
        key: bring_forward(order, numbers[key], washout_cases=washout_cases) for key, order in orders.items()
    }
    repeats = choose_repeats(orders, numbers, washout_cases=washout_cases, rng=rng)
    swaps = draw_sides(
        {
            key: [*(case.key for case in taught), *order.cases[order.num_before :]]
            for key, order in orders.items()
        },
        rng=rng,
        lists_before={key: [item.swap for item in held.readings] for key, held in before.items()},
        cases_before=swapped_before,
    )
    planned: list[PlannedAssignment] = []
    for reader in readers:
        held, order = before[reader.key], orders[reader.key]
        hidden = hide_repeats(order, repeats.get(reader.key, []), washout_cases=washout_cases, rng=rng)
        listed = [(case.key, False) for case in taught] + hidden[order.num_before :]
        first_at = {item.case: item for item in held.readings}
        for position, (case, is_repeat) in enumerate(listed, start=1):
            pair = (reader.key, case)
            if is_repeat:
                first = first_at[case]
                planned.append(_repeat(first, position=position, design=design))
                continue
            first_at[case] = PlannedAssignment(
                case=case,
                reader=reader.key,
                position=position,
                swap=pair in swaps and design.shows != "one",
                asks_first_read=pair in asked,
            )
            planned.append(first_at[case])
    return tuple(planned)


def draw_open_slots(
    *, open_slots: Mapping[int, int], readers: Sequence[DesignReader], read_by: Mapping[int, frozenset[str]]
) -> tuple[Pair, ...]:
    """Pairs that fill cases which lack readers, with the readers' loads as even as they can be.

    A case goes to nobody who has read it. Each slot goes to the least loaded reader first; then cases change
    hands along chains of readers until no chain leads from one to another with two cases fewer, which is when
    the loads are as even as possible (Harvey, Ladner, Lovász and Tamir, J. Algorithms 59:53, 2006).
    """
    loads = {reader.key: reader.num_assigned for reader in readers}
    able = {case: loads.keys() - read_by.get(case, frozenset()) for case in sorted(open_slots)}
    has: dict[int, set[str]] = {}
    for case, num_open in sorted(open_slots.items()):
        has[case] = set(sorted(able[case], key=lambda key: (loads[key], key))[:num_open])
        for key in has[case]:
            loads[key] += 1
    while (chain := _evening_chain(loads, has, able)) is not None:
        for giver, case, taker in chain:
            has[case].remove(giver)
            has[case].add(taker)
        loads[chain[0][0]] -= 1
        loads[chain[-1][2]] += 1
    return tuple((key, case) for case, keys in has.items() for key in sorted(keys))


def _evening_chain(
    loads: Mapping[str, int], has: Mapping[int, set[str]], able: Mapping[int, Set[str]]
) -> list[tuple[str, int, str]] | None:
    """Who hands which case to whom, so that one reader has a case less and one with two fewer has it more."""
    gives: dict[str, dict[str, int]] = {key: {} for key in loads}
    for case, keys in has.items():
        for giver in keys:
            for taker in sorted(able[case] - keys):
                gives[giver].setdefault(taker, case)
    for start in sorted(loads, key=lambda key: (-loads[key], key)):
        come_from: dict[str, tuple[str, int]] = {}
        reached = [start]
        for giver in reached:
            for taker, case in gives[giver].items():
                if taker == start or taker in come_from:
                    continue
                come_from[taker] = (giver, case)
                reached.append(taker)
                if loads[taker] <= loads[start] - 2:
                    return _chain_to(taker, come_from, start)
    return None


def _chain_to(end: str, come_from: Mapping[str, tuple[str, int]], start: str) -> list[tuple[str, int, str]]:
    chain: list[tuple[str, int, str]] = []
    taker = end
    while taker != start:
        giver, case = come_from[taker]
        chain.append((giver, case, taker))
        taker = giver
    return chain[::-1]


def draw_new_reader(
    *,
    open_slots: Mapping[int, int],
    unread: Mapping[str, Sequence[int]],
    staying: Mapping[str, int],
    anchors: Sequence[int],
    seed: int,
) -> tuple[tuple[int, ...], tuple[Pair, ...]]:
    """What a reader who comes in the middle of a rotation reads: anchors, open slots, and cases taken over.

    `unread` holds, by reader, the rotated cases not yet opened that can move; `staying` says how many more
    can't, as their repeat would be left behind. Cases are taken from whoever has most of both left, until
    the new reader has as many as they. Returns the new reader's cases, and whose were taken.
    """
    rng = random.Random(f"{seed}:new reader")
    mine = [*anchors, *(case for case, number in sorted(open_slots.items()) if number > 0)]
    num_rotated = len(mine) - len(anchors)
    left = {reader: rng.sample(list(cases), len(cases)) for reader, cases in sorted(unread.items())}
    taken: list[Pair] = []
    held = set(mine)
    while left:
        load, reader = max((len(cases) + staying.get(reader, 0), reader) for reader, cases in left.items())
        if load <= num_rotated + len(taken) + 1:
            break
        case = next((case for case in left[reader] if case not in held), None)
        if case is None:
            del left[reader]
            continue
        left[reader].remove(case)
        held.add(case)
        taken.append((reader, case))
    return (*mine, *(case for _, case in taken)), tuple(taken)


def _chosen(
    pairs: Sequence[Pair], share: float, before: Mapping[int, Before] | None, rng: random.Random
) -> frozenset[Pair]:
    chosen = choose_share(pairs, share, rng=rng, columns=before)
    return frozenset(pair for pair, is_chosen in zip(pairs, chosen, strict=True) if is_chosen)


def _repeat(first: PlannedAssignment, *, position: int, design: ReaderStudyDesign) -> PlannedAssignment:
    """The same case again: sides swapped, the same version where only one is shown."""
    return replace(
        first,
        position=position,
        kind="repeat",
        swap=not first.swap if design.has_sides else first.swap,
        repeat_of=first.position,
    )


def lists_of(planned: Sequence[PlannedAssignment]) -> dict[str, list[PlannedAssignment]]:
    """Each reader's list in order."""
    by_reader: dict[str, list[PlannedAssignment]] = defaultdict(list)
    for assignment in sorted(planned, key=lambda assignment: (assignment.reader, assignment.position)):
        by_reader[assignment.reader].append(assignment)
    return dict(by_reader)
