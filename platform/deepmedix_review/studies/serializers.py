"""Studies, films and imports as JSON."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.studies.holding import LONGEST_REASON
from deepmedix_review.studies.intake.profiles import PROFILES
from deepmedix_review.studies.models import ArchiveImport, ImportItem, Instance, Study
from deepmedix_review.studies.selectors import CompanionFilm


class FilmSerializer(serializers.ModelSerializer[Instance]):
    modality = serializers.CharField(source="series.modality", read_only=True)
    profile = serializers.CharField(
        read_only=True, help_text="of de-identification, by which its file was written"
    )
    is_masked = serializers.SerializerMethodField()
    film_url = serializers.SerializerMethodField()
    picture_url = serializers.SerializerMethodField()

    class Meta:
        model = Instance
        fields = (
            "uid",
            "sop_instance_uid",
            "modality",
            "view_position",
            "body_part",
            "num_frames",
            "rows",
            "columns",
            "bits_stored",
            "photometric_interpretation",
            "row_spacing_mm",
            "column_spacing_mm",
            "profile",
            "is_masked",
            "film_url",
            "picture_url",
        )

    @extend_schema_field(serializers.CharField())
    def get_film_url(self, instance: Instance) -> str:
        return reverse("film", args=[instance.uid])

    @extend_schema_field(serializers.CharField())
    def get_picture_url(self, instance: Instance) -> str:
        return reverse("film-picture", args=[instance.uid])

    @extend_schema_field(serializers.BooleanField(help_text="text in its pixels was overwritten"))
    def get_is_masked(self, instance: Instance) -> bool:
        return instance.masked_at is not None


class CompanionFilmSerializer(serializers.Serializer[CompanionFilm]):
    """Another film of the study, or of an earlier one of the same patient."""

    uid = serializers.UUIDField()
    sop_instance_uid = serializers.CharField()
    modality = serializers.CharField()
    view_position = serializers.CharField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    row_spacing_mm = serializers.FloatField(allow_null=True)
    column_spacing_mm = serializers.FloatField(allow_null=True)
    bits_stored = serializers.IntegerField()
    role = serializers.ChoiceField(choices=("same_study", "prior"))
    days_before = serializers.IntegerField(
        allow_null=True,
        help_text="0 for a film of the same study; null where the profile of one of the two removes dates",
    )
    file_sha256 = serializers.CharField(help_text="of the file at film_url")
    film_url = serializers.SerializerMethodField()
    picture_url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField())
    def get_film_url(self, film: CompanionFilm) -> str:
        return reverse("film", args=[film.uid])

    @extend_schema_field(serializers.CharField())
    def get_picture_url(self, film: CompanionFilm) -> str:
        return reverse("film-picture", args=[film.uid])


class StudySerializer(serializers.ModelSerializer[Study]):
    # DRF takes declared fields out of the class, so this hides no Field.label.
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    held_reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    films = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = (
            "uid",
            "label",
            "state",
            "held_reasons",
            "patient_pseudonym",
            "is_phantom",
            "created_at",
            "films",
        )

    @extend_schema_field(FilmSerializer(many=True))
    def get_films(self, study: Study) -> list[dict[str, Any]]:
        instances = [instance for series in study.series.all() for instance in series.instances.all()]
        return list(FilmSerializer(instances, many=True).data)


class StudyPageSerializer(serializers.Serializer[Any]):
    results = StudySerializer(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="goes into `before` for the next page; null on the last"
    )


class ProfileField(serializers.ChoiceField):
    """Of de-identification, by which films come in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=list(PROFILES),
            help_text="of de-identification; without it the site's own",
            **kwargs,
        )


class UploadSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1)
    batch = serializers.UUIDField(
        required=False, help_text="of an earlier answer, where files of one drop are sent one by one"
    )
    profile = ProfileField(required=False)


class ImportItemSerializer(serializers.ModelSerializer[ImportItem]):
    study = serializers.SerializerMethodField()
    is_to_look_at = serializers.BooleanField(
        help_text="accepted, and no reader and no model gets it before a person looked for names on it"
    )

    class Meta:
        model = ImportItem
        fields = ("file_name", "outcome", "reason", "study", "is_to_look_at")

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_study(self, item: ImportItem) -> str | None:
        return str(item.instance.study.uid) if item.instance else None


class ArchiveSentSerializer(serializers.ModelSerializer[ArchiveImport]):
    """Its films are brought in by a worker: /api/archive-imports/{uid}/ says how far it is."""

    class Meta:
        model = ArchiveImport
        fields = ("uid", "file_name", "state")


class ImportSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField()
    profile = serializers.CharField(help_text="of de-identification, by which its films came in")
    items = ImportItemSerializer(many=True)
    archives = ArchiveSentSerializer(many=True)


class HoldSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="for the admin who decides; no names")


class DecisionSerializer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=("accept", "reject"))
    looked = serializers.BooleanField(
        default=False,
        help_text="must be true to accept: you looked at every film of it, and no name is written on any",
    )
