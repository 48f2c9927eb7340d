"""Choices among pairs of readers and cases are balanced, whatever the design, and by chance else."""

import itertools
import random
from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from deepmedix_review.reviews.designs import DesignCase, DesignReader, ReaderStudyDesign, draw, prepare
from deepmedix_review.reviews.designs.balance import Before, choose_share, colour_evenly
from deepmedix_review.reviews.designs.draw import draw_new_reader, draw_open_slots

tables = st.sets(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), min_size=1, max_size=60).map(
    sorted
)


@given(pairs=tables, share=st.floats(0, 1), seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_a_share_is_kept_by_every_row_every_column_and_over_all(
    pairs: list[tuple[str, int]], share: float, seed: int
) -> None:
    chosen = choose_share(pairs, share, rng=random.Random(seed))
    assert chosen == choose_share(pairs, share, rng=random.Random(seed))
    for names in ([row for row, _ in pairs], [column for _, column in pairs], ["all"] * len(pairs)):
        of: Counter[object] = Counter(names)
        hit = Counter(name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen)
        assert all(abs(hit[name] - share * number) < 1 + 1e-6 for name, number in of.items())


@given(pairs=tables, num_colours=st.integers(1, 5), seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_colours_are_spread_evenly(pairs: list[tuple[str, int]], num_colours: int, seed: int) -> None:
    colours = colour_evenly(pairs, num_colours, rng=random.Random(seed))
    for axis in (0, 1):
        for name in {pair[axis] for pair in pairs}:
            counts = [
                sum(p[axis] == name and c == colour for p, c in zip(pairs, colours, strict=True))
                for colour in range(num_colours)
            ]
            assert max(counts) - min(counts) <= 1


def test_a_single_pair_is_chosen_about_as_often_as_not() -> None:
    hit = sum(choose_share([("r", 1)], 0.5, rng=random.Random(seed))[0] for seed in range(1000))
    assert 430 < hit < 570


def test_every_pair_is_chosen_about_as_often_as_any_other() -> None:
    pairs = [(reader, case) for reader in "abcd" for case in range(6)]
    hits = [0] * len(pairs)
    for seed in range(400):
        chosen = choose_share(pairs, 0.5, rng=random.Random(seed))
        hits = [hit + is_chosen for hit, is_chosen in zip(hits, chosen, strict=True)]
    assert min(hits) > 150
    assert max(hits) < 250


def test_what_was_chosen_before_is_made_up_for() -> None:
    pairs = [("new", case) for case in range(10)]
    lopsided = {case: Before(num_chosen=1, num=1) for case in range(5)}
    lopsided |= {case: Before(num_chosen=0, num=1) for case in range(5, 10)}
    chosen = choose_share(pairs, 0.5, rng=random.Random(1), columns=lopsided)
    assert chosen == [False] * 5 + [True] * 5


def test_a_row_is_balanced_even_where_its_columns_ask_for_more() -> None:
    pairs = [("new", case) for case in range(10)]
    lopsided = {case: Before(num_chosen=0, num=1) for case in range(10)}
    assert sum(choose_share(pairs, 0.5, rng=random.Random(1), columns=lopsided)) == 5


@given(
    num_readers=st.integers(2, 9), k=st.integers(1, 5), num_cases=st.integers(1, 60), seed=st.integers(0, 99)
)
@settings(max_examples=40)
def test_any_rotation_has_even_loads(num_readers: int, k: int, num_cases: int, seed: int) -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=k)
    cases, readers = prepare(
        design,
        cases=[DesignCase(key) for key in range(num_cases)],
        readers=[DesignReader(str(key)) for key in range(num_readers)],
        seed=seed,
    )
    planned = draw(design, cases=cases, readers=readers, seed=seed)
    loads = Counter(item.reader for item in planned)
    assert all(number == min(k, num_readers) for number in Counter(i.case for i in planned).values())
    assert max(loads.values()) - min(loads[reader.key] for reader in readers) <= 1


def test_open_slots_go_to_the_least_loaded_who_have_not_read_the_case() -> None:
    pairs = draw_open_slots(
        open_slots={1: 1, 2: 1, 3: 1},
        readers=[DesignReader("a", num_assigned=5), DesignReader("b", num_assigned=3)],
        read_by={1: frozenset("b"), 2: frozenset(), 3: frozenset("ab")},
    )
    assert sorted(pairs) == [("a", 1), ("b", 2)]


@given(
    read_by=st.lists(st.frozensets(st.sampled_from("abcd"), max_size=3), min_size=1, max_size=6),
    num_open=st.integers(1, 2),
    before=st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
@settings(max_examples=100)
def test_open_slots_leave_the_loads_as_even_as_any_choice_would(
    read_by: list[frozenset[str]], num_open: int, before: list[int]
) -> None:
    loads = dict(zip("abcd", before, strict=True))
    readers = [DesignReader(key, num_assigned=number) for key, number in loads.items()]
    pairs = draw_open_slots(
        open_slots=dict.fromkeys(range(len(read_by)), num_open),
        readers=readers,
        read_by=dict(enumerate(read_by)),
    )
    choices = []
    for case, keys in enumerate(read_by):
        able = sorted(loads.keys() - keys)
        mine = [key for key, given_case in pairs if given_case == case]
        assert len(mine) == len(set(mine)) == min(num_open, len(able))
        assert set(mine) <= set(able)
        choices.append(list(itertools.combinations(able, min(num_open, len(able)))))

    def unevenness(given_keys: Iterable[str]) -> int:
        counts = Counter(given_keys)
        return sum((loads[key] + counts[key]) ** 2 for key in loads)

    least = min(unevenness(itertools.chain(*choice)) for choice in itertools.product(*choices))
    assert unevenness(key for key, _ in pairs) == least


def test_a_new_reader_takes_from_those_with_most_left_until_all_have_as_many() -> None:
    mine, taken = draw_new_reader(
        open_slots={90: 1}, unread={"a": range(10), "b": range(20, 26)}, staying={}, anchors=[99], seed=1
    )
    assert mine[:2] == (99, 90)
    left = {"a": 10 - sum(r == "a" for r, _ in taken), "b": 6 - sum(r == "b" for r, _ in taken)}
    num_rotated = len(mine) - 1
    assert max(left.values()) - num_rotated <= 1
    assert abs(left["a"] - left["b"]) <= 1
    assert len(set(mine)) == len(mine)


@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_cases_that_come_bit_by_bit_make_the_same_design_as_all_at_once(sizes: list[int], seed: int) -> None:
    readers = [DesignReader("a"), DesignReader("b")]
    anchored = ReaderStudyDesign(
        design="anchor_rotation", readers_per_case=1, num_anchor_cases=3, control_share=0.2
    )
    blocked = ReaderStudyDesign(design="split_plot", num_blocks=3, control_share=0.2)
    for design in (anchored, blocked):
        there: list[DesignCase] = []
        for number in sizes:
            new = [DesignCase(len(there) + place, block=-1) for place in range(number)]
            there += prepare(design, cases=new, readers=readers, seed=seed, before=there)[0]
        data = [case for case in there if case.role == "data"]
        assert abs(len(there) - len(data) - 0.2 * len(there)) < 1
        blocks = Counter(case.block for case in data)
        if design is blocked:
            assert max(blocks.values()) - min(blocks[block] for block in range(3)) <= 1
        else:
            assert sum(case.is_anchor for case in there) == min(3, len(data))
