"""How rules, what falls due, and batches look as JSON."""

from datetime import date
from typing import Any

from rest_framework import serializers

from deepmedix_review.erasure.models import BatchedStudy, RetentionBatch
from deepmedix_review.erasure.retention.batches import AskedBatch
from deepmedix_review.erasure.retention.page import BatchPreview, DueRow
from deepmedix_review.erasure.serializers import NamedUseJson
from deepmedix_review.studies.models import Keeping, RetentionRule
from deepmedix_review.studies.models.retention import LONGEST_DAYS
from deepmedix_review.studies.retention.due import said_of
from deepmedix_review.studies.retention.services import LONGEST_REASON, AskedRule


class RetentionRuleJson(serializers.ModelSerializer[RetentionRule]):
    """`said`: which studies, in words."""

    said = serializers.SerializerMethodField()

    class Meta:
        model = RetentionRule
        fields = ("uid", "of", "value", "said", "keep_days", "because", "is_on", "created_at")

    def get_said(self, rule: RetentionRule) -> str:
        return said_of(rule)


class AskRetentionRuleJson(serializers.Serializer[Any]):
    """It erases nothing by itself."""

    of = serializers.ChoiceField(choices=RetentionRule.Of.choices)
    value = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="of came_by: upload, archive, listener, pacs, stow or command; of data_set: its uid; of "
        "profile: its name",
    )
    keep_days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, help_text="after it came in")
    because = serializers.CharField(max_length=LONGEST_REASON, help_text="in words, without names")

    def asked(self) -> AskedRule:
        """Of valid data."""
        said = self.validated_data
        return AskedRule(
            of=f"{said['of']}:{said.get('value', '')}", keep_days=said["keep_days"], because=said["because"]
        )


class SwitchRuleJson(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()


class RetentionRulesJson(serializers.Serializer[Any]):
    results = RetentionRuleJson(many=True)


class DueStudyJson(serializers.Serializer[Any]):
    """`rules` are all that are of it, the one that holds first; `hindrance` says why it would stay now."""

    study = serializers.UUIDField(source="due.study.uid")
    name = serializers.CharField(source="due.study.label", help_text="as screens have it, S-…")
    due_at = serializers.DateTimeField(source="due.at")
    rules = serializers.SerializerMethodField()
    hindrance = serializers.CharField()

    def get_rules(self, row: DueRow) -> list[str]:
        return [str(rule.uid) for rule in row.due.rules]


class DueStudiesJson(serializers.Serializer[Any]):
    """`next_offset` is null on the last page."""

    as_of = serializers.DateTimeField()
    results = DueStudyJson(many=True)
    next_offset = serializers.IntegerField(allow_null=True)


class AskKeepingJson(serializers.Serializer[Any]):
    last_day = serializers.DateField(help_text="kept up to the end of it, UTC")
    because = serializers.CharField(max_length=LONGEST_REASON, help_text="in words, without names")


class KeepingJson(serializers.ModelSerializer[Keeping]):
    study = serializers.UUIDField(source="study.uid")
    last_day = serializers.SerializerMethodField()

    class Meta:
        model = Keeping
        fields = ("study", "last_day", "because", "created_at", "ended_at")

    def get_last_day(self, keeping: Keeping) -> date:
        return keeping.last_day


class AskBatchJson(serializers.Serializer[Any]):
    """For good. Take both from the preview."""

    as_of = serializers.DateTimeField(required=False, help_text="due by this moment; now, if not named")
    num_confirmed = serializers.IntegerField(min_value=1, help_text="the preview's `num_studies`")

    def asked(self) -> AskedBatch:
        """Of valid data."""
        said = self.validated_data
        return AskedBatch(said["num_confirmed"], as_of=said.get("as_of"))


class BatchPreviewJson(serializers.Serializer[Any]):
    """`num_read` are due and stay: read in reader studies that are not locked. `num_later` are left to the
    next batch."""

    as_of = serializers.DateTimeField()
    num_studies = serializers.IntegerField()
    num_films = serializers.IntegerField()
    num_bytes = serializers.IntegerField(help_text="of the display films")
    num_signed = serializers.IntegerField(help_text="signed readings")
    num_read = serializers.IntegerField()
    num_later = serializers.IntegerField()
    uses = NamedUseJson(many=True)


class BatchedStudyJson(serializers.ModelSerializer[BatchedStudy]):
    """`erasure` is the uid of its own erasure; `said` why there is none."""

    study = serializers.UUIDField(source="study_uid")
    erasure = serializers.UUIDField(source="erasure.uid", default=None, allow_null=True)

    class Meta:
        model = BatchedStudy
        fields = ("study", "due_at", "because", "erasure", "said")


class BatchJson(serializers.ModelSerializer[RetentionBatch]):
    num_studies = serializers.IntegerField()
    num_erased = serializers.IntegerField()
    num_kept = serializers.IntegerField(help_text="stayed, for a reason")

    class Meta:
        model = RetentionBatch
        fields = (
            *("uid", "state", "error", "as_of", "num_studies", "num_erased", "num_kept"),
            *("created_at", "finished_at"),
        )


class BatchWithStudiesJson(BatchJson):
    studies = BatchedStudyJson(many=True)

    class Meta(BatchJson.Meta):
        fields = (*BatchJson.Meta.fields, "studies")  # type: ignore[assignment]


class BatchPageJson(serializers.Serializer[Any]):
    results = BatchJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


def batch_preview_json(found: BatchPreview) -> dict[str, Any]:
    return BatchPreviewJson({**vars(found), "uses": [use for kind in found.uses for use in kind.uses]}).data
