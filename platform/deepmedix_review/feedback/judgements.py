"""Gathers signed readings from the database in the form that training data is made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db.models import Prefetch, Q, QuerySet

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.criteria.doubts import IS_THERE
from deepmedix_review.reviews.models import (
    AnswerRating,
    Case,
    CriterionRating,
    DrawnRegion,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.selectors import signed_anchors, signed_readings
from inference.prompts import template
from inference.regions import Box
from rl_feedback.readings import (
    FindingWord,
    JudgedAnswer,
    JudgedCompletion,
    JudgedRegion,
    JudgedStep,
    MissedFinding,
    SignedReading,
)

_STEPS = Prefetch(
    "steps",
    queryset=ReasoningStep.objects.order_by("position").prefetch_related(
        Prefetch("regions", queryset=Region.objects.order_by("position"))
    ),
)
_DOUBTS = CriterionRating.objects.exclude(criterion__finding="").select_related("criterion")
_VOTES: dict[str, Literal["a", "tie", "b", "both_bad"]] = {
    "a": "a",
    "tie": "tie",
    "b": "b",
    "both_bad": "both_bad",
}
_KINDS: dict[str, Literal["first", "repeat", "adjudication"]] = {
    "first": "first",
    "repeat": "repeat",
    "adjudication": "adjudication",
}
_ROLES: dict[str, Literal["data", "training", "calibration", "control"]] = {
    "data": "data",
    "training": "training",
    "calibration": "calibration",
    "control": "control",
}


def readings_signed_by(moment: datetime, *, only: Q | None = None) -> list[Reading]:
    """The readings that count, signed up to the moment, with everything that was judged, in a fixed number of
    queries."""
    return list(_whole(signed_readings().filter(only or Q()), moment, Completion.objects.all()))


def anchors_signed_by(moment: datetime, *, only: Q | None = None) -> list[Reading]:
    """Hidden repeats and controls, signed up to the moment, with everything that was judged."""
    return list(_whole(signed_anchors().filter(only or Q()), moment, Completion.with_altered.all()))


def as_judged(reading: Reading) -> SignedReading:
    """One reading as the learning library sees it: readers and patients by their pseudonyms."""
    said = _Said.of(reading)
    assignment, vote = reading.assignment, reading.vote_on(Vote.Kind.OVERALL)
    return SignedReading(
        uid=str(reading.uid),
        reader=assignment.reader.pseudonym,
        patient=assignment.case.study.patient_pseudonym,
        completion_a=_judged_completion(reading.completion_a, said),
        completion_b=_judged_completion(reading.completion_b, said) if reading.completion_b else None,
        vote=_VOTES[vote.side] if vote else None,
        kind=_KINDS[assignment.kind],
        role=_ROLES[assignment.case.role],
        findings=_findings(reading),
    )


def _findings(reading: Reading) -> tuple[FindingWord, ...]:
    """Of a judge who was asked outright."""
    said = {one.criterion.finding: IS_THERE[one.value] for one in reading.criterion_ratings.all()}
    return tuple(FindingWord(finding, is_there) for finding, is_there in sorted(said.items()))


def _whole(
    readings: QuerySet[Reading], moment: datetime, completions: QuerySet[Completion]
) -> QuerySet[Reading]:
    shown = completions.select_related("model_version").prefetch_related(_STEPS)
    return (
        readings.filter(signed_at__lte=moment)
        .select_related("assignment__reader", "assignment__case__study")
        .prefetch_related(
            Prefetch("completion_a", queryset=shown),
            Prefetch("completion_b", queryset=shown),
            "step_ratings",
            "region_annotations",
            "answer_ratings",
            "missed_findings__regions",
            "drawn_regions",
            "votes",
            Prefetch("criterion_ratings", queryset=_DOUBTS),
        )
        .order_by("pk")
    )


@dataclass(frozen=True)
class _Said:
    """What a reader said, by what it was said of; `wrong` are regions that a control made wrong."""

    steps: Mapping[int, StepRating]
    regions: Mapping[int, RegionAnnotation]
    answers: Mapping[int, AnswerRating]
    drawn: Mapping[int, Sequence[DrawnRegion]] = field(default_factory=dict)
    missed: Mapping[int, Sequence[MissedFinding]] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()

    @classmethod
    def of(cls, reading: Reading) -> "_Said":
        drawn: dict[int, list[DrawnRegion]] = defaultdict(list)
        for region in sorted(reading.drawn_regions.all(), key=lambda region: region.pk):
            if region.step_id is not None:
                drawn[region.step_id].append(region)
        missed: dict[int, list[MissedFinding]] = defaultdict(list)
        for finding in sorted(reading.missed_findings.all(), key=lambda finding: finding.pk):
            boxes = _boxes(sorted(finding.regions.all(), key=lambda region: region.pk))
            missed[finding.completion_id].append(MissedFinding(finding.text, boxes))
        return cls(
            steps={rating.step_id: rating for rating in reading.step_ratings.all()},
            regions={annotation.region_id: annotation for annotation in reading.region_annotations.all()},
            answers={rating.completion_id: rating for rating in reading.answer_ratings.all()},
            drawn=drawn,
            missed=missed,
            wrong=_regions_made_wrong(reading.assignment.case),
        )


def _regions_made_wrong(case: Case) -> frozenset[str]:
    """By uid. A foreign sentence may be true of this case by chance, so it tells nothing for certain."""
    known = case.known_answer if case.role == Case.Role.CONTROL else None
    return frozenset(
        what["region"]
        for what in (known or {}).get("alterations", [])
        if what["alteration"] == Completion.Alteration.WRONG_REGION
    )


def asked(completion: Completion) -> str:
    """What the model was asked, without the chat that its engine put around it."""
    return template(completion.model_version.prompt_template).render(completion.query)


def _judged_completion(completion: Completion, said: _Said) -> JudgedCompletion:
    version, answer = completion.model_version, said.answers.get(completion.pk)
    return JudgedCompletion(
        uid=str(completion.uid),
        prompt=asked(completion),
        text=completion.text,
        is_malformed=completion.is_malformed,
        image_size=(completion.image_width, completion.image_height),
        model_size=(completion.model_width, completion.model_height),
        box_frame=version.box_frame,
        steps=tuple(_judged_step(step, said) for step in completion.steps.all()),
        answer=JudgedAnswer(
            relevance=answer.relevance if answer else None,
            correctness=answer.correctness if answer else None,
            completeness=answer.completeness if answer else None,
            rewrite=answer.rewrite if answer else "",
        ),
        missed=tuple(said.missed.get(completion.pk, ())),
        is_altered=bool(completion.alteration),
        model=str(version),
    )


def _judged_step(step: ReasoningStep, said: _Said) -> JudgedStep:
    rating = said.steps.get(step.pk)
    return JudgedStep(
        uid=str(step.uid),
        plausibility=None if rating is None or rating.cannot_judge else rating.plausibility,
        regions=tuple(_judged_region(region, said) for region in step.regions.all()),
        edited_text=rating.edited_text if rating else "",
        drawn=_boxes(said.drawn.get(step.pk, ())),
    )


def _judged_region(region: Region, said: _Said) -> JudgedRegion:
    box = Box(region.x_min, region.y_min, region.x_max, region.y_max)
    known: Literal["wrong"] | None = "wrong" if str(region.uid) in said.wrong else None
    annotation = said.regions.get(region.pk)
    if annotation is None:
        return JudgedRegion(box, None, known=known)
    match annotation.verdict:
        case RegionAnnotation.Verdict.FITS:
            return JudgedRegion(box, "fits", known=known)
        case RegionAnnotation.Verdict.WRONG:
            return JudgedRegion(box, "wrong", known=known)
    x_min, y_min, x_max, y_max = annotation.x_min, annotation.y_min, annotation.x_max, annotation.y_max
    if x_min is None or y_min is None or x_max is None or y_max is None:
        raise ValueError(f"Region annotation {annotation.uid} is adjusted but has no box.")
    return JudgedRegion(box, "adjusted", Box(x_min, y_min, x_max, y_max), known=known)


def _boxes(regions: Iterable[DrawnRegion]) -> tuple[Box, ...]:
    return tuple(Box(region.x_min, region.y_min, region.x_max, region.y_max) for region in regions)
