"""The JSON of a login: who is logged in, and logging in again without leaving the page."""

from typing import Any

from rest_framework import serializers

MOST_KEYS = 100
LONGEST_NAME = 60


class SessionSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(allow_null=True, help_text="null where nobody is logged in")
    pseudonym = serializers.CharField(allow_null=True)


class LogInAgainSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(help_text="whose page it is: nobody else is logged in by this")
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class SessionRefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class PreferenceSerializer(serializers.Serializer[Any]):
    keys = serializers.DictField(
        child=serializers.RegexField(r"^[A-Za-z0-9]{1,20}$"),
        help_text="by the name of a shortcut, the KeyboardEvent.code that it was moved to",
    )
    has_single_keys = serializers.BooleanField(help_text="whether keys without Ctrl act")
    has_toured = serializers.BooleanField(help_text="whether the tour of the reading room was seen or left")

    def validate_keys(self, keys: dict[str, str]) -> dict[str, str]:
        if len(keys) > MOST_KEYS or any(len(name) > LONGEST_NAME for name in keys):
            raise serializers.ValidationError("These are no shortcuts of the reading room. Reload the page.")
        return keys
