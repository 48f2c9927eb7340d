"""How the pages of training write figures of any size."""

import math

from django import template

register = template.Library()


@register.filter
def figure(value: float | None) -> str:
    """Four digits that count, all of a large number's before its point; empty for what is not there.

    >>> figure(0.123456), figure(1843.21), figure(0.00001), figure(None)
    ('0.1235', '1843', '1e-05', '')
    >>> figure(170220.0), figure(9999.96), figure(float("inf"))
    ('170,220', '10,000', 'inf')
    """
    if value is None:
        return ""
    return f"{value:,.0f}" if 9999.5 <= abs(value) < math.inf else f"{value:.4g}"
