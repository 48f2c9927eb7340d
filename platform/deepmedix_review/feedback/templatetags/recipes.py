"""How the pages of training name a recipe."""

from collections.abc import Mapping
from typing import Any

from django import template

from deepmedix_review.feedback.stage_words import short_names_of
from rl_feedback.training.recipe import Recipe

register = template.Library()


@register.filter
def recipe_in_words(recipe: Mapping[str, Any]) -> str:
    """
    >>> recipe_in_words({"stages": [{"kind": "cold-start"}, {"kind": "grpo"}]})
    'Cold start, then GRPO'
    """
    return short_names_of(Recipe.from_json(recipe).stages)
