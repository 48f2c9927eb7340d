"""Says before a reader study starts what it will cost its readers, and how sure its results will be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deepmedix_review.reviews.designs.design import Problem, ReaderStudyDesign
from deepmedix_review.reviews.designs.durations import (
    USUAL_QUESTIONS,
    Hurried,
    MakeUp,
    ReadingTimes,
    expected_times,
    make_up,
)
from deepmedix_review.reviews.designs.washout import RoomForRepeats, longest_washout, rooms_for_repeats
from rl_feedback.counting import counted

# Of a normal distribution: 95 % lie within so many standard deviations.
Z_95 = 1.959964
LONG_SITTING_MINUTES = 240
# Of fewer readings of the same case by the same reader nothing can be told, as of fewer cases in results.
LEAST_REPEATS = 10
# What answers are, each kind with an interval of its own: points of a scale, verdicts of regions, one choice
# or several, votes between two outputs.
AnswerKind = Literal["scale", "region", "choice", "vote"]
USUAL_KINDS: frozenset[AnswerKind] = frozenset({"scale", "region", "vote"})


@dataclass(frozen=True)
class Assumptions:
    """What the expected intervals assume, until the study itself shows it: shares are those of votes, of
    regions that fit and of any other choice, and answers to one case are as alike as votes on it."""

    alpha: float = 0.6
    standard_deviation_points: float = 1.0
    icc_of_votes: float = 0.3
    vote_share: float = 0.5


@dataclass(frozen=True)
class Span:
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class StudyPlan:
    """Half widths are of 95 % intervals, None where the design gives none or asks nothing of the kind.
    `repeats_per_reader`: the fewest and the most; `longest_washout`: how many cases can lie before every
    repeat. `problems` forbid the start; `sentences` tell what to know.
    """

    num_data_cases: int
    num_control_cases: int
    readers_per_case: float
    readings_per_reader: Span
    repeats_per_reader: tuple[int, int]
    longest_washout: int
    num_readings: int
    minutes_per_reader: Span
    minutes_total: Span
    alpha_half_width: float | None
    mean_half_width: float | None
    region_half_width: float | None
    choice_half_width: float | None
    vote_half_width: float | None
    times: ReadingTimes
    assumptions: Assumptions
    problems: tuple[Problem, ...]
    sentences: tuple[str, ...]


def plan(
    design: ReaderStudyDesign,
    *,
    num_cases: int,
    readers: int,
    seconds_per_reading: ReadingTimes | None = None,
    num_taught: int = 0,
    num_days: int | None = None,
    asks: frozenset[AnswerKind] = USUAL_KINDS,
    seed: int = 1,
    assumptions: Assumptions | None = None,
) -> StudyPlan:
    """What the design costs with so many chosen cases (controls are taken out of them) and readers.

    `num_taught`: training and calibration cases. `num_days`: until the deadline. `asks`: the kinds of
    questions; a vote needs two outputs. Without times of a reading, it asks what is usual. Readings and
    repeats are those that `draw` draws by the same seed.
    """
    times = seconds_per_reading or expected_times(_usual(design))
    assumed = assumptions or Assumptions()
    num_controls = round(design.control_share * num_cases)
    num_data = num_cases - num_controls
    of_a_case = design.num_readers_of_a_case(readers)
    rooms = rooms_for_repeats(design, num_cases=num_cases, readers=readers, seed=seed)
    repeats = [room.fitting(design.washout_cases) for room in rooms]
    if design.is_pool:
        first = round(num_cases * of_a_case)
        each = _even(first, readers, besides=num_taught)
        total = first + readers * num_taught
    else:
        first = sum(room.num_cases for room in rooms) - readers * num_controls
        lists = [room.num_cases + num_taught + number for room, number in zip(rooms, repeats, strict=True)]
        total = sum(lists)
        each = Span(min(lists), total / readers, max(lists)) if lists else Span(0, 0, 0)
    readers_per_case = (of_a_case if design.is_pool else first / num_data) if num_data else 0.0
    per_reader = _minutes(times, each.median)

    def share_of(answers_per_case: float) -> float | None:
        return share_half_width(
            assumed.vote_share,
            icc=assumed.icc_of_votes,
            num_cases=num_data,
            answers_per_case=answers_per_case,
        )

    return StudyPlan(
        num_data_cases=num_data,
        num_control_cases=num_controls,
        readers_per_case=readers_per_case,
        readings_per_reader=each,
        repeats_per_reader=(min(repeats, default=0), max(repeats, default=0)),
        longest_washout=longest_washout(rooms),
        num_readings=total,
        minutes_per_reader=per_reader,
        minutes_total=_minutes(times, total),
        alpha_half_width=alpha_half_width(
            assumed.alpha, num_cases=num_data, readers_per_case=readers_per_case
        ),
        mean_half_width=mean_half_width(
            assumed.standard_deviation_points,
            icc=assumed.alpha,
            num_cases=num_data,
            readers_per_case=readers_per_case,
        )
        if "scale" in asks
        else None,
        region_half_width=share_of(readers_per_case * times.regions) if "region" in asks else None,
        choice_half_width=share_of(readers_per_case) if "choice" in asks else None,
        vote_half_width=share_of(readers_per_case) if design.has_sides and "vote" in asks else None,
        times=times,
        assumptions=assumed,
        problems=design.problems(num_cases=num_data, num_readers=readers),
        sentences=tuple(
            _sentences(
                design,
                times=times,
                num_data=num_data,
                num_controls=num_controls,
                readers_per_case=readers_per_case,
                rooms=rooms,
                minutes=per_reader,
                num_days=num_days,
                seed=seed,
            )
        ),
    )


def alpha_half_width(alpha: float, *, num_cases: int, readers_per_case: float) -> float | None:
    """Of Krippendorff's alpha of interval ratings, which for many cases is the one-way ICC.

    Bonett, Stat. Med. 21:1331 (2002): the variance of an estimated ICC of k readers and n cases is
    2 (1 - r)^2 (1 + (k - 1) r)^2 / (k (k - 1) (n - 1)).
    """
    k = readers_per_case
    if k < 2 or num_cases < 2:
        return None
    variance = 2 * (1 - alpha) ** 2 * (1 + (k - 1) * alpha) ** 2 / (k * (k - 1) * (num_cases - 1))
    return Z_95 * math.sqrt(variance)


def mean_half_width(
    standard_deviation: float, *, icc: float, num_cases: int, readers_per_case: float
) -> float | None:
    """Of a mean rating: readings of one case say partly the same (design effect 1 + (m - 1) ICC)."""
    number = _effective(num_cases, readers_per_case, icc)
    return Z_95 * standard_deviation / math.sqrt(number) if number >= 2 else None


def share_half_width(share: float, *, icc: float, num_cases: int, answers_per_case: float) -> float | None:
    """Of a share of votes, regions or choices: Wilson's interval (1927) at the effective number of them."""
    number = _effective(num_cases, answers_per_case, icc)
    if number < 1:
        return None
    spread = math.sqrt(share * (1 - share) / number + Z_95**2 / (4 * number**2))
    return Z_95 * spread / (1 + Z_95**2 / number)


def _effective(num_cases: int, answers_per_case: float, icc: float) -> float:
    if answers_per_case <= 0:
        return 0.0
    return num_cases * answers_per_case / (1 + max(0.0, answers_per_case - 1) * icc)


def _usual(design: ReaderStudyDesign) -> MakeUp:
    return make_up(USUAL_QUESTIONS, num_outputs=design.num_outputs, first_reads=design.share_with_first_read)


def _minutes(times: ReadingTimes, num_readings: float) -> Span:
    return Span(*(num_readings * seconds / 60 for seconds in (times.low, times.median, times.high)))


def _sentences(
    design: ReaderStudyDesign,
    *,
    times: ReadingTimes,
    num_data: int,
    num_controls: int,
    readers_per_case: float,
    rooms: Sequence[RoomForRepeats],
    minutes: Span,
    num_days: int | None,
    seed: int,
) -> Sequence[str]:
    said = []
    said.append(_whence(times))
    if times.hurried is not None:
        said.append(_left_out(times.hurried, like="" if times.num_readings else times.like))
    if num_controls:
        said.append(
            f"Of the {counted(num_controls, 'control')} there may be fewer: the start makes one only where "
            "an output has a region to move or can take another case's sentence. A case without stays data."
        )
    if readers_per_case < 2:
        said.append("With fewer than 2 readers per case there is no agreement to measure.")
    wants_repeats = any(room.wanted for room in rooms)
    longest = longest_washout(rooms)
    if any(room.fitting(design.washout_cases) < room.wanted for room in rooms):
        said.append(_of_little_room(design, rooms, longest=longest))
    elif wants_repeats:
        said.append(
            f"A repeat comes at least {_other_cases(max(1, design.washout_cases))} after its case. Up to "
            f"{longest} are possible with every repeat in its place."
        )
    elif design.repeat_share and not design.is_pool:
        said.append("The share of repeats comes to none. Raise it or choose more cases.")
    few = _of_few_repeats(
        design, rooms, num_cases=num_data + num_controls, num_controls=num_controls, seed=seed
    )
    if few:
        said.append(few)
    if wants_repeats and num_days is not None and 0 <= num_days <= design.washout_days:
        said.append(
            f"Repeats come due {counted(design.washout_days, 'day')} after their first reading, and the "
            f"deadline is in {counted(num_days, 'day')}. Move one of them."
        )
    if design.first_reads == "share" and not 0 < design.first_read_share < 1:
        said.append("A random share of first reads lies between 0 and 1. Choose one, or every case, or off.")
    if 0 < num_data < 30 and readers_per_case >= 2:
        said.append(f"With {counted(num_data, 'case')} the intervals are rough; 30 or more make them hold.")
    if minutes.median > LONG_SITTING_MINUTES:
        said.append(
            f"Each reader reads for about {minutes.median / 60:.0f} hours: give them several sittings."
        )
    return said


def _of_few_repeats(
    design: ReaderStudyDesign,
    rooms: Sequence[RoomForRepeats],
    *,
    num_cases: int,
    num_controls: int,
    seed: int,
) -> str:
    """That they tell nothing of a reader, and what would; empty where they do, or where there is none."""
    most = max((room.fitting(design.washout_cases) for room in rooms), default=0)
    if not 0 < most < LEAST_REPEATS:
        return ""
    shortest = min(room.num_cases for room in rooms)
    share = LEAST_REPEATS / (shortest - num_controls) if shortest > num_controls else math.inf
    longest = shortest - LEAST_REPEATS
    if longest >= 1 and min(room.wanted for room in rooms) >= LEAST_REPEATS:
        help_ = f"Shorten the washout: behind one of {counted(longest, 'case')} {LEAST_REPEATS} fit"
    elif share <= 0.5 and longest >= max(1, design.washout_cases):
        help_ = f"A share of {math.ceil(100 * share)} % gives {LEAST_REPEATS}"
    else:
        enough = _cases_for_repeats(design, above=num_cases, readers=len(rooms), seed=seed)
        help_ = f"Choose more cases: {enough:,} in all give each reader {LEAST_REPEATS} at this share"
    repeats = counted(most, "hidden repeat")
    return (
        f"{repeats} a reader {'tells' if most == 1 else 'tell'} nothing about how consistent a reader is; "
        f"{LEAST_REPEATS} or more would. {help_}."
    )


def _cases_for_repeats(design: ReaderStudyDesign, *, above: int, readers: int, seed: int) -> int:
    """How many chosen cases, controls among them, give each reader LEAST_REPEATS; `above` give too few."""

    def is_enough(num_cases: int) -> bool:
        rooms = rooms_for_repeats(design, num_cases=num_cases, readers=readers, seed=seed)
        return min(room.fitting(design.washout_cases) for room in rooms) >= LEAST_REPEATS

    too_few, enough = above, 2 * above
    while not is_enough(enough):
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if is_enough(middle) else (middle, enough)
    return enough


def _of_little_room(design: ReaderStudyDesign, rooms: Sequence[RoomForRepeats], *, longest: int) -> str:
    """How many repeats find no place, and which readers get none at all."""
    fitting = sum(room.fitting(design.washout_cases) for room in rooms)
    wanted = sum(room.wanted for room in rooms)
    said = (
        f"Only {fitting} of {counted(wanted, 'repeat')} {'fits' if fitting == 1 else 'fit'} behind a washout "
        f"of {counted(design.washout_cases, 'case')}, and with one of {longest} they all do."
    )
    none = [room for room in rooms if room.wanted and not room.fitting(design.washout_cases)]
    if none:
        fewest, most = min(room.num_cases for room in none), max(room.num_cases for room in none)
        lists = counted(fewest, "case") if fewest == most else f"{fewest} to {most} cases"
        who = (
            "No reader gets one"
            if len(none) == len(rooms)
            else f"The {'reader' if len(none) == 1 else f'{len(none)} readers'} of {lists} "
            f"{'gets' if len(none) == 1 else 'get'} none"
        )
        said += f" {who}: too few cases come after the first."
    return f"{said} Shorten the washout or choose more cases."


def _even(number: int, readers: int, *, besides: int) -> Span:
    """Of each reader, as evenly as it can be, and what everybody reads besides."""
    each = number / readers if readers else 0.0
    return Span(math.floor(each) + besides, each + besides, math.ceil(each) + besides)


def _whence(times: ReadingTimes) -> str:
    if times.num_readings:
        return (
            f"Times are the quartiles of {counted(times.num_readings, 'signed reading')} {times.like}".strip()
            + "."
        )
    return (
        f"Not measured yet: {times.median:.0f} s per reading ({times.low:.0f} to {times.high:.0f}) are "
        "assumed, by what is asked in it."
    )


def _left_out(hurried: Hurried, *, like: str) -> str:
    number = hurried.num_readings
    readings = "1 signed reading" if number == 1 else f"{number:,} signed readings"
    readers = "1 reader" if hurried.num_readers == 1 else f"{hurried.num_readers} readers"
    return (
        f"{readings} {like}".strip() + f", of {readers}, {'was' if number == 1 else 'were'} left out: "
        f"their {hurried.median:.0f} s a case are under a third of what others take, or of its parts."
    )


def _other_cases(number: int) -> str:
    return "1 other case" if number == 1 else f"{number} other cases"
