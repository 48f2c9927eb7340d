"""What is wrong with the published reward: for each fault a better completion and a worse one of one case."""

from __future__ import annotations

from dataclasses import dataclass

from inference.grounding import format_completion
from inference.regions import Box, Frame
from rl_feedback.rewards import CaseTruth, TruthRegion, grounded_reward, paper_reward

REPORT = "The lungs are clear. No pleural effusion or pneumothorax."
TERSE = "No effusion or pneumothorax."
STEP = "The heart size is normal [100, 200, 300, 400]"
HEART = TruthRegion("normal heart", Box(100, 200, 300, 400))
# The model sees the film as it is, so that boxes can be read off the completions.
SIZE = (504, 504)
LARGE = (1024, 1024)


@dataclass(frozen=True)
class Defect:
    """`title` names the fault; the published reward does not prefer `better`, ours must."""

    title: str
    better: str
    worse: str
    truth: CaseTruth

    def published(self) -> tuple[float, float]:
        """The published reward of the better and of the worse completion."""
        found = paper_reward([self.better, self.worse], [self.truth.answer] * 2)
        return found[0].overall, found[1].overall

    def ours(self) -> tuple[float, float]:
        found = grounded_reward([self.better, self.worse], [self.truth] * 2)
        return found[0].overall, found[1].overall


def case(
    answer: str, *regions: TruthRegion, size: tuple[int, int] = SIZE, frame: str = Frame.INPUT
) -> CaseTruth:
    return CaseTruth(answer, regions=regions or (HEART,), image_size=size, model_size=size, box_frame=frame)


def said(answer: str, *steps: str) -> str:
    return format_completion(steps or (STEP,), answer)


EFFUSION = TruthRegion("left effusion", Box(300, 300, 450, 450))
LESIONS = (EFFUSION, TruthRegion("right nodule", Box(60, 80, 110, 130)), HEART)
FAR = TruthRegion("left effusion", Box(700, 100, 900, 300))
MANY = (
    "edema|pneumonia|small pleural effusion on the left|mildly enlarged heart"
    "|old fracture of the eighth left rib|calcified granuloma of the right upper lobe"
    "|tip of the central line in the superior vena cava"
)
TRUE_STEPS = (
    "There is a left effusion [300, 300, 450, 450]",
    "There is a right nodule [60, 80, 110, 130]",
    STEP,
)

DEFECTS: tuple[Defect, ...] = (
    Defect(
        "The opposite of the report is paid more than a right, shorter one",
        said(TERSE),
        said("The lungs are not clear. Large pleural effusion and pneumothorax."),
        case(REPORT),
    ),
    Defect(
        "A sentence about something else is paid more than a right, short one",
        said("No effusion."),
        said("The patient likes to play the piano on a sunny morning near the sea."),
        case(REPORT),
    ),
    Defect(
        "The report's letters in reverse are paid more than a right, shorter one",
        said("No effusion."),
        said(REPORT[::-1]),
        case(REPORT),
    ),
    Defect(
        "The report's words in reverse are paid almost as the report",
        said("The lungs are clear. No effusion or pneumothorax."),
        said(" ".join(REPORT.split()[::-1])),
        case(REPORT),
    ),
    Defect(
        "Any three boxes are paid as the right ones",
        said("left effusion, right nodule", *TRUE_STEPS),
        said(
            "left effusion, right nodule",
            "There is a left effusion [1, 2, 3, 4]",
            "There is a right nodule [5, 6, 7, 8]",
            "The heart size is normal [0, 0, 9, 9]",
        ),
        case("left effusion, right nodule", *LESIONS),
    ),
    Defect(
        "A box with its corners swapped is paid",
        said("yes"),
        said("yes", "The heart size is normal [300, 400, 100, 200]"),
        case("yes"),
    ),
    Defect(
        "A box with negative corners is paid",
        said("yes"),
        said("yes", "The heart size is normal [-100, -200, -30, -40]"),
        case("yes"),
    ),
    Defect(
        "A right box beyond pixel 512 of a large film costs",
        said("yes", "There is a left effusion [700, 100, 900, 300]"),
        said("yes", "There is a left effusion"),
        case("yes", FAR, size=LARGE),
    ),
    Defect(
        "Ten boxes beyond pixel 512 take more than everything else can give",
        said("yes", "There is a left effusion " + " and ".join(["[700, 100, 900, 300]"] * 10)),
        "no",
        case("yes", FAR, size=LARGE),
    ),
    Defect(
        "A box with spaces inside its brackets does not count",
        said("yes", "The heart size is normal [ 100, 200, 300, 400 ]"),
        said("yes", "The heart size is normal"),
        case("yes"),
    ),
    Defect(
        "A box with numbers such as 100. does not count",
        said("yes", "The heart size is normal [100., 200., 300., 400.]"),
        said("yes", "The heart size is normal"),
        case("yes"),
    ),
    Defect(
        "A box with numbers such as 1e2 does not count",
        said("yes", "The heart size is normal [1e2, 2e2, 3e2, 4e2]"),
        said("yes", "The heart size is normal"),
        case("yes"),
    ),
    Defect(
        "Boxes in a second block of reasoning are free",
        said("yes"),
        f"<think> {STEP} </think> <think> {'[1, 2, 900, 900] ' * 9}</think> The answer is: \\boxed{{yes}}",
        case("yes"),
    ),
    Defect(
        "Where the true answer is the word None, no answer at all is paid in full",
        said("None", "The heart size is normal"),
        f"<think> {STEP} and [1, 2, 3, 4] and [5, 6, 7, 8] </think> The answer is not known.",
        case("None"),
    ),
    Defect(
        "A right answer with a full stop is worth nothing",
        said("Yes."),
        said("no"),
        case("yes"),
    ),
    Defect(
        "A list of more than 20 words is compared by its letters, capitals and order",
        said("|".join(item.capitalize() for item in MANY.split("|")[::-1])),
        said(
            MANY.replace("eighth left", "eighth right")
            .replace("right upper", "left upper")
            .replace("tip", "end")
        ),
        case(MANY),
    ),
    Defect(
        "Padding the reasoning costs nothing",
        said("yes"),
        said("yes", STEP, *["The bones are seen as they are seen"] * 20),
        case("yes"),
    ),
    Defect(
        "Endless reasoning costs nothing",
        said("yes"),
        said(
            "yes",
            STEP,
            *[f"Rib number {n} was looked at with great care from end to end" for n in range(120)],
        ),
        case("yes"),
    ),
    Defect(
        "An answer that stands before the reasoning is paid almost in full",
        said(TERSE),
        f"The answer is: \\boxed{{{REPORT}}} <think> {STEP} </think>",
        case(REPORT),
    ),
)
