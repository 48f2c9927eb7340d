"""Names what had used studies: it stays when they go, and a person decides what becomes of it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from deepmedix_review.common.dates import say_moment
from deepmedix_review.erasure.models import NamedUse
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.scope import chosen_reader_studies
from deepmedix_review.feedback.learned.tracing import models_learned_from
from deepmedix_review.feedback.models import (
    DatasetReading,
    ExpertRegion,
    HandOver,
    PreferenceDataset,
    PreferenceLabel,
    PreferencePair,
    TrainingRun,
)
from deepmedix_review.reviews.models import Case, ReaderStudy, Reading
from deepmedix_review.studies.models import CollectionMember, CollectionVersion
from rl_feedback.counting import counted

Kind = NamedUse.Kind
# Of what holds it still, or learned from it, what a person can do.
WAYS: Mapping[str, str] = {
    Kind.READER_STUDY: "Its results are computed from what is left, so they change: read them again, and "
    "say so where they were reported.",
    Kind.COLLECTION: "Its frozen figures and sha256 stay as they were. Make its next version to count anew.",
    Kind.DATA_SET: "Holds it still, as texts and figures without a way to the study: a frozen set never "
    "changes. Nothing learns from those rows any more, and no new export has them. A researcher freezes a "
    "new set, for a run without it.",
    Kind.TRAINING_RUN: "The files that it learned from are deleted; its figures stay.",
    Kind.MODEL: "Learned from it, and can't unlearn. To serve a model without it, a researcher freezes the "
    "readings anew, trains from a version that did not learn from it, and promotes that.",
    Kind.BUNDLE: "Holds it still while its archive is here: a researcher deletes that on the page of "
    "bundles. What was fetched has to be deleted where it is.",
    Kind.EXPORT: "Holds it still while its archive is here. Delete what was fetched where it is.",
}


@dataclass(frozen=True)
class Use:
    """`said` is how it used the studies."""

    kind: NamedUse.Kind
    uid: UUID
    name: str
    said: str


def uses_of(studies: Sequence[int]) -> list[Use]:
    """In the order in which films go round."""
    readings = Reading.objects.filter(assignment__case__study__in=studies)
    signed = readings.filter(signed_at__isnull=False)
    sets = data_sets_with(studies)
    return [
        *_reader_studies(studies),
        *_collections(studies),
        *(Use(Kind.DATA_SET, one.uid, one.title, said) for one, said in sets.items()),
        *_runs(list(sets)),
        *(
            Use(Kind.MODEL, model.uid, f"v{model.number} {model.name}"[:200], _learned(model.num_readings))
            for model in models_learned_from(signed)
        ),
        *(
            Use(Kind.BUNDLE, one.uid, f"bundle of {one.dataset.title}"[:200], "Written of a set that has it.")
            for one in bundles_with(list(sets)).order_by("pk")
            if one.sha256
        ),
        *(
            Use(Kind.EXPORT, one.uid, _name_of(one), "Written of readings or a data set that has it.")
            for one in exports_with(studies, sets=list(sets))
            if one.sha256
        ),
    ]


def data_sets_with(studies: Sequence[int]) -> dict[PreferenceDataset, str]:
    """Each with how much of it is of them."""
    named: dict[int, Counter[str]] = defaultdict(Counter)
    held = DatasetReading.objects.filter(reading__assignment__case__study__in=studies)
    kinds = (
        ("reading", held),
        *(
            (noun, model.objects.filter(completion__study__in=studies))
            for noun, model in (
                ("pair", PreferencePair),
                ("label", PreferenceLabel),
                ("region", ExpertRegion),
            )
        ),
    )
    for noun, rows in kinds:
        for dataset, num in rows.order_by().values_list("dataset").annotate(Count("pk")):
            named[dataset][noun] = num
    found = PreferenceDataset.objects.filter(pk__in=named).defer("left_out", "disputes", "readers")
    return {
        one: "Has " + ", ".join(counted(num, noun) for noun, num in named[one.pk].items()) + " of it."
        for one in found.order_by("pk")
    }


def bundles_with(sets: Sequence[PreferenceDataset]) -> QuerySet[HandOver]:
    return HandOver.objects.filter(dataset__in=sets).select_related("dataset")


def exports_with(studies: Sequence[int], *, sets: Sequence[PreferenceDataset]) -> list[Export]:
    """Written, being written or waiting, of a reader study in which one of them was signed by the export's
    moment, or of a data set that has it; oldest first."""
    signed = Reading.objects.filter(assignment__case__study__in=studies, signed_at__isnull=False)
    first_signed = dict(
        signed.order_by().values_list("assignment__case__reader_study").annotate(Min("signed_at"))
    )
    keys = {one.pk for one in sets}
    return [
        export
        for export in Export.objects.order_by("pk")
        if export.data_set_id in keys or (export.data_set_id is None and _has_signed(export, first_signed))
    ]


def _has_signed(export: Export, first_signed: Mapping[int, datetime]) -> bool:
    by_then = [key for key, first in first_signed.items() if first <= export.as_of]
    if not by_then:
        return False
    return chosen_reader_studies(export.reader_studies, as_of=export.as_of).filter(pk__in=by_then).exists()


def _collections(studies: Sequence[int]) -> list[Use]:
    rows = CollectionMember.objects.filter(study__in=studies).order_by()
    held = dict(rows.values_list("version").annotate(Count("study")))
    versions = CollectionVersion.objects.filter(pk__in=held).select_related("collection").order_by("pk")
    named: dict[UUID, list[CollectionVersion]] = defaultdict(list)
    for version in versions:
        named[version.collection.uid].append(version)
    return [
        Use(
            Kind.COLLECTION,
            uid,
            found[0].collection.name,
            f"Has it in {'version' if len(found) == 1 else 'versions'} "
            f"{', '.join(str(version.number) for version in found)}."[:300],
        )
        for uid, found in named.items()
    ]


def _reader_studies(studies: Sequence[int]) -> list[Use]:
    cases = Case.objects.filter(study__in=studies).order_by()
    num_cases = dict(cases.values_list("reader_study").annotate(Count("pk")))
    signed = Reading.objects.filter(assignment__case__study__in=studies, signed_at__isnull=False).order_by()
    num_signed = dict(signed.values_list("assignment__case__reader_study").annotate(Count("pk")))
    return [
        Use(
            Kind.READER_STUDY,
            one.uid,
            one.title,
            f"{counted(num_cases[one.pk], 'case')} of it, "
            f"{counted(num_signed.get(one.pk, 0), 'signed reading')}; the study is {one.state}.",
        )
        for one in ReaderStudy.objects.filter(pk__in=num_cases).order_by("pk")
    ]


def _runs(sets: Sequence[PreferenceDataset]) -> list[Use]:
    runs = TrainingRun.objects.filter(dataset__in=sets).select_related("dataset", "candidate").order_by("pk")
    return [
        Use(
            Kind.TRAINING_RUN,
            run.uid,
            f"run {run.pk} on {run.dataset.title}"[:200],
            f"It is {run.state}" + (f", and made {run.candidate}." if run.candidate else "."),
        )
        for run in runs
    ]


def _learned(num_readings: int) -> str:
    if num_readings:
        return f"Learned from {counted(num_readings, 'reading')} of it."
    return "Learned from it through a version before it."


def _name_of(export: Export) -> str:
    return f"export {export.sha256[:12]} of {say_moment(export.created_at)}"
