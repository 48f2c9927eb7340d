"""Collections, their versions and members as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.studies.collecting.contents import Contents
from deepmedix_review.studies.collecting.selectors import CollectionRow, MemberRow
from deepmedix_review.studies.models import Collection, CollectionVersion, Split


class SideSerializer(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=Split.choices)
    num_studies = serializers.IntegerField()
    num_patients = serializers.IntegerField()


class CollectionVersionSerializer(serializers.ModelSerializer[CollectionVersion]):
    sides = serializers.SerializerMethodField()

    class Meta:
        model = CollectionVersion
        fields = ("uid", "number", "frozen_at", "num_studies", "num_patients", "studies_sha256", "sides")

    @extend_schema_field(SideSerializer(many=True))
    def get_sides(self, version: CollectionVersion) -> list[dict[str, Any]]:
        return list(SideSerializer(Contents.of(version).sides, many=True).data)


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    class Meta:
        model = Collection
        fields = (
            "uid",
            "name",
            "kind",
            "filter",
            "train_percent",
            "tune_percent",
            "test_percent",
            "created_at",
        )


class CollectionRowSerializer(serializers.Serializer[CollectionRow]):
    collection = CollectionSerializer()
    newest = CollectionVersionSerializer()
    num_versions = serializers.IntegerField()


class CollectionPageSerializer(serializers.Serializer[Any]):
    results = CollectionRowSerializer(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="goes into `before` for the next page; null on the last"
    )


class CollectionDetailSerializer(serializers.Serializer[Any]):
    collection = CollectionSerializer()
    versions = CollectionVersionSerializer(many=True)


class MemberSerializer(serializers.Serializer[MemberRow]):
    study = serializers.UUIDField(source="study.uid")
    label = serializers.CharField(source="study.label")  # type: ignore[assignment]
    patient_pseudonym = serializers.CharField(source="study.patient_pseudonym")
    split = serializers.ChoiceField(choices=Split.choices)


class CollectionVersionDetailSerializer(serializers.Serializer[Any]):
    version = CollectionVersionSerializer()
    members = MemberSerializer(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="goes into `before` for the next page; null on the last"
    )
