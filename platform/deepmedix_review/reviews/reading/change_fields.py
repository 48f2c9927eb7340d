"""The values of which a change consists: finite numbers, plain texts, answers, names of looks."""

import math
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.studies.intake.tags import look_name

MAX_TEXT = 4_000
MAX_CHOICES = 50
# A page that was away from the server for longer than a day says a day.
MAX_SECONDS_AGO = 24 * 3600


class FiniteFloatField(serializers.FloatField):
    """JSON has no infinity, but Python reads one from 1e999."""

    default_error_messages = {"infinite": "A finite number is required."}

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("infinite")
        return value


class SecondsAgoField(serializers.IntegerField):
    """A span, not a moment: a browser's clock on the wall may be wrong by hours, a stopwatch is not."""

    default_error_messages = dict.fromkeys(
        ("invalid", "min_value", "max_value", "max_string_length", "null"),
        f"Say as a whole number of seconds, from 0 to {MAX_SECONDS_AGO}, how long ago it was.",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_SECONDS_AGO, required=False, default=0, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class PlainTextField(serializers.CharField):
    """PostgreSQL's text holds every character but NUL, and no half of a surrogate pair."""

    default_error_messages = {"surrogate": "The text holds half of a character. Type it again."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.fail("surrogate")
        return text


def plain_text(max_length: int = MAX_TEXT, **more: Any) -> PlainTextField:
    return PlainTextField(allow_blank=True, max_length=max_length, trim_whitespace=False, **more)


_TEXT = plain_text()


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer"},
            {"type": "string"},
            {"type": "array", "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]}},
        ]
    }
)
class CriterionValueField(serializers.Field[Any, Any, Any, Any]):
    """A value of the criterion, several of them, or a text; which ones there are is the criterion's word."""

    default_error_messages = {"shape": "A value is a whole number, a text, or a list of these."}

    def to_internal_value(self, data: Any) -> int | str | tuple[int | str, ...]:
        if isinstance(data, list):
            if len(data) > MAX_CHOICES:
                self.fail("shape")
            return tuple(self._one(value) for value in data)
        return self._one(data)

    def to_representation(self, value: Any) -> Any:
        return value

    def _one(self, value: Any) -> int | str:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31:
            return value
        if isinstance(value, str):
            text: str = _TEXT.run_validation(value)
            return text
        return self.fail("shape")


class LookNameField(PlainTextField):
    """As films are kept: words of display alone, since what a film calls its looks is free text."""

    default_error_messages = {"words": "A look's name holds only words of display, such as HARDER."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not look_name(name):
            self.fail("words")
        return name
