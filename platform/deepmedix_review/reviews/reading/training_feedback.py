"""Tells the reader of a signed practice case what should have been said, beside what was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.known_answers import (
    FeedbackItem,
    KnownAnswer,
    NamedBox,
    RatedStep,
    WordOfReader,
    WrittenFinding,
    compare,
    read_known_answer,
)
from deepmedix_review.reviews.models import Case, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.completion_view import CompletionView, RegionView, StepView
from deepmedix_review.reviews.reading.first_read_view import DrawnRegionView, FirstReadForm
from deepmedix_review.reviews.reading.parts import RegionAnnotationView, Said
from inference.regions import Box

TAUGHT = (Case.Role.TRAINING, Case.Role.CALIBRATION)
_MOMENTS = {"first": "your first read", "after_reveal": "your change of mind"}


@dataclass(frozen=True)
class FeedbackView:
    """`known_answer` is the whole of it; `items` compare it with the reading, thing by thing."""

    known_answer: KnownAnswer
    items: tuple[FeedbackItem, ...]


def show_feedback(
    reading: Reading, said: Said, first_read: FirstReadForm | None, completions: Sequence[CompletionView]
) -> FeedbackView | None:
    """None before the signature, and of every case that is not there to teach."""
    case = reading.assignment.case
    if reading.signed_at is None or not case.tells_its_answer or case.known_answer is None:
        return None
    try:
        known = read_known_answer(case.known_answer)
    except RefusedByRule as refusal:
        # The reader can't mend it, so it keeps nothing else of the reading from being shown.
        return FeedbackView(KnownAnswer(), (FeedbackItem("Known answer", "", str(refusal), agrees=None),))
    first = first_read.first if first_read else None
    asks_findings = first_read is not None and first_read.form == "findings"
    word = WordOfReader(
        findings=first.findings if first and asks_findings else None,
        choice=first.choice if first and not asks_findings else None,
        boxes=tuple(_boxes(said, completions)),
        steps=tuple(_rated_steps(said, completions)),
        missed=tuple(_written(said)),
        impression=first.impression if first and asks_findings else "",
    )
    return FeedbackView(known, compare(word, known))


def _boxes(said: Said, completions: Sequence[CompletionView]) -> Iterator[NamedBox]:
    """The regions that the reader stands for: drawn, redrawn, or found fitting."""
    names = {step.uid: name for name, step in _steps(completions)}
    names |= {finding.uid: f"“{finding.text}”" for finding in said.missed_findings}
    annotations = {one.region: one for one in said.region_annotations}
    wrong = {
        step.uid: [one for one in step.regions if _is_wrong(annotations.get(one.uid))]
        for _, step in _steps(completions)
    }
    for drawn in said.drawn_regions:
        owner = drawn.step or drawn.missed_finding
        name = names[owner] if owner else _MOMENTS[drawn.first_read or "first"]
        replaced = wrong.get(drawn.step, []) if drawn.step else []
        # Of several wrong ones nobody says which it stands for.
        before = _box(replaced[0]) if len(replaced) == 1 else None
        yield NamedBox(f"the region you drew for {name}", _box(drawn), is_drawn=True, before=before)
    for name, step in _steps(completions):
        for region in step.regions:
            annotation = annotations.get(region.uid)
            if annotation is not None and annotation.verdict == RegionAnnotation.Verdict.FITS:
                yield NamedBox(f"the region of {name}, found fitting", _box(region))
            elif annotation is not None and (box := _redrawn(annotation)) is not None:
                yield NamedBox(f"the region of {name}, redrawn", box, before=_box(region))


def _rated_steps(said: Said, completions: Sequence[CompletionView]) -> Iterator[RatedStep]:
    rated = {one.step: one.plausibility for one in said.step_ratings}
    for name, step in _steps(completions):
        plausibility = rated.get(step.uid)
        if plausibility is not None:
            boxes = tuple(_box(region) for region in step.regions)
            yield RatedStep(name, step.text, plausibility, boxes)


def _written(said: Said) -> Iterator[WrittenFinding]:
    for finding in said.missed_findings:
        boxes = tuple(_box(one) for one in said.drawn_regions if one.missed_finding == finding.uid)
        yield WrittenFinding(finding.text, boxes)


def _steps(completions: Sequence[CompletionView]) -> Iterator[tuple[str, StepView]]:
    """Each with the name that it has on the page."""
    for completion in completions:
        side = f"{completion.side.upper()} " if len(completions) > 1 else ""
        for step in completion.steps:
            yield f"{side}step {step.position}", step


def _is_wrong(one: RegionAnnotationView | None) -> bool:
    return one is not None and one.verdict == RegionAnnotation.Verdict.WRONG


def _redrawn(one: RegionAnnotationView) -> Box | None:
    if one.x_min is None or one.y_min is None or one.x_max is None or one.y_max is None:
        return None
    return Box(one.x_min, one.y_min, one.x_max, one.y_max)


def _box(region: RegionView | DrawnRegionView) -> Box:
    return Box(region.x_min, region.y_min, region.x_max, region.y_max)
