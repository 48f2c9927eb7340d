"""Says in words what the parser and the box check named, and where a region lies."""

from collections.abc import Mapping
from uuid import UUID

from django import template

from deepmedix_review.reasoning.models import Completion, InferenceJob, ReasoningStep, Region
from deepmedix_review.reasoning.region_labels import region_label
from inference.grounding import PROBLEM_SENTENCES
from inference.regions import REGION_PROBLEM_WORDS

register = template.Library()


@register.filter
def problem_sentence(name: str) -> str:
    return PROBLEM_SENTENCES[name]


@register.filter
def region_sentence(name: str) -> str:
    return REGION_PROBLEM_WORDS[name]


@register.filter
def box_of(region: Region) -> str:
    """`x_min,y_min,x_max,y_max` in film pixels, for a script."""
    return f"{region.x_min},{region.y_min},{region.x_max},{region.y_max}"


@register.filter
def letter_of(one: Completion | InferenceJob, letters: Mapping[UUID, str]) -> str:
    """A, B … where a study has several outputs; else nothing."""
    return letters.get(one.uid, "")


@register.filter
def label_of(step: ReasoningStep, region: Region) -> str:
    """2, or 2a, 2b … where the step has several regions, as in the reading room."""
    num_regions = len(step.regions.all())
    return region_label(step=step.position, region=region.position, num_regions=num_regions)
