"""How a run of the arena looks as JSON."""

from pathlib import Path
from typing import Any

from rest_framework import serializers

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.services import LONGEST_REVISION, MOST_BATTLES
from deepmedix_review.evaluation.arena.wanted import RecordedFile, WantedRun
from deepmedix_review.evaluation.models import ArenaRun
from deepmedix_review.registry.endpoints import LONGEST_SERVED_MODEL, LONGEST_URL
from deepmedix_review.registry.models import ModelVersion

# As of other files that programs send as text.
MOST_CHARACTERS = 5_000_000


class LimitsJson(serializers.Serializer[Any]):
    """What is left out has no limit. Prices are of a million tokens."""

    requests_per_minute = serializers.IntegerField(min_value=1, required=False)
    most_requests = serializers.IntegerField(min_value=1, required=False)
    most_tokens = serializers.IntegerField(min_value=1, required=False)
    most_cost = serializers.FloatField(min_value=0, required=False)
    price_of_prompt = serializers.FloatField(min_value=0, required=False)
    price_of_answer = serializers.FloatField(min_value=0, required=False)


class ArenaWantedJson(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120)
    versions = serializers.SlugRelatedField(slug_field="uid", many=True, queryset=ModelVersion.objects.all())
    url = serializers.CharField(
        max_length=LONGEST_URL,
        required=False,
        allow_blank=True,
        help_text="where the judge's API begins, as in …/v1; without a judge: experts alone",
    )
    served_model = serializers.CharField(
        max_length=LONGEST_SERVED_MODEL,
        required=False,
        allow_blank=True,
        help_text="the judge's name there, or of whoever made the recorded judgements",
    )
    judge_version = serializers.SlugRelatedField(
        slug_field="uid",
        queryset=ModelVersion.objects.all(),
        required=False,
        allow_null=True,
        help_text="instead of a server: a version whose weights are here",
    )
    recorded = serializers.CharField(
        trim_whitespace=False,
        max_length=MOST_CHARACTERS,
        required=False,
        help_text="instead of a server: judgements made elsewhere, one JSON object a line",
    )
    leaves_out = serializers.BooleanField(
        required=False, default=False, help_text="recorded judgements that match no pair"
    )
    key_name = serializers.CharField(required=False, allow_blank=True)
    revision = serializers.CharField(max_length=LONGEST_REVISION, required=False, allow_blank=True)
    num_wanted = serializers.IntegerField(min_value=1, max_value=MOST_BATTLES, required=False)
    random_share = serializers.FloatField(min_value=0, max_value=1, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    limits = LimitsJson(required=False)

    def wanted(self, folder: Path) -> WantedRun:
        """`folder`: where recorded judgements lie as a file meanwhile."""
        said = dict(self.validated_data)
        lines, leaves_out = said.pop("recorded", None), said.pop("leaves_out")
        if lines is not None:
            file = folder / "recorded"
            file.write_text(lines, "utf-8", errors="replace")
            said["recorded"] = RecordedFile(file, "recorded", leaves_out=leaves_out)
        return WantedRun(**said)


class ArenaGoOnJson(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    num_wanted = serializers.IntegerField(min_value=1, max_value=MOST_BATTLES, required=False)
    limits = LimitsJson(required=False)


class ArenaRunJson(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    title = serializers.CharField()
    judge = serializers.CharField(help_text="empty: experts' votes alone")
    judged_by = serializers.ChoiceField(choices=ArenaRun.JudgedBy.choices)
    prompt_version = serializers.CharField(
        source="told_prompt", help_text="empty where others asked, in words that are not known here"
    )
    state = serializers.ChoiceField(choices=JobState.choices)
    error = serializers.CharField()
    num_wanted = serializers.IntegerField(help_text="0 where experts judge alone")
    num_judged = serializers.IntegerField()


class ArenaRunPageJson(serializers.Serializer[Any]):
    results = ArenaRunJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class WholeArenaRunJson(ArenaRunJson):
    """`board` as docs/reference/arena.md tells it; empty before it is drawn."""

    board = serializers.JSONField()
