"""Text to be overwritten, and what became of it, as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.studies.masking.boxes import LARGEST_SHARE, MOST_BOXES, Box
from deepmedix_review.studies.models import TextMasking


class BoxSerializer(serializers.Serializer[Any]):
    """Whole pixels of the film, counted from its upper left corner, which is 0, 0."""

    x_min = serializers.IntegerField(help_text="its first column")
    y_min = serializers.IntegerField(help_text="its first row")
    x_max = serializers.IntegerField(help_text="the column behind its last one")
    y_max = serializers.IntegerField(help_text="the row behind its last one")


class FoundTextSerializer(serializers.Serializer[Any]):
    boxes = BoxSerializer(many=True, help_text="around lines of print, from the top down; a suggestion")


class MaskTextSerializer(serializers.Serializer[Any]):
    boxes = BoxSerializer(
        many=True,
        help_text=f"1 to {MOST_BOXES}, which cover at most {LARGEST_SHARE:.0%} of the film together",
    )
    accept = serializers.BooleanField(
        default=False, help_text="its study is accepted once they are overwritten; else it stays held"
    )
    looked = serializers.BooleanField(
        default=False,
        help_text="must be true to accept: you looked at every film of its study, and no other name is "
        "written on any",
    )

    @property
    def boxes_asked(self) -> list[Box]:
        return [Box(**box) for box in self.validated_data["boxes"]]


class TextMaskingSerializer(serializers.ModelSerializer[TextMasking]):
    film = serializers.UUIDField(source="film.uid", read_only=True)
    study = serializers.UUIDField(source="film.study.uid", read_only=True)
    boxes = serializers.SerializerMethodField()
    is_original_deleted = serializers.BooleanField(
        read_only=True, help_text="the file with the text is gone from the disk"
    )

    class Meta:
        model = TextMasking
        fields = (
            "uid",
            "film",
            "study",
            "state",
            "boxes",
            "is_to_accept",
            "outcome",
            "is_original_deleted",
            "error",
            "created_at",
            "finished_at",
        )

    @extend_schema_field(BoxSerializer(many=True))
    def get_boxes(self, masking: TextMasking) -> list[dict[str, int]]:
        return [dict(BoxSerializer(Box(*box)).data) for box in masking.boxes]
