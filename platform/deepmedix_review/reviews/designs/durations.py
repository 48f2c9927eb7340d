"""How long one reading takes, part by part of what is asked in it, until readings like it have been measured.

Where a time has been measured elsewhere, its source stands beside it; the others are assumed. All of them
give way to the readers' own times as soon as there are some.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

# A chest radiograph opened, looked at and reported: 14.8 s on average of 11 radiologists (Shin et al., npj
# Digital Medicine 6:82, 2023).
FILM = 15.0
# A step of 20 words is read in 5 s (238 words a minute: Brysbaert, J. Mem. Lang. 109:104047, 2019) and looked
# for on the film for as long again (assumed).
STEP = 10.0
# An answer of 30 words, at the same pace.
ANSWER = 8.0
# Making up one's mind and a key: 1.35 s and 0.28 s (Card, Moran and Newell, Commun. ACM 23:396, 1980).
KEY = 1.6
# Two outputs are held against each other before the key (assumed).
VOTE = 5.0
# A line of 12 words at 40 words a minute (Card, Moran and Newell's typist who is no secretary).
TEXT = 20.0
# An answer of one's own, how sure it is, and the lock: three keys. Or findings and a line in place of the
# answer (assumed).
FIRST_READ_OF_CHOICES = 5.0
FIRST_READ_OF_FINDINGS = 30.0
# Readers and cases differ: the quickest and the slowest quarter by this much (assumed).
QUICK, SLOW = 0.6, 1.8


@dataclass(frozen=True)
class Question:
    """One criterion: what it is asked of (step, region, answer, vote or case), of which share of those, and
    whether it is answered by writing."""

    target: str
    is_text: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Part:
    """A thing that happens `number` times in a reading, on average."""

    name: str
    number: float
    seconds_each: float

    @property
    def seconds(self) -> float:
        return self.number * self.seconds_each


@dataclass(frozen=True)
class MakeUp:
    """What one reading consists of, on average. `first_reads` is the share of readings with one."""

    num_outputs: int
    steps: float
    regions: float
    answers_by_key: float
    votes: float
    texts: float
    first_reads: float = 0.0
    has_choices: bool = False

    @property
    def num_answers(self) -> float:
        """All that the reader has to say after the reveal."""
        return self.answers_by_key + self.votes + self.texts

    def parts(self) -> tuple[Part, ...]:
        """Where the time goes, in the order of a reading; what does not happen is left out."""
        first_read = FIRST_READ_OF_CHOICES if self.has_choices else FIRST_READ_OF_FINDINGS
        every = (
            Part("film", 1, FILM),
            Part("first read", self.first_reads, first_read),
            Part("steps read", self.steps, STEP),
            Part("answers read", self.num_outputs, ANSWER),
            Part("ratings and choices", self.answers_by_key, KEY),
            Part("votes", self.votes, VOTE),
            Part("texts", self.texts, TEXT),
        )
        return tuple(part for part in every if part.number)


@dataclass(frozen=True)
class Flawed:
    """The share of steps that readers find something wrong with: of these alone errors are asked. Assumed
    where `num_steps`, of which it was measured, is 0."""

    share: float
    num_steps: int = 0


@dataclass(frozen=True)
class Hurried:
    """How many readings were clicked through rather than read, of how many readers, and their median in
    seconds."""

    num_readings: int
    num_readers: int
    median: float


@dataclass(frozen=True)
class ReadingTimes:
    """Seconds of one reading: quartiles of `num_readings` signed ones that are like it, or, where that is 0,
    the sum of its parts. `parts` are there in both cases; `like` says which readings were measured.

    `hurried`: what was measured and left out, since its readers took less time than can be believed.
    `flawed`: where errors are asked. `regions` of a reading, on average."""

    low: float
    median: float
    high: float
    num_readings: int = 0
    like: str = ""
    parts: tuple[Part, ...] = ()
    hurried: Hurried | None = None
    flawed: Flawed | None = None
    regions: float = 0.0

    @property
    def seconds_of_parts(self) -> float:
        return sum(part.seconds for part in self.parts)


# What a reader study asks that names nothing else: of each step its plausibility, of each region its verdict,
# three points of each answer, and which output is better.
USUAL_QUESTIONS = (
    Question("step"),
    Question("region"),
    *(Question("answer"),) * 3,
    Question("vote"),
)
USUAL_STEPS, USUAL_REGIONS = 5.0, 5.0


def make_up(
    questions: Sequence[Question],
    *,
    num_outputs: int,
    steps_per_output: float = USUAL_STEPS,
    regions_per_output: float = USUAL_REGIONS,
    first_reads: float = 0.0,
    has_choices: bool = False,
) -> MakeUp:
    """Every question counts as answered, also one that may be left open; a vote needs two outputs. Steps are
    read where one of them, its regions or a vote is asked: a vote weighs the reasoning of both outputs."""
    times = {
        "step": num_outputs * steps_per_output,
        "region": num_outputs * regions_per_output,
        "answer": float(num_outputs),
        "vote": float(num_outputs > 1),
        "case": 1.0,
    }
    by_key: dict[str, float] = defaultdict(float)
    written: dict[str, float] = defaultdict(float)
    for question in questions:
        (written if question.is_text else by_key)[question.target] += question.share
    votes = by_key.pop("vote", 0) * times["vote"]
    is_asked = {question.target for question in questions if times[question.target]}
    return MakeUp(
        num_outputs=num_outputs,
        steps=times["step"] if is_asked & {"step", "region", "vote"} else 0.0,
        regions=times["region"],
        answers_by_key=sum(number * times[target] for target, number in by_key.items()),
        votes=votes,
        texts=sum(number * times[target] for target, number in written.items()),
        first_reads=first_reads,
        has_choices=has_choices,
    )


def expected_times(made_up: MakeUp) -> ReadingTimes:
    """By the parts alone.

    >>> two = make_up(USUAL_QUESTIONS, num_outputs=2)
    >>> one = make_up(USUAL_QUESTIONS, num_outputs=1)
    >>> [round(expected_times(made).median) for made in (one, two)]
    [94, 178]
    """
    parts = made_up.parts()
    seconds = sum(part.seconds for part in parts)
    return ReadingTimes(QUICK * seconds, seconds, SLOW * seconds, parts=parts, regions=made_up.regions)
