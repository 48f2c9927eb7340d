"""The JSON of an inference job."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.sampling import LAST_SEED, MOST_SAMPLES, Sampling
from deepmedix_review.registry.models import BoxFrame
from deepmedix_review.registry.wanted import HOTTEST
from inference.presets import PRESETS


class SamplingRequestSerializer(serializers.Serializer[None]):
    num_samples = serializers.IntegerField(
        required=False,
        default=Sampling.num_samples,
        min_value=1,
        max_value=MOST_SAMPLES,
        help_text="of each study; one at temperature 0",
    )
    temperature = serializers.FloatField(
        required=False, min_value=0, max_value=HOTTEST, help_text="left out: the model's own"
    )
    first_seed = serializers.IntegerField(
        required=False,
        default=Sampling.first_seed,
        min_value=1,
        max_value=LAST_SEED,
        help_text="each completion has the next one",
    )

    def sampling(self) -> Sampling:
        """Once it is valid."""
        said = self.validated_data
        return Sampling(said["num_samples"], said.get("temperature"), said["first_seed"])


class InferenceRequestSerializer(SamplingRequestSerializer):
    query = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="left out: the model's own question"
    )


class RecordedRequestSerializer(serializers.Serializer[None]):
    """A file as text, one JSON object a line. `check`: say what matches, and keep nothing."""

    lines = serializers.CharField(trim_whitespace=False, max_length=5_000_000)
    model = serializers.CharField(required=False, default="", allow_blank=True)
    preset = serializers.ChoiceField(choices=list(PRESETS))
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)
    box_frame = serializers.ChoiceField(choices=BoxFrame.choices, required=False)
    leaves_out = serializers.BooleanField(required=False, default=False, help_text="what matches no film")
    check = serializers.BooleanField(required=False, default=False)


class UnmatchedSerializer(serializers.Serializer[Any]):
    image = serializers.CharField()
    reason = serializers.CharField()
    number = serializers.IntegerField()


class RecordedSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    num_matched = serializers.IntegerField()
    num_repeated = serializers.IntegerField(help_text="of these, word for word one before of the same film")
    num_new = serializers.IntegerField()
    unmatched = UnmatchedSerializer(many=True)
    version = serializers.UUIDField(allow_null=True)


class UnfinishedRegionSerializer(serializers.Serializer[Any]):
    """A box that is written to its end, in pixels of the film."""

    label = serializers.CharField(  # type: ignore[assignment]  # the base has an attribute of this name
        help_text="its step's number, with a letter where the step has several"
    )
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, help_text="x_min, y_min, x_max, y_max"
    )
    problem = serializers.CharField(help_text="outside_image, no_area, inverted, whole_image; else empty")


class UnfinishedStepSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    regions = UnfinishedRegionSerializer(many=True)


class UnfinishedSerializer(serializers.Serializer[Any]):
    """What a running inference has written so far. Nothing of it is kept."""

    text = serializers.CharField(help_text="as it was written; of a very long one the beginning")
    steps = UnfinishedStepSerializer(many=True)
    rest = serializers.CharField(help_text="what of the text comes after the steps")
    is_cut = serializers.BooleanField(help_text="the model has written on past what is told")


class InferenceJobSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField(read_only=True)
    study = serializers.UUIDField(source="study.uid", read_only=True)
    model = serializers.CharField(source="model_version.__str__", read_only=True, help_text="v1, v2 …")
    query = serializers.CharField(read_only=True)
    temperature = serializers.FloatField(read_only=True)
    seed = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=JobState.choices, read_only=True)
    num_tokens = serializers.IntegerField(read_only=True, help_text="so far")
    max_new_tokens = serializers.IntegerField(read_only=True)
    attempt = serializers.IntegerField(read_only=True)
    error = serializers.CharField(read_only=True, help_text="why it failed, in a sentence")
    completion = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_completion(self, job: InferenceJob) -> str | None:
        completion = getattr(job, "completion", None)
        return str(completion.uid) if completion else None


class InferenceStateSerializer(InferenceJobSerializer):
    unfinished = serializers.SerializerMethodField()

    @extend_schema_field(UnfinishedSerializer(allow_null=True))
    def get_unfinished(self, job: InferenceJob) -> Any:
        found = self.context["unfinished"].get(job.pk)
        return None if found is None else UnfinishedSerializer(found).data


class StudyInferenceSerializer(serializers.Serializer[Any]):
    jobs = InferenceStateSerializer(many=True, help_text="without a completion, the newest first")
    completions = serializers.ListField(child=serializers.UUIDField(), help_text="the newest first")
