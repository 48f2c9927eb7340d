"""How data sets, training runs and models look as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.feedback.gating.compared import latest_decision
from deepmedix_review.feedback.models import (
    GateDecision,
    PreferenceDataset,
    TrainingMetric,
    TrainingRun,
    TrainingSample,
)
from deepmedix_review.registry.models import ModelVersion


class RefusalJson(serializers.Serializer[Any]):
    detail = serializers.CharField()


class FreezeJson(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120)
    reader_studies = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="all, where they are not named"
    )
    left_out_readers = serializers.DictField(
        child=serializers.CharField(max_length=300),
        required=False,
        help_text="by pseudonym: why, without names; it stays with the data set",
    )


COUNTS = ("num_readings", "num_pairs", "num_labels", "num_regions")


class DatasetJson(serializers.ModelSerializer[PreferenceDataset]):
    class Meta:
        model = PreferenceDataset
        fields = ("uid", "title", "as_of", *COUNTS, "sha256")


class WholeDatasetJson(serializers.ModelSerializer[PreferenceDataset]):
    """`left_out` gave no pair, `disputes` are sent to adjudication, each with its reason and its readings;
    `readers` are the models of the readers behind it."""

    class Meta:
        model = PreferenceDataset
        fields = ("uid", "title", "as_of", *COUNTS, "sha256", "left_out", "disputes", "readers")


class DatasetPageJson(serializers.Serializer[Any]):
    results = DatasetJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class TrainJson(serializers.Serializer[Any]):
    """Without a recipe: corrections, then preferences."""

    dataset = serializers.UUIDField()
    recipe = serializers.DictField(
        required=False, help_text='{"stages": [{"kind": "sft", …}, …]}; see docs/reference/training.md'
    )
    placement = serializers.DictField(
        required=False,
        help_text='{"engine": "ray", "num_workers": 2, …}; without it one process of the learning worker',
    )


class MetricJson(serializers.ModelSerializer[TrainingMetric]):
    values = serializers.DictField(child=serializers.FloatField())

    class Meta:
        model = TrainingMetric
        fields = ("step", "stage", "values", "seconds", "memory_mb")


class SampleJson(serializers.ModelSerializer[TrainingSample]):
    """What the model wrote of a film after a step; `reward` with its `parts` is of what GRPO tried."""

    film = serializers.UUIDField(source="instance.uid")

    class Meta:
        model = TrainingSample
        fields = ("step", "stage", "kind", "film", "text", "reward", "parts")


class RunJson(serializers.ModelSerializer[TrainingRun]):
    """`about` is what the latest attempt ran under: sha256 of parent and examples, versions, machine."""

    dataset = serializers.UUIDField(source="dataset.uid")
    parent = serializers.UUIDField(source="parent_version.uid")  # type: ignore[assignment]
    candidate = serializers.SerializerMethodField()
    about = serializers.DictField(read_only=True)
    metrics = MetricJson(many=True)
    samples = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields = (
            "uid",
            "state",
            "step",
            "num_steps",
            "error",
            "dataset",
            "parent",
            "candidate",
            "recipe",
            "engine",
            "placement",
            "retries",
            "about",
            "metrics",
            "samples",
        )

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_candidate(self, run: TrainingRun) -> str | None:
        return str(run.candidate.uid) if run.candidate else None

    @extend_schema_field(SampleJson(many=True))
    def get_samples(self, run: TrainingRun) -> list[dict[str, Any]]:
        rows = run.samples.select_related("instance").order_by("step", "kind", "pk")
        return list(SampleJson(rows, many=True).data)


class SignatureJson(serializers.Serializer[Any]):
    """Of who lets a candidate serve: the account's password, and why."""

    password = serializers.CharField(trim_whitespace=False, write_only=True)
    reason = serializers.CharField(max_length=500)


class GateJson(serializers.ModelSerializer[GateDecision]):
    """The gate's last word; `beside` is the uid of the version that it was compared with."""

    beside = serializers.UUIDField(source="parent.uid", read_only=True)

    class Meta:
        model = GateDecision
        fields = ("outcome", "sentence", "policy", "comparisons", "beside")


ASKED = (
    *("source", "endpoint_url", "served_model", "key_name", "hub_id", "hub_revision"),
    *("limits", "preset", "dialect", "box_frame", "prompt_template", "prompt_version", "image_preparation"),
    *("min_pixels", "max_pixels", "size_multiple", "temperature", "max_new_tokens"),
)


class ModelJson(serializers.ModelSerializer[ModelVersion]):
    """`temperature` and `max_new_tokens` are null of what was recorded elsewhere: nobody told."""

    parent = serializers.SerializerMethodField()  # type: ignore[assignment]
    temperature = serializers.SerializerMethodField()
    max_new_tokens = serializers.SerializerMethodField()
    gate = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = ("uid", "name", "number", "state", "parent", "sha256", "licence", *ASKED, "gate")

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_parent(self, version: ModelVersion) -> str | None:
        return str(version.parent.uid) if version.parent else None

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_temperature(self, version: ModelVersion) -> float | None:
        return None if version.source == ModelVersion.Source.RECORDED else version.temperature

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_max_new_tokens(self, version: ModelVersion) -> int | None:
        return None if version.source == ModelVersion.Source.RECORDED else version.max_new_tokens

    @extend_schema_field(GateJson(allow_null=True))
    def get_gate(self, version: ModelVersion) -> dict[str, Any] | None:
        decision = latest_decision(version)
        return dict(GateJson(decision).data) if decision else None


class LearnedModelJson(serializers.Serializer[Any]):
    """`num_readings` of its own run; `through` are the numbers of ancestors that learned from it."""

    uid = serializers.UUIDField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    run = serializers.UUIDField(source="run_uid", allow_null=True)
    dataset = serializers.UUIDField(source="dataset_uid", allow_null=True)
    num_readings = serializers.IntegerField()
    through = serializers.ListField(child=serializers.IntegerField())


class HoldingDatasetJson(serializers.Serializer[Any]):
    uid = serializers.UUIDField(source="dataset.uid")
    title = serializers.CharField(source="dataset.title")
    num_train = serializers.IntegerField()
    num_held_out = serializers.IntegerField()


class ErasedSinceJson(serializers.Serializer[Any]):
    """`models` are the uids of those whose own runs learned from a data set that lost readings."""

    num_readings = serializers.IntegerField()
    models = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_models(self, erased: Any) -> list[str]:
        return [str(version.uid) for version in erased.models]


class TraceJson(serializers.Serializer[Any]):
    """What learned from a reader, a study's patient or a reading."""

    kind = serializers.CharField()
    uid = serializers.UUIDField()
    num_signed = serializers.IntegerField()
    datasets = HoldingDatasetJson(many=True)
    models = LearnedModelJson(many=True)
    erased = ErasedSinceJson(allow_null=True)
