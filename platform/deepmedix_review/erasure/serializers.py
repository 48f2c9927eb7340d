"""How erasures look as JSON."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.erasure.models import Erasure, NamedUse
from deepmedix_review.erasure.previewing import Preview
from deepmedix_review.erasure.scope import Scope
from deepmedix_review.erasure.services import LONGEST_NOTE, Asked


class OfWhatJson(serializers.Serializer[Any]):
    """One study by its uid, or all of a patient by the pseudonym."""

    study = serializers.UUIDField(required=False)
    patient = serializers.CharField(required=False, max_length=16, help_text="the pseudonym, P-…")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("study" in attrs) == ("patient" in attrs):
            raise serializers.ValidationError("Name a study or a patient: one of the two.")
        return attrs


class AskErasureJson(OfWhatJson):
    why = serializers.ChoiceField(choices=Erasure.Why.choices)
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NOTE, help_text="in words, without names"
    )
    confirmed = serializers.CharField(
        max_length=40, help_text="the `name` of the preview: the study's label, or the pseudonym"
    )

    def asked(self) -> Asked:
        """Of valid data."""
        said = self.validated_data
        return Asked(why=said["why"], note=said.get("note", ""), confirmed=said["confirmed"])


class NamedUseJson(serializers.ModelSerializer[NamedUse]):
    class Meta:
        model = NamedUse
        fields = ("kind", "uid", "name", "said")


class ErasurePreviewJson(serializers.Serializer[Any]):
    """`counts` are rows that would go, by kind; `hindrances` say why it can't go now, and the way out."""

    kind = serializers.ChoiceField(choices=Erasure.Kind.choices)
    name = serializers.CharField()
    studies = serializers.ListField(child=serializers.UUIDField())
    counts = serializers.DictField(child=serializers.IntegerField())
    num_files = serializers.IntegerField()
    num_bytes = serializers.IntegerField(help_text="of the display films")
    uses = NamedUseJson(many=True)
    same_picture_in = serializers.ListField(
        child=serializers.UUIDField(), help_text="studies that have the same picture, and stay"
    )
    hindrances = serializers.ListField(child=serializers.CharField())


class ErasureJson(serializers.ModelSerializer[Erasure]):
    """`found` was counted when it was asked for, `gone` is what went. `erased_at` is when the rows went, all
    together; it is done once `num_files_left` is 0."""

    found = serializers.DictField(child=serializers.IntegerField())
    gone = serializers.DictField(child=serializers.IntegerField())
    studies = serializers.SerializerMethodField()
    num_files_left = serializers.IntegerField()

    class Meta:
        model = Erasure
        fields = (
            *("uid", "kind", "why", "note", "state", "error", "studies", "found", "gone", "erased_at"),
            *("num_files", "num_files_left", "let_in_at", "created_at", "finished_at"),
        )

    def get_studies(self, erasure: Erasure) -> list[str]:
        return [str(study.study_uid) for study in erasure.studies.all()]


class ErasureWithUsesJson(ErasureJson):
    uses = NamedUseJson(many=True)

    class Meta(ErasureJson.Meta):
        fields = (*ErasureJson.Meta.fields, "uses")  # type: ignore[assignment]


class ErasurePageJson(serializers.Serializer[Any]):
    results = ErasureJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


def preview_json(scope: Scope, found: Preview) -> dict[str, Any]:
    return ErasurePreviewJson(
        {
            "kind": scope.kind,
            "name": scope.name,
            "studies": [study.uid for study in scope.studies],
            "counts": found.counts,
            "num_files": found.num_files,
            "num_bytes": found.num_bytes,
            "uses": [use for kind in found.uses for use in kind.uses],
            "same_picture_in": [twin.uid for twin in found.twins],
            "hindrances": found.hindrances,
        }
    ).data
