"""Words of several readers become one row each, readers are measured, and nothing but data gets in."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.judgements import anchors_signed_by, as_judged
from deepmedix_review.feedback.models import DatasetReading, ExpertRegion, PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.models import Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    Vote,
)
from deepmedix_review.reviews.reading.changes import AddFinding, AnnotateRegion, DrawRegion, RateStep
from deepmedix_review.studies.collecting.split import Shares, side_of
from inference.regions import Box
from rl_feedback.preferences import ExpertRegion as ExpertRegionRow
from rl_feedback.preferences import Label, NotTrainingData, Pair, gather_preferences
from rl_feedback.preferences.rows import lines_of
from rl_feedback.training.examples import TaughtText
from tests.factories.accounts import ExpertFactory
from tests.factories.learning import (
    an_open_reading_to_learn_from,
)
from tests.factories.reviews import change, complete, sign

pytestmark = pytest.mark.django_db


def rows_of(dataset: PreferenceDataset) -> tuple[Any, Any, Any]:
    return dataset.pairs.all(), dataset.labels.all(), dataset.regions.all()


def test_rows_rest_on_the_readings_of_all_their_readers(dataset: PreferenceDataset) -> None:
    votes = list(dataset.pairs.filter(origin="vote"))
    assert votes
    for pair in votes:
        behind = Reading.objects.filter(pk__in=pair.readings)
        assert behind.count() == pair.num_readers == 3
        assert {reading.assignment.case.study for reading in behind} == {pair.completion.study}
    label = dataset.labels.filter(criterion="correctness").earliest("position")
    assert (label.num_readers, label.variance is not None) == (3, True)
    assert dataset.regions.filter(num_readers__gt=1).exists()


def test_repeats_and_controls_measure_readers_and_are_in_no_row(
    study: ReaderStudy, dataset: PreferenceDataset
) -> None:
    readings = Reading.objects.filter(assignment__case__reader_study=study)
    data = readings.filter(
        assignment__kind=Assignment.Kind.FIRST, assignment__case__role=Case.Role.DATA
    ).values_list("pk", flat=True)
    assert set(dataset.readings.values_list("reading", flat=True)) == set(data)
    assert readings.count() > len(data)
    named = {key for rows in rows_of(dataset) for row in rows for key in row.readings}
    assert named <= set(data)
    num_controls = readings.filter(assignment__case__role=Case.Role.CONTROL).count()
    num_repeats = readings.filter(assignment__kind=Assignment.Kind.REPEAT).count()
    assert dataset.readers["no_data"] == {"hidden repeats": num_repeats, "of control cases": num_controls}
    assert {row.completion.alteration for rows in rows_of(dataset) for row in rows} == {""}
    told = dataset.readers
    assert sum(reader["num_repeated"] for reader in told["ratings"]["plausibility"]["readers"]) > 0
    assert all(reader["consistency"] is not None for reader in told["ratings"]["plausibility"]["readers"])
    assert {row["criterion"] for row in told["agreement"]} >= {"plausibility", "region verdict", "vote"}


def test_the_library_refuses_what_the_selector_leaves_out(
    study: ReaderStudy, dataset: PreferenceDataset
) -> None:
    anchors = [as_judged(reading) for reading in anchors_signed_by(dataset.as_of)]
    assert {(one.kind, one.role) for one in anchors} >= {("repeat", "data"), ("first", "control")}
    shown = [completion for one in anchors for completion in one.completions]
    assert any(region.known for one in shown for step in one.steps for region in step.regions)
    for anchor in anchors:
        with pytest.raises(NotTrainingData, match=anchor.uid):
            gather_preferences([anchor])


def test_what_readers_contradict_each_other_on_is_listed_with_its_readings(
    dataset: PreferenceDataset, study: ReaderStudy
) -> None:
    assert dataset.disputes
    known = set(Reading.objects.filter(assignment__case__reader_study=study).values_list("uid", flat=True))
    for row in dataset.disputes:
        assert "contradict each other" in row["reason"]
        assert {str(uid) for uid in known} >= set(row["readings"])
    disputed = {(row["step"] or row["completion"], row["criterion"]) for row in dataset.disputes}
    labelled = {
        (str(row.step.uid if row.step else row.completion.uid), row.criterion)
        for row in dataset.labels.select_related("step", "completion")
    }
    assert not disputed & labelled


def test_each_patient_is_on_the_side_of_every_collection(
    dataset: PreferenceDataset,
) -> None:
    sides: dict[str, set[str]] = {}
    for rows in rows_of(dataset):
        for patient, split in rows.values_list("completion__study__patient_pseudonym", "split"):
            sides.setdefault(patient, set()).add(split)
    assert {len(own) for own in sides.values()} == {1}
    assert all(own == {side_of(patient, shares=Shares())} for patient, own in sides.items())
    assert {"train"} < {split for own in sides.values() for split in own}


def test_wordings_missed_findings_and_drawn_regions_are_learned_from(
    model: ModelVersion, researcher: User
) -> None:
    reading = an_open_reading_to_learn_from(model)
    complete(reading)
    step = reading.completion_a.steps.get(position=1)
    change(reading, RateStep(step.uid, 2, False, "", "The heart is a little large"))
    finding = uuid.uuid4()
    change(reading, AddFinding(finding, reading.completion_a.uid, "A rib is broken"))
    change(reading, DrawRegion(uuid.uuid4(), None, finding, None, Box(20, 30, 60, 70)))
    sign(reading)
    dataset = freeze_dataset(title="Words", actor=researcher)
    whole = dataset.pairs.get(origin="rewrite")
    assert "A rib is broken with [10, 15, 30, 35]" in whole.chosen
    assert "The heart is a little large with [" in whole.chosen
    one_step = dataset.pairs.get(origin="step", completion=reading.completion_a)
    assert (one_step.step, one_step.prefix) == (step, "<think> ")
    missed = dataset.regions.get(step=None)
    assert (missed.text, missed.x_min, missed.num_readers) == ("a rib is broken", 20, 1)


def test_where_regions_alone_were_judged_what_fits_is_followed_beside_what_was_moved(
    model: ModelVersion, researcher: User
) -> None:
    reading = an_open_reading_to_learn_from(model)
    for region in Region.objects.filter(step__completion__in=(reading.completion_a, reading.completion_b)):
        change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.FITS, None))
    moved = Region.objects.filter(step__completion=reading.completion_b).earliest("pk")
    change(reading, AnnotateRegion(moved.uid, RegionAnnotation.Verdict.ADJUSTED, Box(20, 30, 60, 70)))
    Reading.objects.filter(pk=reading.pk).update(signed_at=timezone.now())
    texts = examples_of(freeze_dataset(title="Regions", actor=researcher), parent=model).by_kind[TaughtText]
    followed = {one.origin: one.text for one in texts if isinstance(one, TaughtText)}
    assert followed.keys() == {"kept", "region"}
    assert followed["kept"] == reading.completion_a.text


def test_the_adjudicators_word_stands(model: ModelVersion, researcher: User) -> None:
    first = an_open_reading_to_learn_from(model)
    case = first.assignment.case
    complete(first, side=Vote.Side.A)
    sign(first)
    for kind in (Assignment.Kind.FIRST, Assignment.Kind.ADJUDICATION):
        assignment = Assignment.objects.create(
            case=case, reader=ExpertFactory.create(), kind=kind, position=9
        )
        last = Reading.objects.create(
            assignment=assignment, completion_a=first.completion_a, completion_b=first.completion_b
        )
        Vote.objects.create(reading=last, side=Vote.Side.B, kind=Vote.Kind.OVERALL)
        Reading.objects.filter(pk=last.pk).update(opened_at=first.signed_at, signed_at=first.signed_at)
    dataset = freeze_dataset(title="Settled", actor=researcher)
    pair = dataset.pairs.get(origin="vote")
    assert pair.completion == first.completion_b
    assert (pair.readings, pair.num_effective_readers) == ([last.pk], 4)


def stored_lines(dataset: PreferenceDataset) -> Iterator[str]:
    """The canonical lines, from nothing but the rows in the database."""
    uids = {pk: str(uid) for pk, uid in Reading.objects.values_list("pk", "uid")}

    def common(row: Any) -> dict[str, Any]:
        return {
            "completion": str(row.completion.uid),
            "step": str(row.step.uid) if row.step else None,
            "num_readers": row.num_readers,
            "split": row.split,
            "readings": tuple(sorted(uids[pk] for pk in row.readings)),
        }

    pairs = [
        Pair(
            origin=row.origin,  # type: ignore[arg-type]
            rejected_completion=str(row.rejected_completion.uid) if row.rejected_completion else "",
            prompt=row.prompt,
            prefix=row.prefix,
            chosen=row.chosen,
            rejected=row.rejected,
            weight=row.weight,
            probability=row.probability,
            variance=row.variance or 0.0,
            num_effective_readers=row.num_effective_readers,
            **common(row),
        )
        for row in dataset.pairs.all()
    ]
    labels = [
        Label(
            criterion=row.criterion,
            value=row.value,
            variance=row.variance or 0.0,
            num_effective_readers=row.num_effective_readers,
            **common(row),
        )
        for row in dataset.labels.all()
    ]
    regions = [
        ExpertRegionRow(
            text=row.text,
            box=Box(row.x_min, row.y_min, row.x_max, row.y_max),
            tolerance=Box(*row.tolerance) if row.tolerance else None,
            is_models_own=row.is_models_own,
            **common(row),
        )
        for row in dataset.regions.all()
    ]
    yield from lines_of({"pair": pairs, "label": labels, "region": regions})


def test_the_stored_rows_give_the_sha256_that_the_set_is_known_by(dataset: PreferenceDataset) -> None:
    digest = hashlib.sha256("".join(f"{line}\n" for line in stored_lines(dataset)).encode()).hexdigest()
    assert digest == dataset.sha256


def test_freezing_again_gives_the_same_sha256(dataset: PreferenceDataset, researcher: User) -> None:
    assert freeze_dataset(title="Again", actor=researcher).sha256 == dataset.sha256


def test_readings_and_regions_of_a_set_are_closed_too(dataset: PreferenceDataset) -> None:
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    region, reading = dataset.regions.earliest("position"), dataset.readings.earliest("position")
    late = {f.attname: getattr(region, f.attname) for f in ExpertRegion._meta.fields if f.name != "id"}
    for refused in (
        lambda: ExpertRegion.objects.filter(pk=region.pk).update(x_min=0),
        lambda: ExpertRegion.objects.filter(pk=region.pk).delete(),
        lambda: ExpertRegion.objects.create(**{**late, "position": dataset.num_regions + 1}),
        lambda: DatasetReading.objects.filter(pk=reading.pk).update(split="test"),
        lambda: DatasetReading.objects.filter(dataset=dataset).delete(),
        lambda: DatasetReading.objects.create(
            dataset=dataset, reading=reading.reading, split="train", position=dataset.num_readings + 1
        ),
        lambda: connection.cursor().execute("TRUNCATE feedback_expertregion"),
    ):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            refused()


def test_what_a_set_keeps_of_readers_and_disputes_is_plain_json(dataset: PreferenceDataset) -> None:
    dataset.refresh_from_db()
    told = json.dumps([dataset.readers, dataset.disputes, dataset.left_out], allow_nan=False)
    assert "typical_discrimination" in told
