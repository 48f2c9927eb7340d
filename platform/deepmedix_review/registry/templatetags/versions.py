"""Says beside a version what tells it from others of its name."""

from collections.abc import Mapping

from django import template

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import Apart

register = template.Library()


@register.filter
def named(version: ModelVersion, apart: Mapping[int, Apart]) -> str:
    """Its name, and what `registry.selectors.tell_apart` found beside it."""
    beside = apart.get(version.pk)
    return f"{version.name} ({beside})" if beside else version.name
