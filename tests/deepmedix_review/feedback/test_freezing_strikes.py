"""A finding that one reader struck out and likely overlooked is not taught, and another reader is asked."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.conduct.disputes import disputes_of
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
)
from deepmedix_review.reviews.reading.changes import RateCriterion
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Split
from tests.factories.accounts import ExpertFactory
from tests.factories.learning import patient_on, said
from tests.factories.reviews import change
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db
TEXT = (
    "<think> The heart size is normal with [30, 50, 80, 90]; There is a left effusion with [60, 70, 100, 90] "
    "</think> The answer is: \\boxed{left effusion}"
)


def a_study_of_effusions(model: ModelVersion, *, adjudication: str) -> ReaderStudy:
    """Eight films on which the model names an effusion, each read by one of two readers; of one film the
    reader strikes it out."""
    films = [
        InstanceFactory.create(series__study__patient_pseudonym=patient_on(Split.TRAIN)) for _ in range(8)
    ]
    for instance in films:
        said(instance, TEXT, model_version=model)
    study = create_reader_study(
        title="Effusions",
        studies=[instance.study for instance in films],
        readers=[ExpertFactory.create() for _ in range(2)],
        actor=None,
        seed=1,
        design=ReaderStudyDesign(design="k_readers", readers_per_case=1, shows="one"),
    )
    study.adjudication = adjudication
    study.save()
    for number, reading in enumerate(Reading.objects.filter(assignment__case__reader_study=study)):
        _look_over(reading, strikes=not number)
    return study


def _look_over(reading: Reading, *, strikes: bool) -> None:
    completion = reading.completion_a
    for step in completion.steps.all():
        goes = strikes and "effusion" in step.text
        StepRating.objects.create(reading=reading, step=step, plausibility=1 if goes else 5)
        for region in step.regions.all():
            verdict = RegionAnnotation.Verdict.WRONG if goes else RegionAnnotation.Verdict.FITS
            RegionAnnotation.objects.create(reading=reading, region=region, verdict=verdict)
    AnswerRating.objects.create(
        reading=reading,
        completion=completion,
        correctness=1 if strikes else 5,
        rewrite="no acute finding" if strikes else "",
    )
    Reading.objects.filter(pk=reading.pk).update(opened_at=timezone.now(), signed_at=timezone.now())


def test_a_strike_in_doubt_is_not_taught_and_the_other_reader_is_asked(
    model: ModelVersion, researcher: User
) -> None:
    study = a_study_of_effusions(model, adjudication="third_reader")
    dataset = freeze_dataset(title="Effusions", actor=researcher)
    (doubt,) = [row for row in dataset.disputes if row["criterion"] == "finding"]
    assert doubt["reason"].startswith("Pleural Effusion: struck out")
    struck = Reading.objects.get(uid=doubt["readings"][0])
    assert not dataset.pairs.exists()
    assert not dataset.labels.filter(completion=struck.completion_a).exists()
    assert dataset.labels.exists()
    asked = Assignment.objects.get(kind=Assignment.Kind.ADJUDICATION)
    assert asked.case == struck.assignment.case
    assert asked.reader != struck.assignment.reader
    told = dataset.readers["struck"]
    assert (told["num_doubtful"], told["num_given"], told["num_words"]) == (1, 1, 8)
    assert [(row["model"], row["kind"], row["num_struck"]) for row in told["kinds"]] == [
        (str(model), "Pleural Effusion", 1)
    ]
    (row,) = disputes_of(study, shows_reasons=True)
    assert row.adjudicator == asked.reader
    assert "another look was asked for" in row.reasons[0]
    assert row.reasons[1] == "Asked outright, whether it is there: Pleural Effusion."
    event = AuditEvent.objects.get(action="freeze_dataset")
    assert event.details["num_given_to_adjudication"] == 1
    freeze_dataset(title="Again", actor=researcher)
    assert Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).count() == 1


@pytest.mark.parametrize(("value", "is_taught"), [("yes", False), ("no", True), ("cannot_tell", False)])
def test_what_the_judge_answers_decides(
    value: str, is_taught: bool, model: ModelVersion, researcher: User
) -> None:
    a_study_of_effusions(model, adjudication="third_reader")
    freeze_dataset(title="Effusions", actor=researcher)
    judging = Reading.objects.get(assignment__kind=Assignment.Kind.ADJUDICATION)
    Reading.objects.filter(pk=judging.pk).update(opened_at=timezone.now())
    doubt = judging.assignment.doubts.get()
    missing = change(judging, RateCriterion(doubt.uid, None, None, None, value))
    assert not any("Pleural Effusion" in sentence for sentence in missing)
    # What else a judge is asked says nothing here, so that the answer alone decides.
    Reading.objects.filter(pk=judging.pk).update(signed_at=timezone.now())
    dataset = freeze_dataset(title="Settled", actor=researcher)
    assert not [row for row in dataset.disputes if row["criterion"] == "finding"]
    rewritten = dataset.pairs.filter(origin="rewrite", completion=judging.completion_a)
    assert rewritten.exists() is is_taught
    if is_taught:
        assert "no acute finding" in rewritten[0].chosen
        assert judging.pk in rewritten[0].readings
    left_out = {row["reason"]: row["readings"] for row in dataset.left_out if "readings" in row}
    untold = [readings for reason, readings in left_out.items() if "its judge can't tell" in reason]
    assert [str(judging.uid) in readings for readings in untold] == [True] * (value == "cannot_tell")
    assert dataset.readers["struck"]["num_untold"] == (value == "cannot_tell")
    assert dataset.readings.filter(reading=judging).exists()


def test_the_page_and_the_card_tell_kinds_oversight_and_what_was_left_out(
    model: ModelVersion, researcher: User
) -> None:
    a_study_of_effusions(model, adjudication="off")
    dataset = freeze_dataset(title="Effusions", actor=researcher)
    assert not Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).exists()
    client = Client()
    client.force_login(researcher)
    page = client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    for words in (
        "What readers struck out, and how much of it was made up",
        "of what is there is struck out by oversight",
        "No finding was looked at twice",
        "1 finding of 1 case was struck out but less than 80% sure to be made up",
        "None of the cases were given to another reader",
        "It rests on what was likely overlooked: Pleural Effusion.",
    ):
        assert words in page, words
    card = json.loads(client.get(reverse("dataset-card-json", args=[dataset.uid])).content)
    assert [(row["kind"], row["words"], row["struck out"]) for row in card["struck_out"]] == [
        ("Pleural Effusion", 8, 1)
    ]
    markdown = client.get(reverse("dataset-card", args=[dataset.uid])).content.decode()
    assert "## What readers overlook" in markdown
    assert "Readers strike out" in markdown
