"""How far behind its first reading a hidden repeat can come, so that the reader has forgotten the case."""

import math
from dataclasses import dataclass

from deepmedix_review.reviews.designs.design import ReaderStudyDesign

# Where nothing else is said, no more cases than this lie between a case and its repeat.
LONGEST_USUAL_WASHOUT = 20


@dataclass(frozen=True)
class RoomForRepeats:
    """How many hidden repeats each reader should read, and among how many cases."""

    wanted: int
    num_cases: int

    def fitting(self, washout_cases: int) -> int:
        """So many of them can be placed, as a case is repeated only with that many other cases behind it."""
        return max(0, min(self.wanted, self.num_cases - max(1, washout_cases)))

    @property
    def longest_washout(self) -> int:
        """In cases, with which all of them can still be placed; 0 where none is wanted."""
        return max(0, self.num_cases - self.wanted) if self.wanted else 0

    @property
    def usual_washout(self) -> int:
        """Half of the longest, so that repeats spread over the list, and no more than 20 cases.

        >>> [RoomForRepeats(wanted, cases).usual_washout for wanted, cases in ((0, 8), (2, 8), (10, 100))]
        [0, 3, 20]
        """
        return min(LONGEST_USUAL_WASHOUT, self.longest_washout // 2)


def room_for_repeats(design: ReaderStudyDesign, *, num_cases: int, readers: int) -> RoomForRepeats:
    """Of a reader with as many cases as an average one; a pool has no repeats."""
    if design.is_pool or not readers:
        return RoomForRepeats(0, 0)
    num_controls = round(design.control_share * num_cases)
    data_each = design.num_first_readings(num_cases=num_cases, num_readers=readers) / readers
    return RoomForRepeats(round(design.repeat_share * data_each), math.floor(data_each + num_controls))
