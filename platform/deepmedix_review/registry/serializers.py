"""How registering a model looks as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.common.models import JobState
from deepmedix_review.registry.endpoints import LONGEST_SERVED_MODEL, LONGEST_URL
from deepmedix_review.registry.models import BoxFrame, ModelJob
from deepmedix_review.registry.wanted import (
    HOTTEST,
    LONGEST_HUB_ID,
    LONGEST_LICENCE,
    LONGEST_LIMITS,
    LONGEST_NAME,
    MOST_NEW_TOKENS,
    WantedVersion,
)
from inference.presets import PRESETS


class VersionJson(serializers.Serializer[Any]):
    """How a model shall be asked and read; what is left out is as its preset says."""

    preset = serializers.ChoiceField(choices=list(PRESETS))
    name = serializers.CharField(max_length=LONGEST_NAME, required=False, allow_blank=True)
    licence = serializers.CharField(max_length=LONGEST_LICENCE, required=False, allow_blank=True)
    limits = serializers.CharField(max_length=LONGEST_LIMITS, required=False, allow_blank=True)
    box_frame = serializers.ChoiceField(choices=BoxFrame.choices, required=False)
    temperature = serializers.FloatField(min_value=0, max_value=HOTTEST, required=False)
    max_new_tokens = serializers.IntegerField(min_value=1, max_value=MOST_NEW_TOKENS, required=False)

    def wanted(self) -> WantedVersion:
        said = self.validated_data
        known = WantedVersion.__dataclass_fields__
        return WantedVersion(**{name: said[name] for name in known if name in said})


class FetchedJson(VersionJson):
    hub_id = serializers.CharField(
        max_length=LONGEST_HUB_ID,
        required=False,
        allow_blank=True,
        help_text="where its files were fetched at Hugging Face, owner/name",
    )
    hub_revision = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="the commit there, 40 hexadecimal digits"
    )


class FolderJson(FetchedJson):
    folder = serializers.CharField(max_length=200, help_text="its name in INCOMING_MODEL_FOLDER")


class ServerJson(FetchedJson):
    url = serializers.CharField(max_length=LONGEST_URL, help_text="where its API begins, as in …/v1")
    served_model = serializers.CharField(max_length=LONGEST_SERVED_MODEL, help_text="its name there")
    key_name = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="SERVER/NAME, a file in ENDPOINT_KEY_FOLDER laid down for that server",
    )


class ServersJson(serializers.Serializer[Any]):
    """`origins`: scheme, host and port of where films may be sent; `keys` are names of key files."""

    origins = serializers.ListField(child=serializers.CharField())
    keys = serializers.ListField(child=serializers.CharField())


class RegisteredJson(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    number = serializers.IntegerField()
    name = serializers.CharField()


class UnfitFolderJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    reason = serializers.CharField(help_text="why it can't be registered, in a sentence")


class FoldersJson(serializers.Serializer[Any]):
    folders = serializers.ListField(child=serializers.CharField())
    unfit = UnfitFolderJson(many=True)


class ModelJobJson(serializers.Serializer[Any]):
    """`num_done` of `num_wanted`: bytes of a folder that is registered, or films that are asked about.
    `result`: of a version that was asked once its text, answer and problems; of a calibration how well each
    frame fits; of a folder `is_known` where the same files, asked the same way, are `version` already."""

    uid = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=ModelJob.Kind.choices, read_only=True)
    state = serializers.ChoiceField(choices=JobState.choices, read_only=True)
    num_done = serializers.IntegerField(read_only=True)
    num_wanted = serializers.IntegerField(read_only=True)
    error = serializers.CharField(read_only=True, help_text="why it failed, in a sentence")
    result = serializers.DictField(read_only=True)
    version = serializers.SerializerMethodField()

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_version(self, job: ModelJob) -> str | None:
        return str(job.version.uid) if job.version else None
