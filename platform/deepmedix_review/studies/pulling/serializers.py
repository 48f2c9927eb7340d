"""How sources, searches and pulls look as JSON."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.studies.intake.oddities import MODALITIES
from deepmedix_review.studies.models import FilmToPull, PacsPull, StudyToPull
from deepmedix_review.studies.pulling.client import StudyQuery
from deepmedix_review.studies.pulling.pulls import MOST_STUDIES

_COUNTS = (
    *("num_films", "num_done"),
    *("num_accepted", "num_held", "num_duplicate", "num_refused", "num_known", "num_failed"),
)


class PacsSourceJson(serializers.Serializer[Any]):
    name = serializers.CharField()


class SearchJson(serializers.Serializer[Any]):
    """What is left out asks nothing."""

    # Named so by the API, where a field of a serializer has another meaning.
    source = serializers.CharField(max_length=100, help_text="the name of the PACS")  # type: ignore[assignment]
    patient_id = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    accession = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    modality = serializers.ChoiceField(sorted(MODALITIES), required=False, allow_blank=True, default="")
    since = serializers.DateField(required=False, allow_null=True, default=None)
    until = serializers.DateField(required=False, allow_null=True, default=None)
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST_STUDIES, default=MOST_STUDIES, help_text="studies at most"
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=10**9, default=0, help_text="studies to pass over first"
    )

    def query(self) -> StudyQuery:
        """Raises CannotPull."""
        said = self.validated_data
        return StudyQuery(
            **{name: said[name] for name in ("patient_id", "accession", "modality", "since", "until")}
        )


class TickedJson(serializers.Serializer[Any]):
    studies = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=2**31 - 1),
        max_length=MOST_STUDIES,
        help_text="the numbers of those that are brought in",
    )


class PulledFilmJson(serializers.ModelSerializer[FilmToPull]):
    class Meta:
        model = FilmToPull
        fields = ("place", "outcome", "reason")
        read_only_fields = fields


class FilmCountsJson(serializers.Serializer[Any]):
    """The films of a study that is pulled, or of all of them: how many, how many are done, and by outcome."""

    num_films = serializers.IntegerField(read_only=True)
    num_done = serializers.IntegerField(read_only=True)
    num_accepted = serializers.IntegerField(read_only=True)
    num_held = serializers.IntegerField(read_only=True)
    num_duplicate = serializers.IntegerField(read_only=True)
    num_refused = serializers.IntegerField(read_only=True)
    num_known = serializers.IntegerField(read_only=True)
    num_failed = serializers.IntegerField(read_only=True)


class PulledStudyJson(FilmCountsJson, serializers.ModelSerializer[StudyToPull]):
    """`num_told` counts images of any kind as the PACS tells; `num_films` its radiographs, once listed."""

    study = serializers.UUIDField(
        source="study.uid", read_only=True, allow_null=True, default=None, help_text="what it is here"
    )
    num_here = serializers.IntegerField(read_only=True, help_text="films of it that are here")
    told = PulledFilmJson(many=True, read_only=True, help_text="films of which there is something to say")

    class Meta:
        model = StudyToPull
        fields = (
            *("number", "study_date", "modalities", "num_told", "study", "num_here", "is_listed"),
            *(*_COUNTS, "problem", "told"),
        )
        read_only_fields = fields


class PacsPullJson(FilmCountsJson, serializers.ModelSerializer[PacsPull]):
    """`num_done` of `num_films` tells how far a worker is with the studies listed so far."""

    batch = serializers.UUIDField(
        source="batch.uid",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="the import that its films are of; null until it is started",
    )
    source = serializers.CharField(read_only=True, help_text="the name of the PACS")  # type: ignore[assignment]
    num_studies = serializers.IntegerField(read_only=True)
    may_be_tried_again = serializers.BooleanField(read_only=True)

    class Meta:
        model = PacsPull
        fields = (
            *("uid", "batch", "source", "state", "error", "num_studies", *_COUNTS),
            *("may_be_tried_again", "created_at", "started_at", "finished_at"),
        )
        read_only_fields = fields


class PacsPullPageJson(serializers.Serializer[Any]):
    results = PacsPullJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class PacsPullWithStudiesJson(serializers.Serializer[Any]):
    pull = PacsPullJson()
    studies = PulledStudyJson(many=True)
