"""Gathers signed readings from the database in the form that training data is made of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from django.db.models import Prefetch

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, StepRating, Vote
from deepmedix_review.reviews.selectors import signed_readings
from inference.prompts import template
from inference.regions import Box
from rl_feedback.readings import JudgedAnswer, JudgedCompletion, JudgedRegion, JudgedStep, SignedReading

_STEPS = Prefetch(
    "steps",
    queryset=ReasoningStep.objects.order_by("position").prefetch_related(
        Prefetch("regions", queryset=Region.objects.order_by("position"))
    ),
)
_VOTES: dict[str, Literal["a", "tie", "b", "both_bad"]] = {
    "a": "a",
    "tie": "tie",
    "b": "b",
    "both_bad": "both_bad",
}
_COMPLETIONS = Completion.objects.select_related("model_version").prefetch_related(_STEPS)


def readings_signed_by(moment: datetime) -> list[Reading]:
    """The readings that count, signed up to the moment, with everything that was judged, in a fixed number of
    queries."""
    return list(
        signed_readings()
        .filter(signed_at__lte=moment)
        .prefetch_related(
            Prefetch("completion_a", queryset=_COMPLETIONS),
            Prefetch("completion_b", queryset=_COMPLETIONS),
            "step_ratings",
            "region_annotations",
            "answer_ratings",
            "votes",
        )
        .order_by("pk")
    )


def as_judged(reading: Reading) -> SignedReading:
    """One reading as the learning library sees it: no reader, no model, no study."""
    ratings = {rating.step_id: rating for rating in reading.step_ratings.all()}
    annotations = {annotation.region_id: annotation for annotation in reading.region_annotations.all()}
    answers = {rating.completion_id: rating for rating in reading.answer_ratings.all()}

    def judged(completion: Completion) -> JudgedCompletion:
        return _judged_completion(completion, ratings, annotations, answers.get(completion.pk))

    vote = reading.vote_on(Vote.Kind.OVERALL)
    return SignedReading(
        uid=str(reading.uid),
        completion_a=judged(reading.completion_a),
        completion_b=judged(reading.completion_b) if reading.completion_b else None,
        vote=_VOTES[vote.side] if vote else None,
    )


def _judged_completion(
    completion: Completion,
    ratings: Mapping[int, StepRating],
    annotations: Mapping[int, RegionAnnotation],
    answer: AnswerRating | None,
) -> JudgedCompletion:
    version = completion.model_version
    return JudgedCompletion(
        uid=str(completion.uid),
        prompt=template(version.prompt_template).render(completion.query),
        text=completion.text,
        is_malformed=completion.is_malformed,
        image_size=(completion.image_width, completion.image_height),
        model_size=(completion.model_width, completion.model_height),
        box_frame=version.box_frame,
        steps=tuple(
            JudgedStep(
                uid=str(step.uid),
                plausibility=_plausibility(ratings.get(step.pk)),
                regions=tuple(
                    _judged_region(region, annotations.get(region.pk)) for region in step.regions.all()
                ),
            )
            for step in completion.steps.all()
        ),
        answer=JudgedAnswer(
            relevance=answer.relevance if answer else None,
            correctness=answer.correctness if answer else None,
            completeness=answer.completeness if answer else None,
        ),
    )


def _plausibility(rating: StepRating | None) -> int | None:
    return None if rating is None or rating.cannot_judge else rating.plausibility


def _judged_region(region: Region, annotation: RegionAnnotation | None) -> JudgedRegion:
    box = Box(region.x_min, region.y_min, region.x_max, region.y_max)
    if annotation is None:
        return JudgedRegion(box, None)
    match annotation.verdict:
        case RegionAnnotation.Verdict.FITS:
            return JudgedRegion(box, "fits")
        case RegionAnnotation.Verdict.WRONG:
            return JudgedRegion(box, "wrong")
    x_min, y_min, x_max, y_max = annotation.x_min, annotation.y_min, annotation.x_max, annotation.y_max
    if x_min is None or y_min is None or x_max is None or y_max is None:
        raise ValueError(f"Region annotation {annotation.uid} is adjusted but has no box.")
    return JudgedRegion(box, "adjusted", Box(x_min, y_min, x_max, y_max))
