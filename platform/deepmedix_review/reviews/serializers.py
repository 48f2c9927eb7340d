"""The JSON of a reading as its page gets it: the film, what was said of it, what the reader said so far."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.reviews.models import RegionAnnotation, Vote


def _rating() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=5, allow_null=True)


class ReadingFilmSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    sop_instance_uid = serializers.CharField()
    film_url = serializers.CharField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    row_spacing_mm = serializers.FloatField(allow_null=True)
    column_spacing_mm = serializers.FloatField(allow_null=True)
    bits_stored = serializers.IntegerField()
    view_position = serializers.CharField()
    modality = serializers.CharField()


class ReadingRegionSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    position = serializers.IntegerField()
    x_min = serializers.FloatField()
    y_min = serializers.FloatField()
    x_max = serializers.FloatField()
    y_max = serializers.FloatField()
    problem = serializers.CharField(help_text="outside_image, no_area, inverted, whole_image; else empty")


class ReadingStepSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    position = serializers.IntegerField()
    text = serializers.CharField()
    regions = ReadingRegionSerializer(many=True)


class ReadingCompletionSerializer(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=[("a", "A"), ("b", "B")])
    uid = serializers.UUIDField()
    answer = serializers.CharField()
    text = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())
    steps = ReadingStepSerializer(many=True)


class StepRatingSerializer(serializers.Serializer[Any]):
    step = serializers.UUIDField()
    plausibility = _rating()
    cannot_judge = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)


class RegionAnnotationSerializer(serializers.Serializer[Any]):
    region = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=RegionAnnotation.Verdict.choices)
    x_min = serializers.FloatField(allow_null=True)
    y_min = serializers.FloatField(allow_null=True)
    x_max = serializers.FloatField(allow_null=True)
    y_max = serializers.FloatField(allow_null=True)


class AnswerRatingSerializer(serializers.Serializer[Any]):
    completion = serializers.UUIDField()
    relevance = _rating()
    correctness = _rating()
    completeness = _rating()


class WindowSerializer(serializers.Serializer[Any]):
    center = serializers.FloatField()
    width = serializers.FloatField()
    inverted = serializers.BooleanField()


class LatestChangeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    item = serializers.CharField(help_text="uid of the step, region or completion; empty for the vote")
    change_id = serializers.UUIDField()


class ReadingSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    reader_study = serializers.CharField()
    case_label = serializers.CharField()
    position = serializers.IntegerField()
    num_cases = serializers.IntegerField()
    question = serializers.CharField()
    instance = ReadingFilmSerializer()
    completions = ReadingCompletionSerializer(many=True)
    step_ratings = StepRatingSerializer(many=True)
    region_annotations = RegionAnnotationSerializer(many=True)
    answer_ratings = AnswerRatingSerializer(many=True)
    vote = serializers.ChoiceField(choices=Vote.Side.choices, allow_null=True)
    window = WindowSerializer(allow_null=True)
    active_seconds = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField())
    amendment_reason = serializers.CharField()
    signed_at = serializers.DateTimeField(allow_null=True)
    saved_at = serializers.DateTimeField(allow_null=True)
    latest_changes = LatestChangeSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="the next case's page, null after the last")


class ChangeAnswerSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField()
    saved_at = serializers.DateTimeField()
    missing = serializers.ListField(child=serializers.CharField())


class SignAnswerSerializer(serializers.Serializer[Any]):
    signed_at = serializers.DateTimeField()
    next = serializers.CharField(allow_null=True, help_text="the next case's page, null after the last")


class OpenedSerializer(serializers.Serializer[Any]):
    opened_at = serializers.DateTimeField(allow_null=True)


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class StoredChangeSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField()
    kind = serializers.CharField()
    payload = serializers.DictField()
    received_at = serializers.DateTimeField()


class ConflictSerializer(RefusalSerializer):
    stored = StoredChangeSerializer(
        required=False, help_text="what another window said of the same item, where that is the reason"
    )
