"""How the pages of reader studies write times and shares."""

from django import template

register = template.Library()


@register.filter
def duration(minutes: float) -> str:
    """
    >>> duration(190.4)
    '3 h 10 min'
    >>> duration(0.5)
    'less than a minute'
    """
    if 0 < minutes <= 0.5:
        return "less than a minute"
    whole = round(minutes)
    if whole < 60:
        return f"{whole} min"
    hours, rest = divmod(whole, 60)
    return f"{hours:,} h {rest} min" if hours < 20 and rest else f"{hours:,} h"


@register.filter
def about_duration(minutes: float) -> str:
    """
    >>> about_duration(12), about_duration(0.4)
    ('about 12 min', 'less than a minute')
    """
    said = duration(minutes)
    return said if said.startswith("less") else f"about {said}"


@register.filter
def percent(share: float) -> str:
    """
    >>> percent(0.125)
    '12.5 %'
    """
    return f"{100 * share:.3g} %"


@register.filter
def half_width(width: float | None) -> str:
    """
    >>> half_width(0.0812)
    '±\u202f0.08'
    """
    return "none" if width is None else f"±\u202f{width:.2f}"
