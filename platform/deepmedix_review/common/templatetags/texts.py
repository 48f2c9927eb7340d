"""Shows text that others wrote as what it is."""

from django import template

from inference.texts import seen_text

register = template.Library()


@register.filter
def as_it_runs(text: str) -> str:
    """With what can't be seen, or turns the order of letters round, written out."""
    return seen_text(text)[0]
