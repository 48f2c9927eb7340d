"""How pages write a length of time that is only estimated."""

from django import template

register = template.Library()


@register.filter
def span(seconds: float) -> str:
    """
    >>> span(42.4), span(170), span(7500)
    ('42 s', '3 min', '2 h 5 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"
