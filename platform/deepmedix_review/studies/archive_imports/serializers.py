"""How archives on their way in look as JSON."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.studies.models import ArchiveImport
from deepmedix_review.studies.serializers import ImportItemSerializer, ProfileField


class BeginArchiveJson(serializers.Serializer[Any]):
    file_name = serializers.CharField(max_length=255)
    num_bytes = serializers.IntegerField(min_value=0, help_text="of the whole archive")
    modified_ms = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**53,
        help_text="when the file was changed last, in milliseconds since 1970: the same file begun again "
        "goes on where it was cut off",
    )
    profile = ProfileField(required=False)


class ArchiveImportJson(serializers.ModelSerializer[ArchiveImport]):
    """`num_received` of `num_bytes` tells how much is here, `num_done` of `num_files` how far a worker is."""

    batch = serializers.UUIDField(
        source="batch.uid", read_only=True, help_text="the import that its films are of"
    )
    profile = serializers.CharField(
        source="batch.profile", read_only=True, help_text="of de-identification, by which its films come in"
    )
    num_done = serializers.IntegerField(read_only=True, help_text="files that were judged")
    may_be_tried_again = serializers.BooleanField(read_only=True)

    class Meta:
        model = ArchiveImport
        fields = (
            *("uid", "batch", "profile", "file_name", "state", "error", "num_bytes", "num_received"),
            *("num_files", "num_done", "num_accepted", "num_to_look_at", "num_held", "num_duplicate"),
            *("num_refused", "may_be_tried_again", "created_at", "started_at", "finished_at"),
        )
        read_only_fields = fields


class ArchiveImportPageJson(serializers.Serializer[Any]):
    results = ArchiveImportJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class ArchiveFilePageJson(serializers.Serializer[Any]):
    results = ImportItemSerializer(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class NotTakenJson(serializers.Serializer[Any]):
    detail = serializers.CharField()
    num_received = serializers.IntegerField(
        required=False, help_text="where the part begins elsewhere than what is here ends"
    )
