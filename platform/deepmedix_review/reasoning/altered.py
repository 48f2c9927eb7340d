"""Copies a completion with one thing made wrong in it, for control cases: never data, never changed."""

import hashlib
import json
from collections.abc import Mapping

from django.db import transaction

from deepmedix_review.audit.services import record_event
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from inference.regions import Box, region_problem, to_model_box

COPIED = (
    *("study_id", "instance_id", "model_version_id", "query", "prompt", "answer", "problems"),
    *("temperature", "seed", "num_tokens", "seconds"),
    *("image_width", "image_height", "model_width", "model_height"),
)


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
        json.dumps([original.content_key, alteration, sorted(moved.items()), sorted(texts.items())]).encode()
    ).hexdigest()
    steps = list(original.steps.prefetch_related("regions").order_by("position"))
    whole = original.text
    for step in steps:
        if step.pk in texts:
            whole = whole.replace(step.text, texts[step.pk], 1)
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
        ReasoningStep(completion=copy, position=step.position, text=texts.get(step.pk, step.text))
        for step in steps
    )
    Region.objects.bulk_create(
        _copied_region(region, new, original, moved.get(region.pk))
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


def _copied_region(region: Region, step: ReasoningStep, original: Completion, box: Box | None) -> Region:
    if box is None:
        edges = Box(region.x_min, region.y_min, region.x_max, region.y_max)
        return Region(
            step=step,
            position=region.position,
            **edges._asdict(),
            model_box=region.model_box,
            problem=region.problem,
        )
    image_size = (original.image_width, original.image_height)
    written = to_model_box(
        box,
        frame=original.model_version.box_frame,
        model_size=(original.model_width, original.model_height),
        image_size=image_size,
    )
    return Region(
        step=step,
        position=region.position,
        **box._asdict(),
        model_box=[round(edge) for edge in written],
        problem=region_problem(box, image_size),
    )
