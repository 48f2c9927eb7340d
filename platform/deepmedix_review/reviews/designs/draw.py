"""Draws every reader's list from a seed: which cases, in which order, which side is A, what is repeated."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from deepmedix_review.reviews.designs.allocation import allocate, prepare
from deepmedix_review.reviews.designs.balance import Before, choose_share
from deepmedix_review.reviews.designs.design import (
    DesignCase,
    DesignReader,
    PlannedAssignment,
    ReaderStudyDesign,
)
from deepmedix_review.reviews.designs.order import choose_repeats, hide_repeats, order_cases

__all__ = ["draw", "draw_assignments", "draw_new_reader", "draw_open_slots", "prepare"]

Pair = tuple[str, int]


def draw(
    design: ReaderStudyDesign, *, cases: Sequence[DesignCase], readers: Sequence[DesignReader], seed: int
) -> tuple[PlannedAssignment, ...]:
    """Every reader's list. `cases` and `readers` come from `prepare`; the same seed draws the same.

    >>> every = ReaderStudyDesign(design="every_reader")
    >>> cases, readers = prepare(every, cases=[DesignCase(1), DesignCase(2)],
    ...                          readers=[DesignReader("r"), DesignReader("s")], seed=1)
    >>> len(draw(every, cases=cases, readers=readers, seed=1))
    4
    """
    rng = random.Random(f"{seed}:lists")
    pairs = allocate(design, cases=cases, readers=readers, rng=rng)
    return draw_assignments(design, cases=cases, readers=readers, pairs=pairs, rng=rng)


def draw_assignments(
    design: ReaderStudyDesign,
    *,
    cases: Sequence[DesignCase],
    readers: Sequence[DesignReader],
    pairs: Sequence[Pair],
    rng: random.Random,
    swapped_before: Mapping[int, Before] | None = None,
    asked_before: Mapping[int, Before] | None = None,
) -> tuple[PlannedAssignment, ...]:
    """Lists of these pairs of reader and data case; every reader also gets all cases of the other roles.

    Training comes first, then calibration, then data and controls mixed. `…_before` says by case how many
    earlier readings were swapped and how many asked a first read.
    """
    taught = [case for role in ("training", "calibration") for case in cases if case.role == role]
    # In a pool they are taken like any other case.
    controls = [] if design.is_pool else [case.key for case in cases if case.role == "control"]
    mixed = [*pairs, *((reader.key, control) for reader in readers for control in controls)]
    opening = [(reader.key, case.key) for reader in readers for case in taught]
    swaps = _chosen([*opening, *mixed], 0.5, swapped_before, rng)
    asked = _chosen(mixed, design.share_with_first_read, asked_before, rng)
    orders = order_cases(mixed, rng=rng)
    repeats = choose_repeats(
        orders,
        share=design.repeat_share,
        washout_cases=design.washout_cases,
        may_be_repeated=frozenset(case.key for case in cases if case.role == "data"),
        rng=rng,
    )
    planned: list[PlannedAssignment] = []
    for reader in readers:
        hidden = hide_repeats(
            orders.get(reader.key, []),
            repeats.get(reader.key, []),
            washout_cases=design.washout_cases,
            rng=rng,
        )
        listed = [(case.key, False) for case in taught] + hidden
        first_at: dict[int, PlannedAssignment] = {}
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
    """Pairs that fill cases which lack readers: each goes to the least loaded reader who has not read it."""
    loads = {reader.key: reader.num_assigned for reader in readers}
    has = {case: set(keys) for case, keys in read_by.items()}
    pairs: list[Pair] = []
    # The case with the fewest possible readers first, else its slot may stay open.
    for case in sorted(open_slots, key=lambda case: (len(loads.keys() - has.get(case, set())), case)):
        for _ in range(open_slots[case]):
            able = sorted(loads.keys() - has.get(case, set()), key=lambda key: (loads[key], key))
            if not able:
                break
            pairs.append((able[0], case))
            loads[able[0]] += 1
            has.setdefault(case, set()).add(able[0])
    return tuple(pairs)


def draw_new_reader(
    *, open_slots: Mapping[int, int], unread: Mapping[str, Sequence[int]], anchors: Sequence[int], seed: int
) -> tuple[tuple[int, ...], tuple[Pair, ...]]:
    """What a reader who comes in the middle of a rotation reads: anchors, open slots, and cases taken over.

    `unread` holds, by reader, the rotated cases not yet opened. Cases are taken from whoever has most of them
    left, until the new reader has as many as they. Returns the new reader's cases, and whose were taken.
    """
    rng = random.Random(f"{seed}:new reader")
    mine = [*anchors, *(case for case, number in sorted(open_slots.items()) if number > 0)]
    num_rotated = len(mine) - len(anchors)
    left = {reader: rng.sample(list(cases), len(cases)) for reader, cases in sorted(unread.items())}
    taken: list[Pair] = []
    held = set(mine)
    while left:
        reader = max(left, key=lambda reader: (len(left[reader]), reader))
        if len(left[reader]) <= num_rotated + len(taken) + 1:
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
