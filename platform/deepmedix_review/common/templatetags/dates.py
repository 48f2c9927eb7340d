"""`{{ study.deadline|day }}`, `{{ reading.signed_at|moment }}`: the one way a page writes a date.

Each is a `<time>` with its ISO form; a script shows a moment in the zone of who looks at the page, with UTC
in its title. Nothing becomes nothing, so that `|default:"none"` may follow.
"""

from datetime import UTC, date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deepmedix_review.common.dates import say_clock, say_day, say_distance, say_moment

register = template.Library()


@register.filter
def day(value: date | None) -> SafeString:
    """
    >>> day(date(2026, 12, 5))
    '<time datetime="2026-12-05">5 Dec 2026</time>'
    """
    if value is None:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), say_day(value))


@register.filter
def in_days(value: date | None) -> str:
    """How far it is from today: "in 3 days"."""
    return "" if value is None else say_distance(value, today=timezone.localdate())


@register.filter
def moment(value: datetime | None) -> SafeString:
    return _time(value, "minute", say_moment(value) if value else "")


@register.filter
def moment_to_the_second(value: datetime | None) -> SafeString:
    return _time(value, "second", say_moment(value, to_the_second=True) if value else "")


@register.filter
def clock(value: datetime | None) -> SafeString:
    """The time alone, of a moment that is near."""
    return _time(value, "clock", say_clock(value) if value else "")


def _time(value: datetime | None, shows: str, said: str) -> SafeString:
    if value is None:
        return SafeString("")
    iso = value.astimezone(UTC).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" data-shows="{}">{}</time>', iso, shows, said)
