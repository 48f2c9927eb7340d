"""The JSON of the changes that the reading page sends, untrusted: every value's type and range is checked."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from deepmedix_review.reviews.changes import (
    AddActiveTime,
    AnnotateRegion,
    CastVote,
    Change,
    RateAnswer,
    RateStep,
    SetWindow,
)
from deepmedix_review.reviews.conflicts import Seen
from deepmedix_review.reviews.models import RegionAnnotation, Vote

MAX_NOTE = 4_000
# A browser reports its active time every few seconds; more than a day in one report is a mistake.
MAX_ACTIVE_SECONDS = 24 * 3600


class FiniteFloatField(serializers.FloatField):
    """JSON has no infinity, but Python reads one from 1e999."""

    default_error_messages = {"infinite": "A finite number is required."}

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("infinite")
        return value


class PlainTextField(serializers.CharField):
    """PostgreSQL's text holds every character but NUL, and no half of a surrogate pair."""

    default_error_messages = {"surrogate": "The text holds half of a character. Type it again."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.fail("surrogate")
        return text


def _rating() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=5, allow_null=True)


def _kind(kind: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[(kind, kind)])


class RateStepPayload(serializers.Serializer[Any]):
    step = serializers.UUIDField()
    plausibility = _rating()
    cannot_judge = serializers.BooleanField()
    note = PlainTextField(allow_blank=True, max_length=MAX_NOTE, trim_whitespace=False)


class AnnotateRegionPayload(serializers.Serializer[Any]):
    region = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=RegionAnnotation.Verdict.choices, allow_null=True)
    box = serializers.ListField(
        child=FiniteFloatField(),
        min_length=4,
        max_length=4,
        allow_null=True,
        help_text="x_min, y_min, x_max, y_max in film pixels, with the verdict adjusted alone",
    )


class RateAnswerPayload(serializers.Serializer[Any]):
    completion = serializers.UUIDField()
    relevance = _rating()
    correctness = _rating()
    completeness = _rating()


class CastVotePayload(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=Vote.Side.choices, allow_null=True)


class SetWindowPayload(serializers.Serializer[Any]):
    center = FiniteFloatField()
    width = FiniteFloatField()
    inverted = serializers.BooleanField()


class AddActiveTimePayload(serializers.Serializer[Any]):
    seconds = serializers.IntegerField(min_value=0, max_value=MAX_ACTIVE_SECONDS)


class SignSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField(help_text="made by the client; the same id again gets the first answer")
    sop_instance_uid = PlainTextField(max_length=64, help_text="of the film on the screen")


class ChangeSerializer(SignSerializer):
    seen = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="the item's last change that the sender knew of, null for none; left out: not compared",
    )


class RateStepSerializer(ChangeSerializer):
    kind = _kind("rate_step")
    payload = RateStepPayload()


class AnnotateRegionSerializer(ChangeSerializer):
    kind = _kind("annotate_region")
    payload = AnnotateRegionPayload()


class RateAnswerSerializer(ChangeSerializer):
    kind = _kind("rate_answer")
    payload = RateAnswerPayload()


class CastVoteSerializer(ChangeSerializer):
    kind = _kind("cast_vote")
    payload = CastVotePayload()


class SetWindowSerializer(ChangeSerializer):
    kind = _kind("set_window")
    payload = SetWindowPayload()


class AddActiveTimeSerializer(ChangeSerializer):
    kind = _kind("add_active_time")
    payload = AddActiveTimePayload()


FORMS: dict[str, tuple[type[SignSerializer], type[Change]]] = {
    "rate_step": (RateStepSerializer, RateStep),
    "annotate_region": (AnnotateRegionSerializer, AnnotateRegion),
    "rate_answer": (RateAnswerSerializer, RateAnswer),
    "cast_vote": (CastVoteSerializer, CastVote),
    "set_window": (SetWindowSerializer, SetWindow),
    "add_active_time": (AddActiveTimeSerializer, AddActiveTime),
}

ANY_CHANGE = PolymorphicProxySerializer(
    component_name="ReadingChange",
    serializers={kind: form for kind, (form, _) in FORMS.items()},
    resource_type_field_name="kind",
)


@dataclass(frozen=True)
class SentChange:
    change_id: uuid.UUID
    sop_instance_uid: str
    change: Change
    seen: Seen | None


def read_change(data: Any) -> SentChange:
    """Raises ValidationError, answered with 400 and a sentence."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in FORMS:
        raise serializers.ValidationError({"detail": f"The kind of change is one of {', '.join(FORMS)}."})
    form, change = FORMS[kind]
    sent = _checked(form(data=data))
    payload = dict(sent["payload"])
    if payload.get("box") is not None:
        payload["box"] = tuple(payload["box"])
    seen = Seen(sent["seen"]) if "seen" in sent else None
    return SentChange(sent["change_id"], sent["sop_instance_uid"], change(**payload), seen)


def read_signature(data: Any) -> tuple[uuid.UUID, str]:
    """The change's id and the film on the screen. Raises ValidationError, answered with 400."""
    sent = _checked(SignSerializer(data=data))
    return sent["change_id"], sent["sop_instance_uid"]


def _checked(form: serializers.Serializer[Any]) -> Any:
    if not form.is_valid():
        raise serializers.ValidationError({"detail": " ".join(_sentences(form.errors))})
    return form.validated_data


def _sentences(errors: Any, path: str = "") -> Iterator[str]:
    """payload.plausibility: Ensure this value is less than or equal to 5."""
    if isinstance(errors, dict):
        for field, inner in errors.items():
            yield from _sentences(inner, f"{path}.{field}" if path else str(field))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _sentences(inner, path)
    else:
        yield f"{path}: {errors}"
