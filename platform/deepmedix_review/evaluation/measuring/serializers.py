"""How a measurement against references looks as JSON."""

import json
from typing import Any

from rest_framework import serializers

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.serializers import LimitsJson
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.reasoning.services import LONGEST_QUERY
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionVersion, Split


class MetricsWantedJson(serializers.Serializer[Any]):
    """`side` is "test" where it is left out; empty it is all sides."""

    title = serializers.CharField(max_length=120)
    version = serializers.SlugRelatedField(slug_field="uid", queryset=ModelVersion.objects.all())
    beside = serializers.SlugRelatedField(
        slug_field="uid", queryset=ModelVersion.objects.all(), required=False, allow_null=True
    )
    collection_version = serializers.SlugRelatedField(
        slug_field="uid", queryset=CollectionVersion.objects.select_related("collection")
    )
    side = serializers.ChoiceField(
        choices=Split.choices, required=False, allow_blank=True, default=Split.TEST
    )
    against = serializers.ChoiceField(
        choices=MetricRun.Against.choices, required=False, default=MetricRun.Against.REPORT
    )
    query = serializers.CharField(max_length=LONGEST_QUERY, required=False, allow_blank=True)
    is_report_question = serializers.BooleanField(
        required=False, help_text="that `query` asks for a report, where that is not known"
    )
    is_missing_wrong = serializers.BooleanField(required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    judge = serializers.SlugRelatedField(
        slug_field="uid",
        queryset=ModelVersion.objects.all(),
        required=False,
        allow_null=True,
        help_text="a version on a model server, for GREEN",
    )
    limits = LimitsJson(required=False, help_text="of the judge")

    def wanted(self) -> Wanted:
        said = dict(self.validated_data)
        return Wanted(collection=said.pop("collection_version"), **said)


class MetricGoOnJson(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    limits = LimitsJson(required=False, help_text="of the judge")


class MetricRunJson(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    title = serializers.CharField()
    version = serializers.UUIDField(source="model_version.uid")
    beside = serializers.UUIDField(source="beside.uid", allow_null=True, default=None)
    collection = serializers.CharField(source="collection_name")
    side = serializers.CharField()
    against = serializers.ChoiceField(choices=MetricRun.Against.choices)
    state = serializers.ChoiceField(choices=JobState.choices)
    error = serializers.CharField()
    num_steps = serializers.IntegerField(help_text="0 until it is known")
    num_done = serializers.IntegerField()
    judge = serializers.UUIDField(source="judge.uid", allow_null=True, default=None)
    num_to_judge = serializers.IntegerField(help_text="pairs of texts; 0 until it is known")
    num_judged = serializers.IntegerField()


class MetricRunPageJson(serializers.Serializer[Any]):
    results = MetricRunJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class WholeMetricRunJson(MetricRunJson):
    """`result` is results.json; null before it is there."""

    result = serializers.SerializerMethodField()

    def get_result(self, run: MetricRun) -> dict[str, Any] | None:
        return json.loads(run.result) if run.result else None
