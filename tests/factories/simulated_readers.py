"""Simulated readers, who rate by a known truth and a known carelessness, to hold statistics against."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import Completion, ReasoningStep
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    Case,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.study_services import create_reader_study
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import completed_study

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass(frozen=True)
class SimulatedReader:
    """`noise` is the chance that a rating is drawn at random, `lenience` is added to it, `favours_a` the
    chance to vote A without looking."""

    user: User
    noise: float = 0.2
    lenience: float = 0.0
    favours_a: float = 0.0


def simulated_reader_study(
    *,
    num_cases: int,
    readers: Sequence[SimulatedReader],
    seed: int = 1,
    design: ReaderStudyDesign | None = None,
) -> ReaderStudy:
    """A reader study whose every reading is signed by its simulated reader."""
    study = create_reader_study(
        title="Simulated readers",
        studies=[completed_study() for _ in range(num_cases)],
        readers=[reader.user for reader in readers],
        actor=None,
        seed=seed,
        design=design,
    )
    by_user = {reader.user.pk: reader for reader in readers}
    rng = random.Random(seed)
    truth: dict[int, int] = {}
    readings = Reading.objects.filter(assignment__case__reader_study=study).select_related("assignment__case")
    for place, reading in enumerate(readings.order_by("assignment__position", "assignment__reader")):
        _read(reading, by_user[reading.assignment.reader_id], truth, rng, minutes=place * 7)
    return study


def eight_readers() -> list[SimulatedReader]:
    return [
        SimulatedReader(
            ExpertFactory.create(),
            noise=0.1 + 0.05 * n,
            lenience=0.2 * (n - 3.5) / 3.5,
            favours_a=0.1 * (n == 7),
        )
        for n in range(8)
    ]


def _read(
    reading: Reading, reader: SimulatedReader, truth: dict[int, int], rng: random.Random, *, minutes: int
) -> None:
    pks = [pk for pk in (reading.completion_a_id, reading.completion_b_id) if pk]
    completions = list(Completion.with_altered.filter(pk__in=pks))
    altered = {
        what["step"]
        for what in (reading.assignment.case.known_answer or {}).get("alterations", [])
        if reading.assignment.case.role == Case.Role.CONTROL
    }

    def points(key: int) -> int:
        said = rng.randint(1, 5) if rng.random() < reader.noise else truth.setdefault(key, rng.randint(1, 5))
        return min(5, max(1, round(said + reader.lenience)))

    steps = list(ReasoningStep.objects.filter(completion__in=completions).prefetch_related("regions"))
    StepRating.objects.bulk_create(
        StepRating(
            reading=reading,
            step=step,
            plausibility=1 if str(step.uid) in altered and rng.random() > reader.noise else points(step.pk),
        )
        for step in steps
    )
    annotations = []
    for step in steps:
        for region in step.regions.all():
            draw = rng.random()
            verdict = "fits" if draw > 0.35 else "adjusted" if draw > 0.1 else "wrong"
            edges = (region.x_min, region.y_min, region.x_max, region.y_max)
            moved = (
                tuple(edge + rng.uniform(-12, 12) for edge in edges) if verdict == "adjusted" else (None,) * 4
            )
            annotations.append(
                RegionAnnotation(
                    reading=reading,
                    region=region,
                    verdict=verdict,
                    x_min=moved[0],
                    y_min=moved[1],
                    x_max=moved[2],
                    y_max=moved[3],
                )
            )
    RegionAnnotation.objects.bulk_create(annotations)
    AnswerRating.objects.bulk_create(
        AnswerRating(
            reading=reading,
            completion=completion,
            relevance=points(-completion.pk),
            correctness=points(-completion.pk),
            completeness=points(-completion.pk),
            harm=rng.choice(AnswerRating.Harm.values),
        )
        for completion in completions
    )
    if len(completions) == 2:
        for kind in Vote.Kind:
            side = "a" if rng.random() < reader.favours_a else rng.choice(Vote.Side.values)
            Vote.objects.create(reading=reading, kind=kind, side=side)
    slow = max(20, round(rng.gauss(95, 20) - minutes / 60))
    signed_at = BEGAN + timedelta(minutes=minutes)
    Reading.objects.filter(pk=reading.pk).update(
        opened_at=signed_at, signed_at=signed_at, active_seconds=slow
    )


def assignments_of(study: ReaderStudy, kind: Assignment.Kind) -> int:
    return Assignment.objects.filter(case__reader_study=study, kind=kind).count()
