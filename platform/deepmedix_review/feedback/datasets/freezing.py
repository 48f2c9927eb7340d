"""Freezes signed readings into a data set: pairs, labels and regions that never change again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.datasets.choosing import (
    NOT_LEARNED_FROM,
    Chosen,
    Wanted,
    chosen_of,
    no_data_beside,
)
from deepmedix_review.feedback.judgements import anchors_signed_by, as_judged, readings_signed_by
from deepmedix_review.feedback.models import (
    DatasetReading,
    ExpertRegion,
    PreferenceDataset,
    PreferenceLabel,
    PreferencePair,
)
from deepmedix_review.reasoning.models import Completion, ReasoningStep
from deepmedix_review.reviews.models import Case, Reading
from deepmedix_review.reviews.results.cautions import cautions_on
from deepmedix_review.reviews.study_services import adjudicate_doubts
from deepmedix_review.studies.collecting.split import Shares, side_of
from rl_feedback import preferences as learning
from rl_feedback.preferences import Preferences, Split, gather_preferences

ROWS_AT_ONCE = 2000


def freeze_dataset(*, title: str, actor: User, wanted: Wanted | None = None) -> PreferenceDataset:
    """Every reading signed by now, or what is wanted of them, as rows that never change again."""
    wanted = wanted or Wanted()
    require(actor, Capability.FREEZE_DATASETS)
    title = title.strip()
    if not 1 <= len(title) <= 120:
        raise RefusedByRule("Give the data set a title of 1 to 120 characters.")
    with transaction.atomic():
        keep_whole()
        as_of = timezone.now()
        chosen = chosen_of(wanted, as_of=as_of)
        readings = readings_signed_by(as_of, only=chosen.condition)
        if not readings and chosen.num_not_learned_from:
            raise RefusedByRule(
                f"Every signed reading is left out. {NOT_LEARNED_FROM} Exports hold these readings too."
            )
        if not readings:
            raise RefusedByRule(
                "No reading is signed yet. Freeze a data set once readers have signed some."
                if wanted == Wanted()
                else "No signed reading is left of what you chose. Choose more reader studies or readers."
            )
        anchors = anchors_signed_by(as_of, only=chosen.condition)
        found = gather_preferences(
            map(as_judged, readings), anchors=map(as_judged, anchors), side_of=_side_of
        )
        num_given = adjudicate_doubts(_findings_in_doubt(found, readings))
        dataset = PreferenceDataset.objects.create(
            title=title,
            created_by=actor,
            as_of=as_of,
            num_readings=len(readings),
            num_pairs=len(found.pairs),
            num_labels=len(found.labels),
            num_regions=len(found.regions),
            left_out=[*chosen.left_out, *(asdict(row) for row in found.left_out)],
            disputes=[asdict(row) for row in found.disputes],
            readers={
                **found.readers.as_json(),
                "struck": {**found.struck.as_json(), "num_given": num_given},
                **_looked_at(chosen, [*readings, *anchors]),
                "no_data": no_data_beside(wanted, chosen, as_of=as_of),
            },
            sha256=found.sha256,
        )
        _keep_readings(dataset, readings, found.splits)
        _keep_rows(dataset, found, readings)
        record_event(
            actor=actor,
            action="freeze_dataset",
            subject=dataset,
            details={
                "num_readings": dataset.num_readings,
                "num_pairs": dataset.num_pairs,
                "sha256": dataset.sha256,
                "num_reader_studies": len(chosen.reader_studies),
                "num_readers_left_out": len(wanted.left_out_readers),
                "num_given_to_adjudication": num_given,
            },
        )
    return dataset


def _looked_at(chosen: Chosen, readings: Sequence[Reading]) -> dict[str, Any]:
    """Of which reader studies the set is made, whom it leaves out and why, and which readers to mind."""
    keys = [reading.pk for reading in readings]
    return {
        "reader_studies": [
            {"uid": str(study.uid), "title": study.title, "state": study.state}
            for study in chosen.reader_studies
        ],
        "left_out": [dict(row) for row in chosen.readers_left_out],
        "cautions": [asdict(caution) for caution in cautions_on(Reading.objects.filter(pk__in=keys))],
    }


def _findings_in_doubt(found: Preferences, readings: Sequence[Reading]) -> dict[Case, set[str]]:
    """By case, in the order of their keys, what one of its readings struck out and is likely there."""
    struck: dict[str, set[str]] = defaultdict(set)
    for kinds in found.struck.doubtful.values():
        for kind, uids in kinds.items():
            for uid in uids:
                struck[uid].add(kind)
    by_case: dict[int, set[str]] = defaultdict(set)
    for reading in readings:
        if str(reading.uid) in struck:
            by_case[reading.assignment.case_id] |= struck[str(reading.uid)]
    cases = Case.objects.filter(pk__in=by_case).select_related("reader_study").order_by("pk")
    return {case: by_case[case.pk] for case in cases}


def _side_of(patient: str) -> Split:
    """The side on which every collection with the usual shares has this patient."""
    sides: dict[str, Split] = {"train": "train", "tune": "tune", "test": "test"}
    return sides[side_of(patient, shares=Shares())]


def _keep_readings(
    dataset: PreferenceDataset, readings: Sequence[Reading], splits: Mapping[str, Split]
) -> None:
    DatasetReading.objects.bulk_create(
        [
            DatasetReading(
                dataset=dataset,
                position=position,
                reading=reading,
                split=splits[reading.assignment.case.study.patient_pseudonym],
            )
            for position, reading in enumerate(readings, 1)
        ],
        batch_size=ROWS_AT_ONCE,
    )


def _keep_rows(dataset: PreferenceDataset, found: Preferences, readings: Sequence[Reading]) -> None:
    """Each kind in its canonical order."""
    keys = _Keys(found, readings)
    PreferencePair.objects.bulk_create(
        [
            PreferencePair(
                dataset=dataset,
                position=position,
                origin=row.origin,
                rejected_completion_id=keys.completions[row.rejected_completion],
                prompt=row.prompt,
                prefix=row.prefix,
                chosen=row.chosen,
                rejected=row.rejected,
                weight=row.weight,
                probability=row.probability,
                variance=row.variance,
                num_effective_readers=row.num_effective_readers,
                **keys.of(row),
            )
            for position, row in enumerate(found.pairs, 1)
        ],
        batch_size=ROWS_AT_ONCE,
    )
    PreferenceLabel.objects.bulk_create(
        [
            PreferenceLabel(
                dataset=dataset,
                position=position,
                criterion=row.criterion,
                value=row.value,
                variance=row.variance,
                num_effective_readers=row.num_effective_readers,
                **keys.of(row),
            )
            for position, row in enumerate(found.labels, 1)
        ],
        batch_size=ROWS_AT_ONCE,
    )
    ExpertRegion.objects.bulk_create(
        [
            ExpertRegion(
                dataset=dataset,
                position=position,
                text=row.text,
                **row.box._asdict(),
                tolerance=list(row.tolerance) if row.tolerance else None,
                is_models_own=row.is_models_own,
                **keys.of(row),
            )
            for position, row in enumerate(found.regions, 1)
        ],
        batch_size=ROWS_AT_ONCE,
    )


class _Keys:
    """Primary keys by uid of all that the rows name."""

    def __init__(self, found: Preferences, readings: Sequence[Reading]) -> None:
        self.readings = {str(reading.uid): reading.pk for reading in readings}
        rows: list[learning.Pair | learning.Label | learning.ExpertRegion] = [
            *found.pairs,
            *found.labels,
            *found.regions,
        ]
        named = chain((row.completion for row in rows), (pair.rejected_completion for pair in found.pairs))
        self.completions = _keys(Completion, named)
        self.steps = _keys(ReasoningStep, (row.step for row in rows if row.step))

    def of(self, row: learning.Pair | learning.Label | learning.ExpertRegion) -> dict[str, Any]:
        """What every frozen row has."""
        return {
            "completion_id": self.completions[row.completion],
            "step_id": self.steps[row.step] if row.step else None,
            "num_readers": row.num_readers,
            "split": row.split,
            "readings": [self.readings[uid] for uid in row.readings],
        }


def _keys(model: type[Completion] | type[ReasoningStep], uids: Iterable[str]) -> dict[str, int]:
    found = model.objects.filter(uid__in=set(uids)).values_list("uid", "pk")
    return {str(uid): pk for uid, pk in found}
