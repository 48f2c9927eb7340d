"""The JSON of the changes that the reading page sends, untrusted: every value's type and range is checked."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS
from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.change_fields import (
    CriterionValueField,
    FiniteFloatField,
    LookNameField,
    PlainTextField,
    SecondsAgoField,
    plain_text,
)
from deepmedix_review.reviews.reading.changes import (
    AddActiveTime,
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    DrawRegion,
    Look,
    MeasureLines,
    RateAnswer,
    RateCriterion,
    RateStep,
    SayFirstRead,
    SetWindow,
)
from deepmedix_review.reviews.reading.conflicts import Seen

MAX_LINE = 1_000
MAX_CHOICE = 300
FIRST_READ_MOMENTS = [("first", "before the reveal"), ("after_reveal", "after it")]
# No film names as many looks.
MAX_LOOKS = 1_000
# More could not be told apart on a film.
MAX_LINES = 12
# A browser reports its active time every few seconds; more than a day in one report is a mistake.
MAX_ACTIVE_SECONDS = 24 * 3600


def _rating() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=5, allow_null=True)


def _box(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=FiniteFloatField(), min_length=4, max_length=4, allow_null=True, help_text=help_text
    )


def _kind(kind: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[(kind, kind)])


class RateStepPayload(serializers.Serializer[Any]):
    step = serializers.UUIDField()
    plausibility = _rating()
    cannot_judge = serializers.BooleanField()
    note = plain_text()
    edited_text = plain_text(required=False, default="")


class AnnotateRegionPayload(serializers.Serializer[Any]):
    region = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=RegionAnnotation.Verdict.choices, allow_null=True)
    box = _box("x_min, y_min, x_max, y_max in film pixels, with the verdict adjusted alone")


class RateAnswerPayload(serializers.Serializer[Any]):
    completion = serializers.UUIDField()
    relevance = _rating()
    correctness = _rating()
    completeness = _rating()
    harm = serializers.ChoiceField(
        choices=AnswerRating.Harm.choices, allow_blank=True, required=False, default=""
    )
    rewrite = plain_text(required=False, default="")


class CastVotePayload(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Vote.Kind.choices, required=False, default=Vote.Kind.OVERALL)
    side = serializers.ChoiceField(choices=Vote.Side.choices, allow_null=True)


class DrawRegionPayload(serializers.Serializer[Any]):
    """Belongs to a step, a missed finding or the first read, and to one of them alone."""

    uid = serializers.UUIDField(help_text="made by the client; the same uid again moves the region")
    step = serializers.UUIDField(allow_null=True)
    missed_finding = serializers.UUIDField(allow_null=True)
    first_read = serializers.ChoiceField(choices=FIRST_READ_MOMENTS, allow_null=True)
    box = _box("x_min, y_min, x_max, y_max in film pixels; null takes the region away")


class AddFindingPayload(serializers.Serializer[Any]):
    uid = serializers.UUIDField(help_text="made by the client; the same uid again changes the text")
    completion = serializers.UUIDField()
    text = PlainTextField(
        max_length=MAX_LINE, allow_null=True, help_text="null takes the finding away, and its regions"
    )


class RateCriterionPayload(serializers.Serializer[Any]):
    criterion = serializers.UUIDField()
    completion = serializers.UUIDField(allow_null=True)
    step = serializers.UUIDField(allow_null=True)
    region = serializers.UUIDField(allow_null=True)
    value = CriterionValueField(allow_null=True)


class SayFirstReadPayload(serializers.Serializer[Any]):
    is_after_reveal = serializers.BooleanField()
    choice = plain_text(MAX_CHOICE)
    findings = serializers.ListField(
        child=serializers.ChoiceField(choices=CHEXPERT_FINDINGS), max_length=len(CHEXPERT_FINDINGS)
    )
    impression = plain_text(MAX_LINE)
    confidence = _rating()


class LookSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(
        min_value=0,
        max_value=MAX_LOOKS,
        help_text="among the film's windows, then its tables, then its range",
    )
    name = LookNameField(max_length=40)
    curve = serializers.ChoiceField(choices=Reading.Curve.choices)

    def to_internal_value(self, data: Any) -> Look:
        return Look(**super().to_internal_value(data))


class SetWindowPayload(serializers.Serializer[Any]):
    center = FiniteFloatField()
    width = FiniteFloatField()
    inverted = serializers.BooleanField()
    look = LookSerializer(required=False, allow_null=True, default=None, help_text="null is the film's first")


class MeasureLinesPayload(serializers.Serializer[Any]):
    lines = serializers.ListField(
        child=serializers.ListField(child=FiniteFloatField(), min_length=4, max_length=4),
        max_length=MAX_LINES,
        help_text="all of them, in their order: from x, y to x, y in film pixels",
    )


class AddActiveTimePayload(serializers.Serializer[Any]):
    seconds = serializers.IntegerField(min_value=0, max_value=MAX_ACTIVE_SECONDS)


class SignSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField(help_text="made by the client; the same id again gets the first answer")
    sop_instance_uid = PlainTextField(max_length=64, help_text="of the film on the screen")


class SignatureSerializer(SignSerializer):
    seconds_ago = SecondsAgoField(help_text="how long the signature waited to be sent; left out, not at all")


class OpeningSerializer(serializers.Serializer[Any]):
    seconds_ago = SecondsAgoField(help_text="how long the case is on the screen already; left out, since now")


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


class DrawRegionSerializer(ChangeSerializer):
    kind = _kind("draw_region")
    payload = DrawRegionPayload()


class AddFindingSerializer(ChangeSerializer):
    kind = _kind("add_finding")
    payload = AddFindingPayload()


class RateCriterionSerializer(ChangeSerializer):
    kind = _kind("rate_criterion")
    payload = RateCriterionPayload()


class SayFirstReadSerializer(ChangeSerializer):
    kind = _kind("say_first_read")
    payload = SayFirstReadPayload()


class SetWindowSerializer(ChangeSerializer):
    kind = _kind("set_window")
    payload = SetWindowPayload()


class MeasureLinesSerializer(ChangeSerializer):
    kind = _kind("measure_lines")
    payload = MeasureLinesPayload()


class AddActiveTimeSerializer(ChangeSerializer):
    kind = _kind("add_active_time")
    payload = AddActiveTimePayload()


FORMS: dict[str, tuple[type[SignSerializer], type[Change]]] = {
    "rate_step": (RateStepSerializer, RateStep),
    "annotate_region": (AnnotateRegionSerializer, AnnotateRegion),
    "rate_answer": (RateAnswerSerializer, RateAnswer),
    "cast_vote": (CastVoteSerializer, CastVote),
    "draw_region": (DrawRegionSerializer, DrawRegion),
    "add_finding": (AddFindingSerializer, AddFinding),
    "rate_criterion": (RateCriterionSerializer, RateCriterion),
    "say_first_read": (SayFirstReadSerializer, SayFirstRead),
    "set_window": (SetWindowSerializer, SetWindow),
    "measure_lines": (MeasureLinesSerializer, MeasureLines),
    "add_active_time": (AddActiveTimeSerializer, AddActiveTime),
}

# Made once: a change comes at every click, and copies of the fields took a tenth of its request.
_MADE: dict[str, serializers.Serializer[Any]] = {kind: form() for kind, (form, _) in FORMS.items()}
_LOCK = SignSerializer()
_SIGNATURE = SignatureSerializer()
_OPENING = OpeningSerializer()

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
    _, change = FORMS[kind]
    sent = _checked(_MADE[kind], data)
    payload: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in sent["payload"].items()
    }
    seen = Seen(sent["seen"]) if "seen" in sent else None
    return SentChange(sent["change_id"], sent["sop_instance_uid"], change(**payload), seen)


@dataclass(frozen=True)
class SentSignature:
    change_id: uuid.UUID
    sop_instance_uid: str
    seconds_ago: int


def read_signature(data: Any) -> SentSignature:
    """Raises ValidationError, answered with 400 and a sentence."""
    return SentSignature(**_checked(_SIGNATURE, data))


def read_lock(data: Any) -> tuple[uuid.UUID, str]:
    """The change's id and the film on the screen. Raises ValidationError, answered with 400."""
    sent = _checked(_LOCK, data)
    return sent["change_id"], sent["sop_instance_uid"]


def read_opening(data: Any) -> int:
    """How many seconds ago the case came onto the screen. Raises ValidationError, answered with 400."""
    seconds: int = _checked(_OPENING, data)["seconds_ago"]
    return seconds


def _checked(form: serializers.Serializer[Any], data: Any) -> Any:
    """What was sent, checked; the form itself keeps nothing of it."""
    try:
        return form.run_validation(data)
    except serializers.ValidationError as refused:
        raise serializers.ValidationError({"detail": " ".join(_sentences(refused.detail))}) from None


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
