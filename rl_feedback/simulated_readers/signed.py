"""A SIMULATED reader's words as signed readings, in the form that training data is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference.grounding import parse_completion
from inference.regions import Box, Frame, to_image_px
from rl_feedback.readings import (
    JudgedAnswer,
    JudgedCompletion,
    JudgedRegion,
    JudgedStep,
    MissedFinding,
    SignedReading,
)
from rl_feedback.simulated_readers.reading import (
    SIDE_PX,
    SaidOfCompletion,
    SaidOfRegion,
    SaidOfStep,
    SimulatedReading,
)

_MODEL = (SIDE_PX, SIDE_PX)


def as_signed_reading(
    reading: SimulatedReading,
    *,
    uid: str,
    patient: str,
    prompt: str,
    texts: Sequence[str],
    film: str,
    film_side_px: int,
    model: str = "",
) -> SignedReading:
    """The reading of a square film; completion n of the case is called `patient`-n, and `model` wrote it."""
    both = [
        replace(
            _judged(said, text, uid=f"{patient}-{number}", prompt=prompt, side_px=film_side_px), model=model
        )
        for number, (said, text) in enumerate(zip(reading.completions, texts, strict=True))
    ]
    return SignedReading(
        uid=uid,
        reader=reading.reader.name,
        patient=patient,
        completion_a=both[0],
        completion_b=both[1] if len(both) > 1 else None,
        vote=reading.vote.overall if reading.vote else None,
        film=film,
    )


def _judged(said: SaidOfCompletion, text: str, *, uid: str, prompt: str, side_px: int) -> JudgedCompletion:
    parsed = parse_completion(text)
    image = (side_px, side_px)

    def on_film(box: Box) -> Box:
        return to_image_px(box, frame=Frame.PROCESSED, model_size=_MODEL, image_size=image)

    def step(number: int, words: SaidOfStep, boxes: Sequence[Box]) -> JudgedStep:
        # Where regions are not asked for, nothing is said of them.
        said_of: Sequence[SaidOfRegion | None] = words.regions or [None] * len(boxes)
        regions = tuple(
            JudgedRegion(on_film(box), one.verdict, on_film(one.box) if one.box else None)
            if one
            else JudgedRegion(on_film(box), None)
            for box, one in zip(boxes, said_of, strict=True)
        )
        drawn = tuple(map(on_film, words.drawn))
        return JudgedStep(f"{uid}-{number}", words.plausibility, regions, words.edited_text, drawn)

    return JudgedCompletion(
        uid=uid,
        prompt=prompt,
        text=text,
        is_malformed=bool(parsed.problems),
        image_size=image,
        model_size=_MODEL,
        box_frame=str(Frame.PROCESSED),
        steps=tuple(
            step(number, words, written.boxes)
            for number, (words, written) in enumerate(zip(said.steps, parsed.steps, strict=True), 1)
        ),
        answer=JudgedAnswer(said.relevance, said.correctness, said.completeness, said.rewrite),
        missed=tuple(MissedFinding(words, (on_film(box),)) for words, box in said.missed),
    )
