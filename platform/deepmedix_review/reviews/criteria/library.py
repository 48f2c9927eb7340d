"""The questions that come with the product: what readers say of steps, regions, answers, and between two."""

from dataclasses import dataclass

from deepmedix_review.reviews.models import Criterion

Kind = Criterion.Kind
Target = Criterion.Target
AskedIf = Criterion.AskedIf


@dataclass(frozen=True)
class Option:
    """`anchor` says what a reader means who chooses it."""

    value: int | str
    label: str
    anchor: str


@dataclass(frozen=True)
class LibraryCriterion:
    """`field`: the column of the reading that keeps the answer; empty, a criterion rating does. `asked_if`:
    of which steps alone."""

    key: str
    name: str
    question: str
    target: Criterion.Target
    kind: Criterion.Kind
    options: tuple[Option, ...]
    field: str = ""
    asked_if: str = ""


def _five(*anchors: str) -> tuple[Option, ...]:
    return tuple(Option(value, str(value), anchor) for value, anchor in enumerate(anchors, start=1))


_SIDES = (
    Option("a", "A", "A is better"),
    Option("tie", "tie", "both are as good"),
    Option("b", "B", "B is better"),
    Option("both_bad", "both bad", "neither is of use"),
)

LIBRARY = (
    LibraryCriterion(
        key="plausibility",
        name="Plausibility",
        question="Is what this step says about the film right?",
        target=Target.STEP,
        kind=Kind.SCALE,
        options=_five(
            "wrong, and misleading",
            "mostly wrong",
            "partly right",
            "right, with a small flaw",
            "right, as I would say it",
        ),
        field="plausibility",
    ),
    LibraryCriterion(
        key="region-verdict",
        name="Region",
        question="Does the region show what the step says?",
        target=Target.REGION,
        kind=Kind.CHOICE,
        options=(
            Option("fits", "fits", "the box holds the finding and little else"),
            Option("adjusted", "redrawn", "right finding, better box"),
            Option("wrong", "wrong", "the finding is not there"),
        ),
        field="verdict",
    ),
    LibraryCriterion(
        key="relevance",
        name="Relevance",
        question="Does the answer speak to the question?",
        target=Target.ANSWER,
        kind=Kind.SCALE,
        options=_five(
            "not at all",
            "hardly",
            "partly",
            "mostly, with some that is beside it",
            "wholly, and nothing else",
        ),
        field="relevance",
    ),
    LibraryCriterion(
        key="correctness",
        name="Correctness",
        question="Is what the answer says true of this film?",
        target=Target.ANSWER,
        kind=Kind.SCALE,
        options=_five(
            "wrong",
            "mostly wrong",
            "right and wrong in parts",
            "right, with a small flaw",
            "right throughout",
        ),
        field="correctness",
    ),
    LibraryCriterion(
        key="completeness",
        name="Completeness",
        question="Does the answer say all that matters on this film?",
        target=Target.ANSWER,
        kind=Kind.SCALE,
        options=_five(
            "misses what matters most",
            "misses much",
            "misses something that matters",
            "misses a detail",
            "misses nothing",
        ),
        field="completeness",
    ),
    LibraryCriterion(
        key="harm",
        name="Harm",
        question="What would follow if the answer were acted on?",
        target=Target.ANSWER,
        kind=Kind.CHOICE,
        options=(
            Option("none", "none", "no harm to the patient"),
            Option("mild", "mild", "needless worry, tests or delay, without lasting harm"),
            Option("severe", "severe", "lasting harm or death could follow"),
        ),
        field="harm",
    ),
    LibraryCriterion(
        key="better-grounded",
        name="Better grounded",
        question="Whose regions show better what its steps say?",
        target=Target.VOTE,
        kind=Kind.CHOICE,
        options=_SIDES,
        field="grounded",
    ),
    LibraryCriterion(
        key="better-overall",
        name="Better overall",
        question="Which output would you rather have before you?",
        target=Target.VOTE,
        kind=Kind.CHOICE,
        options=_SIDES,
        field="overall",
    ),
    LibraryCriterion(
        key="error-of-finding",
        name="Error of finding",
        question="Is the finding of this step there?",
        target=Target.STEP,
        kind=Kind.CHOICE,
        options=(
            Option("none", "no error", "the finding is there, or rightly said to be absent"),
            Option("false", "not there", "the step names a finding that the film does not show"),
            Option("denied", "denied", "the step denies a finding that the film shows"),
            Option("confused", "another one", "something is there, and it is another finding"),
        ),
        asked_if=AskedIf.FLAWED,
    ),
    LibraryCriterion(
        key="error-of-location",
        name="Error of location",
        question="Is the finding where the step says?",
        target=Target.STEP,
        kind=Kind.CHOICE,
        options=(
            Option("none", "no error", "the place is right, or the step names none"),
            Option("side", "wrong side", "left for right, or right for left"),
            Option("zone", "wrong place", "the right side, another zone or organ"),
            Option("extent", "wrong extent", "the right place, too small or too large"),
        ),
        asked_if=AskedIf.THERE,
    ),
    LibraryCriterion(
        key="error-of-severity",
        name="Error of severity",
        question="Is the finding as severe as the step says?",
        target=Target.STEP,
        kind=Kind.CHOICE,
        options=(
            Option("none", "no error", "as severe as said, or the step says nothing of it"),
            Option("understated", "understated", "more severe than said"),
            Option("overstated", "overstated", "less severe than said"),
        ),
        asked_if=AskedIf.THERE,
    ),
    LibraryCriterion(
        key="omission",
        name="Omission",
        question="Does the answer leave out a finding?",
        target=Target.ANSWER,
        kind=Kind.CHOICE,
        options=(
            Option("none", "nothing", "no finding is left out"),
            Option("minor", "minor", "one that changes nothing for the patient"),
            Option("major", "major", "one that would change what is done"),
        ),
    ),
)

# What a reader study asks that names nothing else.
DEFAULT_KEYS = (
    "plausibility",
    "region-verdict",
    "relevance",
    "correctness",
    "completeness",
    "better-overall",
)
