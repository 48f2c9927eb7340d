"""How many hidden repeats each list has, and how far behind its first reading one can come, so that the
reader has forgotten the case. The plan and the draw both count by this."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepmedix_review.reviews.designs.allocation import count_data
from deepmedix_review.reviews.designs.design import ReaderStudyDesign

# Where nothing else is said, no more cases than this lie between a case and its repeat.
LONGEST_USUAL_WASHOUT = 20


@dataclass(frozen=True)
class RoomForRepeats:
    """How many hidden repeats a reader should read, and how many cases are on that reader's list."""

    wanted: int
    num_cases: int

    def fitting(self, washout_cases: int) -> int:
        """So many of them can be placed, as a case is repeated only with that many other cases behind it."""
        return max(0, min(self.wanted, self.num_cases - max(1, washout_cases)))

    @property
    def longest_washout(self) -> int:
        """In cases, with which all of them can still be placed; 0 where none is wanted."""
        return max(0, self.num_cases - self.wanted) if self.wanted else 0


def share_repeats(num_data: Sequence[int], *, share: float) -> tuple[int, ...]:
    """How many repeats each reader should read, by the cases of data on each one's list: the share of their
    mean. Of each list by itself, those that differ by one case would differ by a repeat as well.

    >>> share_repeats((5, 5, 6), share=0.1)
    (1, 1, 1)
    """
    wanted = round(share * sum(num_data) / len(num_data)) if num_data else 0
    return tuple(min(wanted, number) for number in num_data)


def rooms_for_repeats(
    design: ReaderStudyDesign, *, num_cases: int, readers: int, seed: int = 1
) -> tuple[RoomForRepeats, ...]:
    """One for each reader, of a study of so many chosen cases; a pool has no repeats."""
    num_data = count_data(design, num_cases=num_cases, num_readers=readers, seed=seed)
    num_controls = round(design.control_share * num_cases)
    return tuple(
        RoomForRepeats(wanted, number + num_controls)
        for wanted, number in zip(share_repeats(num_data, share=design.repeat_share), num_data, strict=True)
    )


def longest_washout(rooms: Sequence[RoomForRepeats]) -> int:
    """In cases, with which all repeats of all readers can still be placed; 0 where none is wanted."""
    return min((room.longest_washout for room in rooms if room.wanted), default=0)


def usual_washout(rooms: Sequence[RoomForRepeats]) -> int:
    """Half of the longest, so that repeats spread over the list, and no more than 20 cases.

    >>> [usual_washout([RoomForRepeats(wanted, cases)]) for wanted, cases in ((0, 8), (2, 8), (10, 100))]
    [0, 3, 20]
    """
    return min(LONGEST_USUAL_WASHOUT, longest_washout(rooms) // 2)
