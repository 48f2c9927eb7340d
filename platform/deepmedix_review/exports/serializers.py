"""How exports look as JSON."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.exports.models import CSV, FORMATS, Export
from deepmedix_review.exports.services import LONGEST_STATEMENT, Asked, AskedDataSet
from deepmedix_review.reviews.models import ReaderStudy


class AskExportJson(serializers.Serializer[Any]):
    """Signed readings; or, where `data_set` is named, a frozen data set: whole, as a Hugging Face folder."""

    data_set = serializers.UUIDField(
        required=False, help_text="a frozen data set, whole: with `data_use` and nothing else"
    )
    data_use = serializers.CharField(
        max_length=LONGEST_STATEMENT, help_text="what the data may be used for, a sentence"
    )
    reader_studies = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="all, where they are not named"
    )
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=FORMATS), default=[CSV], help_text="csv, where none is named"
    )
    as_of = serializers.DateTimeField(
        required=False, help_text="readings signed up to this moment; now, where it is not named"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A name that is mistyped would ask for more than was meant."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(
                f"There is no field {', '.join(unknown)[:100]} here. There are: {', '.join(self.fields)}."
            )
        if "data_set" in attrs and set(self.initial_data) - {"data_set", "data_use"}:
            raise serializers.ValidationError(
                "A frozen data set leaves whole, as a Hugging Face folder. Name data_set and data_use alone."
            )
        return attrs

    def asked(self) -> Asked | AskedDataSet:
        """Of valid data."""
        said = self.validated_data
        if "data_set" in said:
            return AskedDataSet(said["data_set"], said["data_use"])
        return Asked(**said)


class ExportJson(serializers.ModelSerializer[Export]):
    """`num_done` of `num_total` tells how far it is; `archive_bytes` is null where no archive lies here."""

    data_set = serializers.UUIDField(
        source="data_set.uid", default=None, read_only=True, help_text="the frozen one that leaves, or null"
    )
    files = serializers.DictField(
        child=serializers.DictField(), help_text="by name: sha256, num_rows, num_bytes, attempt, left_out"
    )
    left_out = serializers.ListField(child=serializers.DictField(), help_text="reason and num")

    class Meta:
        model = Export
        fields = (
            *("uid", "state", "error", "reader_studies", "data_set", "as_of", "formats", "data_use"),
            *("num_done", "num_total", "num_rows", "files", "left_out", "sha256", "archive_bytes"),
            *("created_at", "finished_at", "expires_at"),
        )


class ExportPageJson(serializers.Serializer[Any]):
    results = ExportJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class ReaderStudyToExportJson(serializers.ModelSerializer[ReaderStudy]):
    class Meta:
        model = ReaderStudy
        fields = ("uid", "title", "state", "created_at")


class ReaderStudyToExportPageJson(serializers.Serializer[Any]):
    results = ReaderStudyToExportJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class RefusedJson(serializers.Serializer[Any]):
    detail = serializers.CharField()
