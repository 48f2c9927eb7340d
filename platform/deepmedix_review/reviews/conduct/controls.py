"""What an admin sees of the control cases: what was made wrong in each, in words, and what stood there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reasoning.region_labels import place_on_film
from deepmedix_review.reasoning.selectors import region_labels
from deepmedix_review.reviews.models import Case, ReaderStudy
from rl_feedback.preferences.kinds import without_boxes

WRONG_REGION = Completion.Alteration.WRONG_REGION.value
_SHOWN = {
    WRONG_REGION: "a box in a wrong place",
    Completion.Alteration.FOREIGN_SENTENCE.value: "a sentence of another case",
}


@dataclass(frozen=True)
class ControlRow:
    """What was altered in a control case, in which step; `region` as on the film, None for a sentence.
    `place` and `stood_at` are where on the film the box is and was, `moved_to` in which direction it moved
    where both are one; `said` is what the step said before."""

    case: Case
    step: ReasoningStep
    shows: str
    region: str | None
    place: str
    stood_at: str
    moved_to: str
    said: str

    @property
    def output(self) -> str:
        """As the study's own page calls it."""
        completion = self.step.completion
        return f"{completion.model_version}, sample {completion.sample}"

    @property
    def text(self) -> str:
        return without_boxes(self.step.text)


def control_cases(reader_study: ReaderStudy) -> Sequence[ControlRow]:
    """Each alteration of each control case, in the order of the cases."""
    controls = Case.objects.filter(reader_study=reader_study, role=Case.Role.CONTROL).select_related("study")
    found = [
        (case, what)
        for case in controls.order_by("position")
        for what in (case.known_answer or {}).get("alterations", [])
        if what.get("alteration") in _SHOWN
    ]
    steps = ReasoningStep.objects.filter(uid__in=[what["step"] for _, what in found])
    by_uid = {str(step.uid): step for step in steps.select_related("completion__model_version")}
    regions = {
        str(region.uid): region
        for region in Region.objects.filter(
            uid__in=[what["region"] for _, what in found if what.get("region")]
        )
    }
    labels = region_labels([region.pk for region in regions.values()])
    originals = _originals(list(by_uid.values()))
    return [
        _row(
            case,
            by_uid[what["step"]],
            what["alteration"],
            region=regions.get(str(what.get("region"))),
            labels=labels,
            original=originals.get(what["step"]),
        )
        for case, what in found
    ]


def _originals(steps: Sequence[ReasoningStep]) -> Mapping[str, ReasoningStep]:
    """By uid of an altered step, the step as the model wrote it, with its regions."""
    originals = ReasoningStep.objects.filter(
        completion__in=[step.completion.altered_from_id for step in steps]
    ).prefetch_related("regions")
    at = {(step.completion_id, step.position): step for step in originals}
    return {
        str(step.uid): original
        for step in steps
        if (original := at.get((step.completion.altered_from_id or 0, step.position)))
    }


def _row(
    case: Case,
    step: ReasoningStep,
    alteration: str,
    *,
    region: Region | None,
    labels: Mapping[int, str],
    original: ReasoningStep | None,
) -> ControlRow:
    size = (step.completion.image_width, step.completion.image_height)
    before = (
        next((one for one in original.regions.all() if one.position == region.position), None)
        if original is not None and region is not None
        else None
    )
    place, stood_at = _place(region, size), _place(before, size)
    return ControlRow(
        case=case,
        step=step,
        shows=_SHOWN[alteration],
        region=labels.get(region.pk) if region is not None else None,
        place=place,
        stood_at=stood_at,
        moved_to=_direction(before, region) if before and region and place == stood_at else "",
        said=without_boxes(original.text) if original is not None and alteration != WRONG_REGION else "",
    )


def _direction(before: Region, after: Region) -> str:
    """As the picture is seen, by the longer way; both boxes are equally large."""
    right, down = after.x_min - before.x_min, after.y_min - before.y_min
    if abs(right) >= abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"


def _place(region: Region | None, size: tuple[int, int]) -> str:
    if region is None:
        return ""
    return place_on_film((region.x_min, region.y_min, region.x_max, region.y_max), size)
