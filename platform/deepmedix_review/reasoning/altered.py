"""Copies a completion with one thing made wrong in it, for control cases: never data, never changed.

A step writes its boxes in its text too. Those of a copy are the ones that it shows, or a program could tell
by them what was altered.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence

from django.db import transaction

from deepmedix_review.audit.services import record_event
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from inference.grounding import LARGEST_NUMBER, find_boxes
from inference.regions import Box, region_problem, to_image_px, to_model_box

COPIED = (
    *("study_id", "instance_id", "model_version_id", "query", "prompt", "answer", "problems"),
    *("temperature", "seed", "num_tokens", "seconds"),
    *("image_width", "image_height", "model_width", "model_height"),
)

_NUMBER = re.compile(r"[-+.\w]+")


def record_wrong_region(*, original: Completion, region: Region, box: Box) -> Completion:
    """A copy in which this region of the original lies elsewhere, in film pixels."""
    return _copy(original, Completion.Alteration.WRONG_REGION, moved={region.pk: box}, texts={})


def record_foreign_sentence(*, original: Completion, step: ReasoningStep, text: str) -> Completion:
    """A copy in which this step of the original says something else."""
    return _copy(original, Completion.Alteration.FOREIGN_SENTENCE, moved={}, texts={step.pk: text})


@transaction.atomic
def _copy(
    original: Completion,
    alteration: Completion.Alteration,
    *,
    moved: Mapping[int, Box],
    texts: Mapping[int, str],
) -> Completion:
    """The same alteration again gives the same copy."""
    key = hashlib.sha256(
        json.dumps(
            [original.content_key, alteration, sorted(moved.items()), sorted(texts.items()), "as shown"]
        ).encode()
    ).hexdigest()
    steps = list(original.steps.prefetch_related("regions").order_by("position"))
    whole, said = original.text, dict[int, str]()
    lying: dict[int, tuple[Box, Sequence[float]]] = {}
    for step in steps:
        regions = sorted(step.regions.all(), key=lambda region: region.position)
        lying |= {region.pk: _lying(original, moved[region.pk]) for region in regions if region.pk in moved}
        if step.pk in texts:
            said[step.pk] = _with_boxes_of(step.text, regions, texts[step.pk])
        elif lying.keys() & {region.pk for region in regions}:
            written = [lying[r.pk][1] if r.pk in lying else None for r in regions]
            said[step.pk] = _with_boxes(step.text, written)
        whole = whole.replace(step.text, said.get(step.pk, step.text), 1)
    copy, is_new = Completion.with_altered.get_or_create(
        content_key=key,
        defaults={
            **{name: getattr(original, name) for name in COPIED},
            "text": whole,
            "alteration": alteration,
            "altered_from": original,
        },
    )
    if not is_new:
        return copy
    copied = ReasoningStep.objects.bulk_create(
        ReasoningStep(completion=copy, position=step.position, text=said.get(step.pk, step.text))
        for step in steps
    )
    Region.objects.bulk_create(
        _copied_region(region, new, original, lying.get(region.pk))
        for step, new in zip(steps, copied, strict=True)
        for region in step.regions.all()
    )
    record_event(
        actor=None,
        action="alter_completion",
        subject=copy,
        details={"alteration": alteration.value, "altered_from": str(original.uid)},
    )
    return copy


def _lying(original: Completion, box: Box) -> tuple[Box, Sequence[float]]:
    """The box in film pixels and as the model would have written it, in whole numbers, which say the same."""
    image_size = (original.image_width, original.image_height)
    frame, model_size = original.model_version.box_frame, (original.model_width, original.model_height)
    x_min, y_min, x_max, y_max = to_model_box(box, frame=frame, model_size=model_size, image_size=image_size)
    written = (math.ceil(x_min), math.ceil(y_min), math.floor(x_max), math.floor(y_max))
    shown = to_image_px(written, frame=frame, model_size=model_size, image_size=image_size)
    return (box, (x_min, y_min, x_max, y_max)) if region_problem(shown, image_size) else (shown, written)


def _with_boxes(text: str, written: Sequence[Sequence[float] | None]) -> str:
    """Its boxes with these numbers, in the way in which it writes them; those of None stay as they are."""
    places = _box_spans(text)
    if len(places) != len(written):
        return text
    for (start, end), numbers in reversed(list(zip(places, written, strict=True))):
        if numbers is not None:
            text = text[:start] + _box_with(text[start:end], numbers) + text[end:]
    return text


def _box_with(box: str, numbers: Sequence[float]) -> str:
    left = iter(numbers)
    return _NUMBER.sub(lambda old: _like(old.group(), next(left)), box)


def _with_boxes_of(own: str, regions: Sequence[Region], foreign: str) -> str:
    """The foreign sentence with the boxes of the step whose place it takes."""
    boxes = [own[start:end] for start, end in _box_spans(own)]
    if len(boxes) != len(regions):
        return foreign
    places = _box_spans(foreign)
    is_like = len(places) == len(boxes)
    for number, (start, end) in reversed(list(enumerate(places))):
        foreign = foreign[:start] + (boxes[number] if is_like else "") + foreign[end:]
    if is_like:
        return foreign
    words = re.sub(r"\s+(?=[.,;]|$)", "", re.sub(r"\s{2,}", " ", foreign))
    return " ".join([words, *boxes])


def _box_spans(text: str) -> list[tuple[int, int]]:
    """Of the boxes that are regions."""
    return [span for span, box in find_boxes(text) if all(abs(edge) <= LARGEST_NUMBER for edge in box)]


def _like(old: str, number: float) -> str:
    """With as many decimals as the number that stood there."""
    return f"{number:.{len(old.partition('.')[2])}f}"


def _copied_region(
    region: Region,
    step: ReasoningStep,
    original: Completion,
    lying: tuple[Box, Sequence[float]] | None,
) -> Region:
    if lying is None:
        edges = Box(region.x_min, region.y_min, region.x_max, region.y_max)
        return Region(
            step=step,
            position=region.position,
            **edges._asdict(),
            model_box=region.model_box,
            problem=region.problem,
        )
    box, written = lying
    return Region(
        step=step,
        position=region.position,
        **box._asdict(),
        model_box=[round(edge) for edge in written],
        problem=region_problem(box, (original.image_width, original.image_height)),
    )
