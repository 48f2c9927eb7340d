"""A reader study of each design with 8 readers and 300 cases: balance, order, sides, repeats and washout."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from deepmedix_review.reviews.designs import (
    DesignCase,
    DesignReader,
    PlannedAssignment,
    ReaderStudyDesign,
    draw,
    prepare,
)
from deepmedix_review.reviews.designs.design import Design
from deepmedix_review.reviews.designs.draw import lists_of
from deepmedix_review.reviews.designs.sides import BLOCK

NUM_READERS, NUM_CASES, NUM_TRAINING = 8, 300, 3
WASHOUT = 20
COMMON = ReaderStudyDesign(
    first_reads="share",
    first_read_share=0.3,
    repeat_share=0.1,
    washout_cases=WASHOUT,
    washout_days=28,
    control_share=0.05,
)
DESIGNS: dict[Design, ReaderStudyDesign] = {
    "every_reader": COMMON,
    "k_readers": replace(COMMON, design="k_readers", readers_per_case=3),
    "split_plot": replace(COMMON, design="split_plot", num_blocks=4),
    "anchor_rotation": replace(COMMON, design="anchor_rotation", readers_per_case=2, num_anchor_cases=30),
}


@dataclass(frozen=True)
class Study:
    design: ReaderStudyDesign
    cases: dict[int, DesignCase]
    readers: dict[str, DesignReader]
    planned: Sequence[PlannedAssignment]

    @property
    def data(self) -> list[PlannedAssignment]:
        """First readings of data cases."""
        return [p for p in self.planned if p.kind == "first" and self.cases[p.case].role == "data"]

    def by_case(self, planned: Sequence[PlannedAssignment]) -> dict[int, list[PlannedAssignment]]:
        found: dict[int, list[PlannedAssignment]] = defaultdict(list)
        for item in planned:
            found[item.case].append(item)
        return found

    def of_role(self, role: str) -> list[DesignCase]:
        return [case for case in self.cases.values() if case.role == role]


def simulate(design: ReaderStudyDesign, *, seed: int = 7) -> Study:
    cases, readers = prepare(
        design,
        cases=[
            *(DesignCase(key, role="training", block=-1) for key in range(NUM_TRAINING)),
            *(DesignCase(key, block=-1) for key in range(NUM_TRAINING, NUM_TRAINING + NUM_CASES)),
        ],
        readers=[DesignReader(f"reader {number}", block=-1) for number in range(NUM_READERS)],
        seed=seed,
    )
    return Study(
        design,
        {case.key: case for case in cases},
        {reader.key: reader for reader in readers},
        draw(design, cases=cases, readers=readers, seed=seed),
    )


@pytest.fixture(scope="module", params=DESIGNS)
def study(request: pytest.FixtureRequest) -> Study:
    return simulate(DESIGNS[request.param])


def longest_run(sides: Sequence[bool]) -> int:
    return max(len(list(run)) for _, run in itertools.groupby(sides))


def spread(counts: Sequence[int]) -> int:
    return max(counts) - min(counts)


def test_every_case_is_read_by_as_many_as_the_design_says(study: Study) -> None:
    num_readers = {case: len(items) for case, items in study.by_case(study.data).items()}
    assert set(num_readers) == {case.key for case in study.of_role("data")}
    for case, number in num_readers.items():
        match study.design.design:
            case "every_reader":
                assert number == 8
            case "k_readers":
                assert number == 3
            case "split_plot":
                assert number == 2
            case "anchor_rotation":
                assert number == (8 if study.cases[case].is_anchor else 2)


def test_loads_differ_by_one_at_most(study: Study) -> None:
    """In a split-plot a reader's load is the block's, and blocks differ by one case."""
    assert spread(list(Counter(item.reader for item in study.data).values())) <= 1


def test_every_two_readers_share_as_many_cases_within_one(study: Study) -> None:
    met: Counter[tuple[str, str]] = Counter()
    for case, items in study.by_case(study.data).items():
        if not study.cases[case].is_anchor:
            met.update(itertools.combinations(sorted(item.reader for item in items), 2))
    if study.design.design == "split_plot":
        blocks = {key: reader.block for key, reader in study.readers.items()}
        assert all(blocks[one] == blocks[other] for one, other in met)
        assert (len(met), spread(list(met.values()))) == (4, 1)
    else:
        assert (len(met), spread(list(met.values())) <= 1) == (28, True)


def test_blocks_hold_as_many_readers_and_cases(study: Study) -> None:
    num_blocks = study.design.num_blocks
    readers = Counter(reader.block for reader in study.readers.values())
    cases = Counter(case.block for case in study.of_role("data"))
    assert (len(readers), len(cases)) == (num_blocks, num_blocks)
    assert (spread(list(readers.values())), spread(list(cases.values())) <= 1) == (0, True)


def test_each_case_comes_early_and_late_equally_often(study: Study) -> None:
    """Where every reader reads all, the parts of the lists are a Latin square: each case is in each once."""
    firsts = [item for item in study.planned if study.cases[item.case].role in ("data", "control")]
    lists = lists_of([item for item in firsts if item.kind == "first"])
    place = {(r, item.case): n / len(items) for r, items in lists.items() for n, item in enumerate(items)}
    for case, items in study.by_case(study.data).items():
        mean = sum(place[item.reader, case] for item in items) / len(items)
        assert abs(mean - 0.5) < (0.07 if study.design.design == "every_reader" else 0.3), (case, mean)


def test_sides_are_balanced_for_every_reader_and_every_case_within_one(study: Study) -> None:
    firsts = [item for item in study.planned if item.kind == "first"]
    for items in [*study.by_case(firsts).values(), *lists_of(firsts).values()]:
        swapped = sum(item.swap for item in items)
        assert abs(2 * swapped - len(items)) <= 1


def test_sides_change_along_every_list_half_of_each_block_and_never_by_rote(study: Study) -> None:
    """Repeats, which have the other side, stand between: they alone can make a run longer."""
    orders = set()
    for items in lists_of(study.planned).values():
        sides = [item.swap for item in items if item.kind == "first"]
        for start in range(0, len(sides) - BLOCK + 1, BLOCK):
            block = tuple(sides[start : start + BLOCK])
            assert sum(block) == BLOCK / 2
            orders.add(block)
        assert longest_run(sides) <= BLOCK
        assert longest_run([item.swap for item in items]) <= 2 * BLOCK
    assert len(orders) == len(set(itertools.permutations([True, True, False, False])))


def test_first_reads_are_asked_for_the_share_of_every_reader_and_case(study: Study) -> None:
    mixed = [p for p in study.planned if p.kind == "first" and study.cases[p.case].role != "training"]
    for items in [*study.by_case(mixed).values(), *lists_of(mixed).values()]:
        assert abs(sum(item.asks_first_read for item in items) - 0.3 * len(items)) < 1


def test_training_comes_first_and_everybody_reads_it_and_all_controls(study: Study) -> None:
    controls = {case.key for case in study.of_role("control")}
    assert len(controls) == 15
    for items in lists_of(study.planned).values():
        assert [item.case for item in items[:NUM_TRAINING]] == list(range(NUM_TRAINING))
        # They show all that the study asks, though it asks a first read of a share alone.
        assert all(item.asks_first_read for item in items[:NUM_TRAINING])
        assert controls <= {item.case for item in items}
        places = [n for n, item in enumerate(items) if item.case in controls]
        assert places[0] < len(items) / 2 < places[-1]


def test_repeats_are_hidden_swapped_and_a_washout_behind(study: Study) -> None:
    num_repeats = Counter(item.reader for item in study.planned if item.kind == "repeat")
    for reader, items in lists_of(study.planned).items():
        data = [p for p in items if p.kind == "first" and study.cases[p.case].role == "data"]
        assert num_repeats[reader] == round(0.1 * len(data))
        assert [item.position for item in items] == list(range(1, len(items) + 1))
        at = {item.position: item for item in items}
        for item in items:
            if item.kind != "repeat":
                continue
            assert item.repeat_of is not None
            first = at[item.repeat_of]
            assert (first.case, first.swap, first.asks_first_read) == (
                item.case,
                not item.swap,
                item.asks_first_read,
            )
            assert study.cases[item.case].role == "data"
            others = {between.case for between in items[first.position : item.position - 1]} - {item.case}
            assert len(others) >= WASHOUT
    per_case = Counter(item.case for item in study.planned if item.kind == "repeat")
    assert max(per_case.values()) <= -(-sum(per_case.values()) // len(per_case))


@pytest.mark.parametrize("name", DESIGNS)
def test_the_same_seed_draws_the_same_and_another_does_not(name: Design) -> None:
    drawn = simulate(DESIGNS[name]).planned
    assert drawn == simulate(DESIGNS[name]).planned
    assert drawn != simulate(DESIGNS[name], seed=8).planned


def test_nothing_of_a_list_tells_a_repeat_or_control_by_its_place(study: Study) -> None:
    """Repeats stand on every place of the second part of a list, between others."""
    for items in lists_of(study.planned).values():
        kinds = [item.kind for item in items]
        places = [n for n, kind in enumerate(kinds) if kind == "repeat"]
        assert places[-1] - places[0] > len(items) / 4
