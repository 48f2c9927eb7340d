"""How the pages of training write figures of any size."""

from django import template

register = template.Library()


@register.filter
def figure(value: float | None) -> str:
    """Four digits that count; empty for what is not there.

    >>> figure(0.123456), figure(1843.21), figure(0.00001), figure(None)
    ('0.1235', '1843', '1e-05', '')
    """
    return "" if value is None else f"{value:.4g}"
