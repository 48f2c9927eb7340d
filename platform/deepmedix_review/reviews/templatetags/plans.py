"""How the pages of reader studies write times, shares and figures."""

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
    """A few are told in seconds: rounded to minutes, two cases would take as long as one.

    >>> about_duration(12), about_duration(0.72), about_duration(1.44), about_duration(1.0)
    ('about 12 min', 'about 40 s', 'about 90 s', 'about 1 min')
    """
    tens = max(1, round(6 * minutes))
    return f"about {10 * tens} s" if 0 < minutes < 1.5 and tens != 6 else f"about {duration(minutes)}"


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


@register.filter
def told_cell(cell: str | float | None) -> str | float:
    """Of a table of results: a p that is nearly nothing by its size, not by all its zeros.

    >>> told_cell(1.2e-11), told_cell(0.0001), told_cell(0.0), told_cell("Effusion"), told_cell(None)
    ('1.2e-11', 0.0001, 0.0, 'Effusion', '')
    """
    if cell is None:
        return ""
    is_tiny = isinstance(cell, float) and 0 < abs(cell) < 0.0001
    return str(cell) if is_tiny else cell
