"""The words in which a design is said: its choices, its cases and readers, and what is drawn of them."""

from dataclasses import dataclass
from typing import Literal

from rl_feedback.counting import counted

Design = Literal["every_reader", "k_readers", "split_plot", "anchor_rotation"]
Shows = Literal["one", "two_samples", "two_versions", "one_of_two"]
FirstReads = Literal["off", "on", "share"]
Role = Literal["data", "training", "calibration", "control"]
Kind = Literal["first", "repeat", "adjudication"]


class Problem(str):
    """A sentence on what keeps a study from starting; `field` names what of the design mends it."""

    field: str

    def __new__(cls, sentence: str, field: str = "") -> "Problem":
        problem = super().__new__(cls, sentence)
        problem.field = field
        return problem


@dataclass(frozen=True)
class ReaderStudyDesign:
    """The fields of a reader study that say who reads what.

    `shows`: one completion, two samples of one model version, one completion of each of two versions side by
    side, or one of two versions, drawn by reader and case. Shares are of 0 to 1.
    """

    design: Design = "every_reader"
    readers_per_case: int | None = None
    is_pool: bool = False
    num_blocks: int = 1
    num_anchor_cases: int = 0
    shows: Shows = "two_samples"
    first_reads: FirstReads = "off"
    first_read_share: float = 0.0
    repeat_share: float = 0.0
    washout_days: int = 0
    washout_cases: int = 0
    control_share: float = 0.0

    @property
    def has_sides(self) -> bool:
        """Whether a reading shows two completions."""
        return self.shows in ("two_samples", "two_versions")

    @property
    def num_outputs(self) -> int:
        """How many outputs one reading shows."""
        return 2 if self.has_sides else 1

    @property
    def share_with_first_read(self) -> float:
        return {"off": 0.0, "on": 1.0, "share": self.first_read_share}[self.first_reads]

    def num_readers_of_a_case(self, num_readers: int) -> float:
        """How many readers read one case of data that is no anchor."""
        if self.is_pool:
            return self.readers_per_case or 1
        match self.design:
            case "every_reader":
                return num_readers
            case "split_plot":
                return num_readers / self.num_blocks
            case "k_readers" | "anchor_rotation":
                return min(self.readers_per_case or 1, num_readers)

    def problems(self, *, num_cases: int, num_readers: int) -> tuple[Problem, ...]:
        """Sentences on what can't be drawn of so many data cases and readers; empty where all can."""
        return tuple(_problems(self, num_cases=num_cases, num_readers=num_readers))


@dataclass(frozen=True)
class DesignCase:
    """`key` names the case. Only data cases are dealt into blocks and chosen as anchors."""

    key: int
    role: Role = "data"
    block: int = 0
    is_anchor: bool = False


@dataclass(frozen=True)
class DesignReader:
    """`num_assigned`: data cases the reader has already, where cases are added to a running study."""

    key: str
    block: int = 0
    num_assigned: int = 0


@dataclass(frozen=True)
class PlannedAssignment:
    """One reading to be done. `position` is its place in the reader's own order, from 1.

    `swap`: the second completion stands on side A; where one of two versions is shown, the second is it.
    `repeat_of` is the position of the reading that a repeat repeats; of one that was on the list before this
    draw it is 0 or less, counted backwards from the last one.
    """

    case: int
    reader: str
    position: int
    kind: Kind = "first"
    swap: bool = False
    asks_first_read: bool = False
    repeat_of: int | None = None


@dataclass(frozen=True)
class ListBefore:
    """What a reader has before more is drawn: `num_data` cases of data and `num_repeats` repeats.

    `readings` are first readings in the list's order, at positions up to 0, of which those of the cases in
    `may_be_repeated` can have a repeat behind what is drawn; none where repeats are of new cases alone.
    """

    num_data: int = 0
    num_repeats: int = 0
    readings: tuple[PlannedAssignment, ...] = ()
    may_be_repeated: frozenset[int] = frozenset()


def _problems(design: ReaderStudyDesign, *, num_cases: int, num_readers: int) -> list[Problem]:
    said: list[Problem] = []
    if num_cases < 1:
        said.append(Problem("There is no case to read. Choose studies.", field="cases_from"))
    if num_readers < 1 and not design.is_pool:
        said.append(Problem("There is no reader. Invite one.", field="readers"))
    k = design.readers_per_case
    if design.design in ("k_readers", "anchor_rotation"):
        if not k:
            said.append(Problem("Say how many readers read each case.", field="readers_per_case"))
        elif k > num_readers and not design.is_pool:
            said.append(
                Problem(
                    f"{k} readers per case need at least {k} readers, and there are {num_readers}. "
                    "Invite more, or ask for fewer per case.",
                    field="readers_per_case",
                )
            )
    if design.is_pool and design.design not in ("k_readers", "every_reader"):
        said.append(
            Problem(
                "A pool deals cases as readers come, so it has no blocks and no anchors. Choose one.",
                field="design",
            )
        )
    if design.design == "split_plot":
        if design.num_blocks < 2:
            said.append(
                Problem(
                    "A split-plot needs at least 2 blocks. One block is: every reader reads all.",
                    field="num_blocks",
                )
            )
        elif design.num_blocks > min(num_readers, num_cases):
            said.append(
                Problem(
                    f"{design.num_blocks} blocks need a reader and a case each, and there are "
                    f"{counted(num_readers, 'reader')} and {counted(num_cases, 'case')}. Take fewer blocks.",
                    field="num_blocks",
                )
            )
    if design.design == "anchor_rotation" and not 0 < design.num_anchor_cases < num_cases:
        said.append(
            Problem(
                f"Choose 1 to {max(1, num_cases - 1)} anchor cases: the rest are read in rotation.",
                field="num_anchor_cases",
            )
        )
    if design.repeat_share and design.is_pool:
        said.append(
            Problem(
                "A pool has no hidden repeats. Set their share to 0, or assign the cases.",
                field="repeat_share",
            )
        )
    return said
