"""How every page and every sentence writes a day and a moment: 26 Nov 2026, 15:04 UTC."""

from datetime import UTC, date, datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def say_day(day: date) -> str:
    """
    >>> say_day(date(2026, 12, 5))
    '5 Dec 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_moment(moment: datetime, *, to_the_second: bool = False) -> str:
    """
    >>> say_moment(datetime(2026, 11, 26, 15, 4, 9, tzinfo=UTC))
    '26 Nov 2026, 15:04 UTC'
    """
    return f"{say_day(moment.astimezone(UTC))}, {say_clock(moment, to_the_second=to_the_second)}"


def say_clock(moment: datetime, *, to_the_second: bool = False) -> str:
    """
    >>> say_clock(datetime(2026, 11, 26, 15, 4, 9, tzinfo=UTC), to_the_second=True)
    '15:04:09 UTC'
    """
    return f"{moment.astimezone(UTC):{'%H:%M:%S' if to_the_second else '%H:%M'}} UTC"


def say_distance(day: date, *, today: date) -> str:
    """
    >>> [say_distance(date(2026, 11, 26), today=date(2026, 11, day)) for day in (23, 25, 26, 27, 29)]
    ['in 3 days', 'tomorrow', 'today', 'yesterday', '3 days ago']
    """
    days = (day - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in near:
        return near[days]
    return f"in {days} days" if days > 0 else f"{-days} days ago"
