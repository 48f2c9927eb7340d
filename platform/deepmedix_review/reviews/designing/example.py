"""A worked example: a real question, how a study answers it, and what that costs by the same plan as any."""

from dataclasses import dataclass

from deepmedix_review.reviews.criteria.versions import default_criteria
from deepmedix_review.reviews.designing.cost import plan_study
from deepmedix_review.reviews.designing.reading_times import reading_times
from deepmedix_review.reviews.designs import ReaderStudyDesign, StudyPlan
from deepmedix_review.reviews.designs.planning import USUAL_KINDS
from deepmedix_review.reviews.study_services import StudyDraft

NUM_CASES = 120
NUM_READERS = 6
# The share of votes by which the page shows how to read an interval.
VOTES_FOR = 0.6
DESIGN = ReaderStudyDesign(
    design="k_readers",
    readers_per_case=3,
    shows="two_versions",
    first_reads="share",
    first_read_share=0.5,
    repeat_share=0.1,
    washout_cases=15,
    control_share=0.05,
)
INSTRUCTIONS = (
    "Rate each step by what you see on the film, not by how well it is written. Where both outputs are of no "
    "use, say so."
)


@dataclass(frozen=True)
class Decision:
    """One line of the example: what is decided, how, and why."""

    what: str
    choice: str
    why: str


DECISIONS = (
    Decision(
        "Cases",
        f"{NUM_CASES} of a collection's test side, drawn by the seed",
        "Neither model was trained on these patients, and the number follows from the interval below.",
    ),
    Decision(
        "What they read",
        "One output of each of two models, side by side",
        "Both are judged on the same film by the same reader, so that a strict reader favours neither.",
    ),
    Decision("Questions", "The usual six", "Marks say how good each model is, votes which one is better."),
    Decision(
        "Readers",
        f"{NUM_READERS}, three per case",
        "Three readers show where they disagree; all six on every case would take twice the time.",
    ),
    Decision(
        "First reads",
        "On a random half",
        "The other half shows whether writing an own word first changes the ratings.",
    ),
    Decision(
        "Repeats",
        "10 %, behind 15 cases",
        "A reader who can't agree with the same reader can't tell two models apart.",
    ),
    Decision("Controls", "5 %", "A box in a wrong place that nobody notices says that readers do not look."),
)


def example_plan() -> StudyPlan:
    times = reading_times(DESIGN, asked=default_criteria(), model_versions=(), has_choices=False)
    return plan_study(
        DESIGN,
        num_cases=NUM_CASES,
        num_readers=NUM_READERS,
        num_taught=0,
        deadline=None,
        asks=USUAL_KINDS,
        times=times,
    )


def example_draft() -> StudyDraft:
    """What the form begins with where somebody begins from the example: cases and readers are their own."""
    return StudyDraft(title="", design=DESIGN, instructions=INSTRUCTIONS)
