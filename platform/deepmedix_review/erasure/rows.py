"""Every row that goes with a study, table by table, in the order in which they go; counted and deleted by the
same conditions, so that what is shown before is what happens."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet

from deepmedix_review.evaluation.models import (
    Battle,
    GreenAnswer,
    Judgement,
    MetricCase,
    PatientAnswer,
    PatientFilm,
)
from deepmedix_review.feedback.models import (
    DatasetReading,
    ExpertRegion,
    PreferenceLabel,
    PreferencePair,
    TrainingSample,
)
from deepmedix_review.reasoning.models import (
    Completion,
    InferenceJob,
    ReasoningStep,
    Region,
    UnfinishedText,
)
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    Case,
    CriterionRating,
    DrawnRegion,
    FirstRead,
    MissedFinding,
    Reading,
    ReadingChange,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.studies.models import (
    CollectionMember,
    DecidedStudy,
    ImportItem,
    Instance,
    Keeping,
    MaskedPicture,
    PacsPull,
    PictureView,
    Reference,
    ReferenceRegion,
    Series,
    Sighting,
    Study,
    StudyToPull,
    TextMasking,
)

# What a page calls them, in its order.
KINDS: Mapping[str, str] = {
    "studies": "studies",
    "series": "series",
    "films": "films, each with its small picture",
    "references": "what its source says: reports and labels",
    "reference_regions": "boxes of its source",
    "collection_places": "places in collections",
    "sightings": "reports of a name on a film",
    "inference_jobs": "requests for outputs",
    "outputs": "outputs of models",
    "steps": "reasoning steps in them",
    "regions": "regions in them",
    "cases": "cases of reader studies",
    "assignments": "cases on readers' worklists, read or not",
    "readings": "readings",
    "ratings": "ratings, votes and first reads",
    "readers_regions": "regions and findings that readers added",
    "changes": "saved changes of readers",
    "samples": "texts that models wrote of its films while they learned",
    "gate_films": "places among the sealed patients that the gate measures on",
    "gate_answers": "texts that models wrote of its films before the gate",
    "battles": "battles between outputs of its films",
    "judgements": "verdicts of judges on them",
    "frozen_rows": "rows of frozen data sets that lose their way to it",
    "import_lines": "lines in lists of imports that lose file name and reason",
}


@dataclass(frozen=True)
class Table:
    """Rows of one model that go; `path` leads from them to the study. Uncounted where `kind` is empty."""

    rows: QuerySet[Any]
    path: str
    kind: str = ""

    def of(self, studies: Sequence[int]) -> QuerySet[Any]:
        return self.rows.filter(**{f"{self.path}__in": studies})


OF_READING = "reading__assignment__case__study"
TABLES: Sequence[Table] = (
    Table(Judgement.objects.all(), "battle__study", "judgements"),
    Table(Battle.objects.all(), "study", "battles"),
    # The result itself names a study by number alone.
    Table(MetricCase.objects.all(), "study"),
    # Numbers alone, and a hash of texts.
    Table(GreenAnswer.objects.all(), "study"),
    Table(CriterionRating.objects.all(), OF_READING, "ratings"),
    Table(StepRating.objects.all(), OF_READING, "ratings"),
    Table(RegionAnnotation.objects.all(), OF_READING, "ratings"),
    Table(AnswerRating.objects.all(), OF_READING, "ratings"),
    Table(Vote.objects.all(), OF_READING, "ratings"),
    Table(DrawnRegion.objects.all(), OF_READING, "readers_regions"),
    Table(MissedFinding.objects.all(), OF_READING, "readers_regions"),
    Table(FirstRead.objects.all(), OF_READING, "ratings"),
    Table(ReadingChange.objects.all(), OF_READING, "changes"),
    Table(Reading.objects.all(), "assignment__case__study", "readings"),
    Table(Assignment.doubts.through._default_manager.all(), "assignment__case__study"),
    # A trigger counts them by their cases, so they go before.
    Table(Assignment.objects.all(), "case__study", "assignments"),
    Table(Case.completions.through._default_manager.all(), "case__study"),
    Table(Case.objects.all(), "study", "cases"),
    Table(TrainingSample.objects.all(), "instance__series__study", "samples"),
    Table(PatientAnswer.objects.all(), "of__film__series__study", "gate_answers"),
    Table(PatientFilm.objects.all(), "film__series__study", "gate_films"),
    Table(Region.objects.all(), "step__completion__study", "regions"),
    Table(ReasoningStep.objects.all(), "completion__study", "steps"),
    Table(Completion.with_altered.all(), "study", "outputs"),
    Table(UnfinishedText.objects.all(), "job__study"),
    Table(InferenceJob.objects.all(), "study", "inference_jobs"),
    Table(PictureView.objects.all(), "film__series__study"),
    Table(Sighting.objects.all(), "film__series__study", "sightings"),
    Table(TextMasking.objects.all(), "film__series__study"),
    Table(MaskedPicture.objects.all(), "film__series__study"),
    Table(DecidedStudy.objects.all(), "study"),
    Table(Keeping.objects.all(), "study"),
    Table(ReferenceRegion.objects.all(), "reference__study", "reference_regions"),
    Table(Reference.objects.all(), "study", "references"),
    Table(CollectionMember.objects.all(), "study", "collection_places"),
    # What was found in a PACS, and nobody has ticked yet.
    Table(StudyToPull.objects.filter(pull__state=PacsPull.State.CHOOSING), "study"),
    Table(Instance.objects.all(), "series__study", "films"),
    Table(Series.objects.all(), "study", "series"),
    Table(Study.objects.all(), "pk", "studies"),
)


@dataclass(frozen=True)
class Detached:
    """Rows that stay and lose their way to the study. Uncounted where `kind` is empty."""

    rows: QuerySet[Any]
    paths: Sequence[str]
    emptied: Mapping[str, Any]
    kind: str

    def of(self, studies: Sequence[int]) -> QuerySet[Any]:
        condition = Q()
        for path in self.paths:
            condition |= Q(**{f"{path}__in": studies})
        return self.rows.filter(condition)


ROW = {"completion": None, "step": None}
DETACHED: Sequence[Detached] = (
    Detached(
        PreferencePair.with_erased.all(),
        ("completion__study", "rejected_completion__study"),
        {**ROW, "rejected_completion": None},
        "frozen_rows",
    ),
    Detached(PreferenceLabel.with_erased.all(), ("completion__study",), ROW, "frozen_rows"),
    Detached(ExpertRegion.with_erased.all(), ("completion__study",), ROW, "frozen_rows"),
    Detached(
        DatasetReading.with_erased.all(),
        ("reading__assignment__case__study",),
        {"reading": None},
        "frozen_rows",
    ),
    Detached(Instance.objects.all(), ("near_to__series__study",), {"near_to": None}, ""),
    Detached(
        ImportItem.objects.all(),
        ("instance__series__study",),
        {"instance": None, "file_name": "erased", "reason": "Its study was erased."},
        "import_lines",
    ),
    Detached(
        StudyToPull.objects.exclude(pull__state=PacsPull.State.CHOOSING),
        ("study",),
        {"study": None, "study_uid": "", "study_date": None},
        "",
    ),
)
# Texts that may name another study, by its label.
TEXTS: Sequence[tuple[type[Model], str]] = ((ImportItem, "reason"), (Study, "held_reasons"))
ERASED_LABEL = "an erased study"


def count_rows(studies: Sequence[int]) -> dict[str, int]:
    """By kind, those that are more than none."""
    counts: Counter[str] = Counter()
    every: list[Table | Detached] = [*TABLES, *DETACHED]
    for table in every:
        if table.kind:
            counts[table.kind] += table.of(studies).count()
    return in_order(counts)


def detach_rows(studies: Sequence[int]) -> Counter[str]:
    """Before anything goes: then nothing leads to what went."""
    counts: Counter[str] = Counter()
    for rows in DETACHED:
        keys = list(rows.of(studies).order_by("pk").values_list("pk", flat=True))
        counts[rows.kind] += rows.rows.filter(pk__in=keys).update(**rows.emptied)
    counts.pop("", None)
    return counts


def delete_rows(studies: Sequence[int]) -> Counter[str]:
    """Row by row as they are, without Django's own cascade: a table that is missing here is refused by its
    foreign key, and nothing goes."""
    counts: Counter[str] = Counter()
    for table in TABLES:
        rows = table.of(studies)
        counts[table.kind] += rows._raw_delete(rows.db)
    counts.pop("", None)
    return counts


def forget_labels(labels: Iterable[str]) -> None:
    """In sentences about other studies."""
    with connection.cursor() as cursor:
        for model, field in TEXTS:
            column = model._meta.get_field(field)
            kind = column.db_type(connection)
            for label in labels:
                cursor.execute(
                    f"UPDATE {model._meta.db_table} SET {field} = replace({field}::text, %s, %s)::{kind} "
                    f"WHERE {field}::text LIKE %s",
                    [label, ERASED_LABEL, f"%{label}%"],
                )


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {kind: counts[kind] for kind in KINDS if counts.get(kind)}
