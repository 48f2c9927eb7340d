"""What a model said of a film, as its reader sees it: steps, regions and answer, and no model's name."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.registry.selectors import model_names
from deepmedix_review.reviews.masking import mask_model_names
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.named_findings import NamedFinding, findings_named
from deepmedix_review.reviews.reading.reveal import require_revealed
from inference.dialects import Dialect
from inference.grounding import PROBLEM_SENTENCES, texts_beside
from inference.prompts import template
from inference.texts import seen_text


@dataclass(frozen=True)
class RegionView:
    """Film pixels, edges; `problem` is empty, outside_image, no_area, inverted or whole_image."""

    uid: uuid.UUID
    position: int
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    problem: str


@dataclass(frozen=True)
class StepView:
    uid: uuid.UUID
    position: int
    text: str
    names: tuple[NamedFinding, ...]
    regions: tuple[RegionView, ...]


@dataclass(frozen=True)
class CompletionView:
    """`problems` says in sentences what the parser could not read; then `text` is shown as it is. Else
    `beside` is what it says outside its steps and its answer."""

    side: str
    uid: uuid.UUID
    answer: str
    answer_names: tuple[NamedFinding, ...]
    text: str
    beside: tuple[str, ...]
    problems: tuple[str, ...]
    steps: tuple[StepView, ...]


def show_completions(reading: Reading) -> tuple[CompletionView, ...]:
    """As drawn for this reading, the names of models masked. Raises NotYours before the reveal."""
    require_revealed(reading)
    names = model_names()
    shown = [completion for completion in (reading.completion_a, reading.completion_b) if completion]
    by_key = {completion.pk: completion for completion in shown}
    steps: dict[int, list[StepView]] = defaultdict(list)
    rows = ReasoningStep.objects.filter(completion__in=shown).prefetch_related("regions")
    for step in rows.order_by("completion", "position"):
        completion = by_key[step.completion_id]
        # More than anybody could check, drawn on the film, would hide it.
        is_checked = "too_many_regions" not in completion.problems
        regions = tuple(_region(region) for region in step.regions.all() if is_checked)
        text = _as_it_runs(mask_model_names(step.text, names), completion)
        steps[step.completion_id].append(
            StepView(step.uid, step.position, text, findings_named(text), regions)
        )
    answers, texts = (
        [_as_it_runs(mask_model_names(said(completion), names), completion) for completion in shown]
        for said in (attrgetter("answer"), attrgetter("text"))
    )
    return tuple(
        CompletionView(
            side=side,
            uid=completion.uid,
            answer=answer,
            answer_names=findings_named(answer),
            text=text,
            beside=tuple(mask_model_names(said, names) for said in _beside(completion)),
            problems=tuple(PROBLEM_SENTENCES[problem] for problem in completion.problems),
            steps=tuple(steps[completion.pk]),
        )
        for side, completion, answer, text in zip("ab", shown, answers, texts, strict=False)
    )


def _as_it_runs(text: str, completion: Completion) -> str:
    """Of what can't be read as it should, with signs written out that can't be seen."""
    return seen_text(text)[0] if completion.problems else text


def _beside(completion: Completion) -> tuple[str, ...]:
    version = completion.model_version
    reasons = template(version.prompt_template).reasons
    return (
        ()
        if completion.problems
        else texts_beside(completion.text, reasons=reasons, dialect=Dialect(version.dialect))
    )


def _region(region: Region) -> RegionView:
    return RegionView(
        region.uid,
        region.position,
        region.x_min,
        region.y_min,
        region.x_max,
        region.y_max,
        region.problem,
    )
