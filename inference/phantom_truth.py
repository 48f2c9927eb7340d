"""What is really there on a drawn chest film, and how a radiologist would put it into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inference.regions import Box

LESIONS = ("effusion", "pneumothorax", "consolidation", "nodule")
# The first site has the four; a cavity is what the second site has besides.
ALL_LESIONS = (*LESIONS, "cavity")
KINDS = ("cardiomegaly", *ALL_LESIONS)
SIDES = ("right", "left")
NO_FINDING = "no acute finding"
REPORT_QUERY = "Write the findings and the impression of this radiograph."

_STEP_WORDS = {
    "effusion": "pleural effusion",
    "pneumothorax": "pneumothorax",
    "consolidation": "consolidation",
    "nodule": "nodule",
    "cavity": "cavity",
}


# How much it matters to the patient that a finding is missed or made up: 1 little, 3 gravely.
GRAVITY = {
    "cardiomegaly": 1,
    "effusion": 2,
    "pneumothorax": 3,
    "consolidation": 2,
    "nodule": 2,
    "cavity": 3,
}


@dataclass(frozen=True)
class Finding:
    """One finding; `side` is the patient's own side (the patient's left is on the image's right)."""

    kind: str
    side: str | None
    region: Box

    @property
    def name(self) -> str:
        """The finding as it stands in an answer: "left effusion", "cardiomegaly"."""
        return f"{self.side} {self.kind}" if self.side else self.kind

    @property
    def gravity(self) -> int:
        """How much it matters, 1 to 3."""
        return GRAVITY[self.kind]


@dataclass(frozen=True)
class PhantomTruth:
    """Everything that was drawn, in pixels of an image of `width` x `height`.

    `lesion_kinds` are the kinds of lesion that there are at this site: those that its reports speak of.
    """

    findings: tuple[Finding, ...]
    heart: Box
    right_lung: Box
    left_lung: Box
    width: int
    height: int
    lesion_kinds: tuple[str, ...] = LESIONS

    @property
    def lesions(self) -> tuple[Finding, ...]:
        """The findings other than an enlarged heart, in the order in which they are read."""
        return tuple(finding for finding in self.findings if finding.kind in ALL_LESIONS)

    @property
    def enlarged_heart(self) -> bool:
        """Whether cardiomegaly is among the findings."""
        return any(finding.kind == "cardiomegaly" for finding in self.findings)

    @property
    def answer(self) -> str:
        """The short answer: the findings' names, or "no acute finding"."""
        return ", ".join(finding.name for finding in self.findings) or NO_FINDING

    def resized(self, *, width: int, height: int) -> PhantomTruth:
        """The same truth on the film drawn at another size."""
        x, y = width / self.width, height / self.height
        return self._moved(
            lambda box: Box(box.x_min * x, box.y_min * y, box.x_max * x, box.y_max * y), width, height
        )

    def shifted(self, *, dx: int, dy: int) -> PhantomTruth:
        """The truth after the image's content moved by (dx, dy) pixels; regions end at the image's edge."""

        def across(value: float) -> float:
            return min(max(value + dx, 0.0), float(self.width))

        def down(value: float) -> float:
            return min(max(value + dy, 0.0), float(self.height))

        return self._moved(
            lambda box: Box(across(box.x_min), down(box.y_min), across(box.x_max), down(box.y_max)),
            self.width,
            self.height,
        )

    def _moved(self, move: Callable[[Box], Box], width: int, height: int) -> PhantomTruth:
        return PhantomTruth(
            findings=tuple(Finding(f.kind, f.side, move(f.region)) for f in self.findings),
            heart=move(self.heart),
            right_lung=move(self.right_lung),
            left_lung=move(self.left_lung),
            width=width,
            height=height,
            lesion_kinds=self.lesion_kinds,
        )


@dataclass(frozen=True)
class ReportText:
    """The two sections of a radiology report."""

    findings: str
    impression: str


@dataclass(frozen=True)
class QuestionAnswer:
    """One question about a film with its only right answer, and the kind of question it is."""

    question: str
    answer: str
    category: str


def box_text(box: Box) -> str:
    """A region as a model writes it, in whole pixels.

    >>> box_text(Box(3.2, 4.6, 50, 61))
    '[3, 5, 50, 61]'
    """
    return "[{}, {}, {}, {}]".format(*(round(value) for value in box))


def heart_step(truth: PhantomTruth) -> str:
    """What is true of the heart, with its region in the truth's own pixels."""
    size = "The heart is enlarged" if truth.enlarged_heart else "The heart size is normal"
    return f"{size} with {box_text(truth.heart)}"


def lesion_step(lesion: Finding) -> str:
    """What is true of one lesion."""
    return f"There is a {lesion.side} {_STEP_WORDS[lesion.kind]} with {box_text(lesion.region)}"


def ideal_steps(truth: PhantomTruth) -> tuple[str, ...]:
    """The steps of a perfect reasoning: the heart, then each lesion, or that both lungs are clear."""
    if truth.lesions:
        return heart_step(truth), *(lesion_step(lesion) for lesion in truth.lesions)
    clear = f"Both lungs are clear with {box_text(truth.right_lung)} and {box_text(truth.left_lung)}"
    return heart_step(truth), clear


def ideal_reasoning(truth: PhantomTruth, *, width: int = 112, height: int = 112) -> str:
    """The completion a perfect model would write for the film at `width` x `height` pixels.

    The text follows DeepMedix-R1's grammar: steps with boxes inside `<think>`, then the boxed answer.
    """
    seen = truth.resized(width=width, height=height)
    return f"<think> {'; '.join(ideal_steps(seen))} </think> The answer is: \\boxed{{{seen.answer}}}"


def reference_report(truth: PhantomTruth) -> ReportText:
    """The report a radiologist would have written with the truth in hand."""
    heart = "The heart is enlarged." if truth.enlarged_heart else "The heart size is normal."
    sentences = [heart, "The mediastinal contours are unremarkable."]
    for kind in truth.lesion_kinds:
        sides = [finding.side for finding in truth.lesions if finding.kind == kind]
        if sides:
            sentences.append(f"There is a {' and '.join(str(side) for side in sides)} {_STEP_WORDS[kind]}.")
        else:
            sentences.append(f"There is no {_STEP_WORDS[kind]}.")
    impression = truth.answer[0].upper() + truth.answer[1:] + "."
    return ReportText(findings=" ".join(sentences), impression=impression)


def vqa_pairs(truth: PhantomTruth) -> tuple[QuestionAnswer, ...]:
    """Closed questions about the film: presence of each finding, abnormality, and each lesion's side."""
    present = {finding.kind for finding in truth.findings}
    pairs = [
        QuestionAnswer(
            question=f"Is there a {_STEP_WORDS[kind]}?" if kind in ALL_LESIONS else "Is the heart enlarged?",
            answer="yes" if kind in present else "no",
            category="presence",
        )
        for kind in ("cardiomegaly", *truth.lesion_kinds)
    ]
    pairs.append(
        QuestionAnswer("Is this radiograph abnormal?", "yes" if truth.findings else "no", "abnormality")
    )
    for kind in truth.lesion_kinds:
        sides = [finding.side for finding in truth.lesions if finding.kind == kind]
        if len(sides) == 1:
            question = f"On which side of the patient is the {_STEP_WORDS[kind]}?"
            pairs.append(QuestionAnswer(question, str(sides[0]), "location"))
    return tuple(pairs)
