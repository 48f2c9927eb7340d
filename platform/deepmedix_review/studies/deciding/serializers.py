"""Held studies and what is decided on many of them, as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.studies.deciding.selectors import SHEET_SIZE, HeldCard
from deepmedix_review.studies.intake.odd import KIND_NAMES
from deepmedix_review.studies.serializers import StudySerializer

KINDS = tuple((str(kind), name) for kind, name in KIND_NAMES.items())


class HeldStudyJson(serializers.Serializer[Any]):
    """`token` names the study with what it is now: a decision by it holds only while nothing is added."""

    token = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=KINDS, allow_blank=True, source="study.held_for", help_text="the gravest of what is odd"
    )
    objection = serializers.CharField(help_text="why it can't be accepted with others; empty where it can")
    near = serializers.SerializerMethodField(help_text="studies with a film that looks nearly the same")
    study = StudySerializer()

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_near(self, card: HeldCard) -> list[str]:
        return [str(film.study.uid) for film in card.near]


class HeldKindJson(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=KINDS, allow_blank=True, help_text="empty where nothing was said of it"
    )
    name = serializers.CharField()
    num_held = serializers.CharField(source="count.shown", help_text="a number; above 1,000 it ends with +")


class HeldSheetJson(serializers.Serializer[Any]):
    kinds = HeldKindJson(many=True)
    results = HeldStudyJson(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="goes into `before` for the next page; null on the last"
    )


class DecideTogetherJson(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=("accept", "reject"))
    looked = serializers.BooleanField(
        default=False,
        help_text="must be true to accept: you looked at every film of each, and no name is written on any",
    )
    tokens = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=SHEET_SIZE,
        help_text=f"of the list of held studies, {SHEET_SIZE} at most",
    )


class DecidedJson(serializers.Serializer[Any]):
    """`decision` is what takes it back; null where nothing was decided."""

    decision = serializers.UUIDField(source="decision.uid", default=None, allow_null=True)
    num_done = serializers.IntegerField()
    objections = serializers.ListField(
        child=serializers.CharField(), help_text="of those that can't be accepted, and stay held"
    )
    num_left = serializers.IntegerField(
        help_text="that are not held any more, or changed since they were listed; nothing was done to them"
    )


class TakenBackJson(serializers.Serializer[Any]):
    num_back = serializers.IntegerField(help_text="that are held again")
    num_left = serializers.IntegerField(help_text="to which something was done since, which stays")
