"""Says which reader reads which case: loads as equal as can be, and every two readers share as many cases."""

import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from deepmedix_review.reviews.designs.design import DesignCase, DesignReader, ReaderStudyDesign

# Up to this many sets of k readers each is weighed for every case; of more, as many at random.
MOST_SETS = 400
EXCHANGES_PER_CASE = 40


def prepare(
    design: ReaderStudyDesign,
    *,
    cases: Sequence[DesignCase],
    readers: Sequence[DesignReader],
    seed: int,
    before: Sequence[DesignCase] = (),
) -> tuple[tuple[DesignCase, ...], tuple[DesignReader, ...]]:
    """Draw which data cases become controls and anchors, and which block each case and reader is in.

    Readers and cases that have a block already keep it: only those of block -1 are dealt. Cases from `before`
    stay as they are, and count: controls are a share of all, anchors are as many in all as the design says,
    and blocks grow alike.
    """
    rng = random.Random(f"{seed}:roles")
    data = [index for index, case in enumerate(cases) if case.role == "data"]
    rng.shuffle(data)
    prepared = list(cases)
    roles = Counter(case.role for case in before)
    of_share = round(design.control_share * (len(data) + roles["data"] + roles["control"]))
    num_controls = min(max(0, of_share - roles["control"]), len(data))
    for index in data[:num_controls]:
        prepared[index] = replace(prepared[index], role="control")
    data = data[num_controls:]
    if design.design == "anchor_rotation":
        num_anchors = max(0, design.num_anchor_cases - sum(case.is_anchor for case in before))
        for index in data[:num_anchors]:
            prepared[index] = replace(prepared[index], is_anchor=True)
    if design.design != "split_plot":
        return tuple(replace(case, block=0) for case in prepared), tuple(
            replace(reader, block=0) for reader in readers
        )
    of_cases, of_readers = _block_rngs(seed)
    filled = [case.block for case in before if case.role == "data"]
    blocks = _deal_blocks(filled + [prepared[index].block for index in data], design.num_blocks, of_cases)
    for index, block in zip(data, blocks[len(filled) :], strict=True):
        prepared[index] = replace(prepared[index], block=block)
    dealt = _deal_blocks([reader.block for reader in readers], design.num_blocks, of_readers)
    return (
        tuple(case if case.role == "data" else replace(case, block=0) for case in prepared),
        tuple(replace(reader, block=block) for reader, block in zip(readers, dealt, strict=True)),
    )


def allocate(
    design: ReaderStudyDesign,
    *,
    cases: Sequence[DesignCase],
    readers: Sequence[DesignReader],
    rng: random.Random,
) -> list[tuple[str, int]]:
    """Pairs of reader and data case. `cases` and `readers` come from `prepare`."""
    data = [case for case in cases if case.role == "data"]
    if design.is_pool:
        return []
    match design.design:
        case "every_reader":
            return [(reader.key, case.key) for case in data for reader in readers]
        case "split_plot":
            return [
                (reader.key, case.key) for case in data for reader in readers if reader.block == case.block
            ]
        case "k_readers" | "anchor_rotation":
            anchors = [case for case in data if case.is_anchor]
            rotated = [case for case in data if not case.is_anchor]
            k = min(design.readers_per_case or 1, len(readers))
            pairs = [(reader.key, case.key) for case in anchors for reader in readers]
            return pairs + _rotate(rotated, readers, k=k, rng=rng)


def count_data(design: ReaderStudyDesign, *, num_cases: int, num_readers: int, seed: int) -> tuple[int, ...]:
    """How many cases of data `allocate` gives each reader, in whatever order; nothing where cases are taken
    from a pool. `num_cases` are chosen, of which controls are taken out."""
    if design.is_pool:
        return ()
    num_data = num_cases - round(design.control_share * num_cases)
    if design.design == "every_reader":
        return (num_data,) * num_readers
    if design.design == "split_plot":
        of_cases, of_readers = _block_rngs(seed)
        none = [0] * design.num_blocks
        sizes = Counter(_smallest_blocks(none, num_data, of_cases))
        return tuple(sizes[block] for block in _smallest_blocks(none, num_readers, of_readers))
    num_anchors = min(design.num_anchor_cases, num_data) if design.design == "anchor_rotation" else 0
    num_rotated = (num_data - num_anchors) * min(design.readers_per_case or 1, num_readers)
    return tuple(num_anchors + (num_rotated + place) // num_readers for place in range(num_readers))


def _block_rngs(seed: int) -> tuple[random.Random, random.Random]:
    """Of cases and of readers, each its own, so that how large blocks become is known without dealing."""
    return random.Random(f"{seed}:blocks of cases"), random.Random(f"{seed}:blocks of readers")


def _deal_blocks(blocks: Sequence[int], num_blocks: int, rng: random.Random) -> list[int]:
    """A block for each that has none (-1): always one of the smallest."""
    dealt = list(blocks)
    without = [index for index, block in enumerate(dealt) if block < 0]
    blocks_to_deal = _smallest_blocks([dealt.count(block) for block in range(num_blocks)], len(without), rng)
    rng.shuffle(without)
    for index, block in zip(without, blocks_to_deal, strict=True):
        dealt[index] = block
    return dealt


def _smallest_blocks(sizes: Sequence[int], number: int, rng: random.Random) -> list[int]:
    """So many blocks, each of them one of the smallest by then; in whole rounds, of which no order is drawn.

    >>> _smallest_blocks([2, 0, 1], 3, random.Random(0)), _smallest_blocks([0, 0], 4, random.Random(0))
    ([1, 1, 2], [0, 1, 0, 1])
    """
    grown, chosen = list(sizes), list[int]()
    while len(chosen) < number:
        low = min(grown)
        smallest = [block for block, size in enumerate(grown) if size == low]
        rounds = (number - len(chosen)) // len(smallest)
        if not rounds:
            return chosen + rng.sample(smallest, number - len(chosen))
        rounds = min([rounds, *(size - low for size in grown if size > low)])
        chosen += smallest * rounds
        for block in smallest:
            grown[block] += rounds
    return chosen


def _rotate(
    cases: Sequence[DesignCase], readers: Sequence[DesignReader], *, k: int, rng: random.Random
) -> list[tuple[str, int]]:
    """A set of k readers for each case, near a balanced incomplete block design.

    One case after the other gets, of the sets of the readers with the fewest cases, the one whose pairs have
    met least; exchanges then even the pairs out. Loads differ by at most one.
    """
    num_readers = len(readers)
    if not num_readers or not k:
        return []
    loads = [reader.num_assigned for reader in readers]
    met = [[0] * num_readers for _ in range(num_readers)]
    sets: list[tuple[int, ...]] = []
    for _ in cases:
        chosen = min(
            _sets_of_the_least_loaded(loads, k=k, rng=rng),
            key=lambda group: sum(met[a][b] for a, b in itertools.combinations(group, 2)),
        )
        sets.append(chosen)
        _count(chosen, loads, met, by=1)
    _even_pairs(sets, met, rng=rng)
    order = rng.sample(range(len(cases)), len(cases))
    return [
        (readers[reader].key, cases[index].key)
        for index, group in zip(order, sets, strict=True)
        for reader in group
    ]


def _sets_of_the_least_loaded(loads: Sequence[int], *, k: int, rng: random.Random) -> list[tuple[int, ...]]:
    """Sets of k readers that keep the loads even: the least loaded, filled up with the next."""
    by_load = sorted(range(len(loads)), key=lambda reader: (loads[reader], rng.random()))
    highest = loads[by_load[k - 1]]
    certain = [reader for reader in by_load if loads[reader] < highest]
    level = [reader for reader in by_load if loads[reader] == highest]
    num_open = k - len(certain)
    if math.comb(len(level), num_open) <= MOST_SETS:
        rest = list(itertools.combinations(level, num_open))
        rng.shuffle(rest)
    else:
        rest = [tuple(rng.sample(level, num_open)) for _ in range(MOST_SETS)]
    return [(*certain, *chosen) for chosen in rest]


def _even_pairs(sets: list[tuple[int, ...]], met: list[list[int]], *, rng: random.Random) -> None:
    """Two cases exchange one reader each wherever that makes the meetings of pairs more equal."""
    if len(sets) < 2:
        return
    for _ in range(EXCHANGES_PER_CASE * len(sets)):
        first, second = rng.sample(range(len(sets)), 2)
        leaving = [reader for reader in sets[first] if reader not in sets[second]]
        coming = [reader for reader in sets[second] if reader not in sets[first]]
        if not leaving:
            continue
        out, into = rng.choice(leaving), rng.choice(coming)
        stay_first = [reader for reader in sets[first] if reader != out]
        stay_second = [reader for reader in sets[second] if reader != into]
        # The change of the sum of squares: pairs that are left count down, pairs that are new count up.
        lost = [(out, r) for r in stay_first] + [(into, r) for r in stay_second]
        won = [(into, r) for r in stay_first] + [(out, r) for r in stay_second]
        change = 0
        for pairs, by in ((lost, -1), (won, 1)):
            for a, b in pairs:
                change += 2 * by * met[a][b] + 1
                met[a][b] = met[b][a] = met[a][b] + by
        if change > 0:
            for pairs, by in ((won, -1), (lost, 1)):
                for a, b in pairs:
                    met[a][b] = met[b][a] = met[a][b] + by
            continue
        sets[first], sets[second] = (*stay_first, into), (*stay_second, out)


def _count(group: Sequence[int], loads: list[int], met: list[list[int]], *, by: int) -> None:
    for reader in group:
        loads[reader] += by
    for a, b in itertools.combinations(group, 2):
        met[a][b] += by
        met[b][a] += by
