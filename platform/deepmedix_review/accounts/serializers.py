"""The JSON of a login: who is logged in, and logging in again without leaving the page."""

from typing import Any

from rest_framework import serializers


class SessionSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(allow_null=True, help_text="null where nobody is logged in")
    pseudonym = serializers.CharField(allow_null=True)


class LogInAgainSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(help_text="whose page it is: nobody else is logged in by this")
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class SessionRefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
