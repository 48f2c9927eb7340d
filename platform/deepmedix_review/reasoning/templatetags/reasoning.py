"""Says in words what the parser and the box check named."""

from django import template

from inference.grounding import PROBLEM_SENTENCES
from inference.regions import REGION_PROBLEM_WORDS

register = template.Library()


@register.filter
def problem_sentence(name: str) -> str:
    return PROBLEM_SENTENCES[name]


@register.filter
def region_sentence(name: str) -> str:
    return REGION_PROBLEM_WORDS[name]
