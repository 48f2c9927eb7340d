"""Cases and readings for tests of training data: a film, what was said of it, and readers' words."""

from dataclasses import replace
from typing import Any

from inference.grounding import format_completion, parse_completion
from inference.regions import Box, to_image_px
from rl_feedback.readings import JudgedAnswer, JudgedCompletion, JudgedRegion, JudgedStep, SignedReading

FILM = (2000, 3000)
MODEL = (112, 112)
TEXT = (
    "<think> The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [10, 10, 50, 90] and "
    "[60, 10, 100, 90] </think> The answer is: \\boxed{no acute finding}"
)
OTHER = TEXT.replace("no acute finding", "cardiomegaly")
PROMPT = "Write the findings."


def on_film(box: tuple[float, float, float, float]) -> Box:
    return to_image_px(box, frame="processed", model_size=MODEL, image_size=FILM)


def completion(uid: str, text: str = TEXT, *, rating: int | None = 3, **changes: Any) -> JudgedCompletion:
    """A completion whose every region fits, every step and answer rated alike."""
    steps = tuple(
        JudgedStep(f"{uid}-{n}", rating, tuple(JudgedRegion(on_film(box), "fits") for box in step.boxes))
        for n, step in enumerate(parse_completion(text).steps, 1)
    )
    made = JudgedCompletion(
        uid=uid,
        prompt=PROMPT,
        text=text,
        is_malformed=False,
        image_size=FILM,
        model_size=MODEL,
        box_frame="processed",
        steps=steps,
        answer=JudgedAnswer(rating, rating, rating),
    )
    return replace(made, **changes)


def saying(uid: str, *steps: str, answer: str = "no acute finding", **changes: Any) -> JudgedCompletion:
    return completion(uid, format_completion(steps, answer), **changes)


def judged(
    made: JudgedCompletion, step: int, region: int, verdict: Any, box: Box | None = None
) -> JudgedCompletion:
    """The same completion with another verdict on one region."""
    steps = list(made.steps)
    regions = list(steps[step].regions)
    regions[region] = replace(regions[region], verdict=verdict, adjusted=box)
    steps[step] = replace(steps[step], regions=tuple(regions))
    return replace(made, steps=tuple(steps))


def of_step(made: JudgedCompletion, step: int, **changes: Any) -> JudgedCompletion:
    """The same completion with other words of its reader on one step."""
    steps = list(made.steps)
    steps[step] = replace(steps[step], **changes)
    return replace(made, steps=tuple(steps))


def reading(
    uid: str,
    a: JudgedCompletion,
    b: JudgedCompletion | None = None,
    vote: Any = None,
    *,
    reader: str = "Ann",
    patient: str = "P-1",
    **changes: Any,
) -> SignedReading:
    return SignedReading(
        uid=uid, reader=reader, patient=patient, completion_a=a, completion_b=b, vote=vote, **changes
    )


def readings(*made: Any, **changes: Any) -> list[SignedReading]:
    """One reading a reader, Ann, Bob and so on, of the same case: completions, or (a, b, vote)."""
    names = ("Ann", "Bob", "Cem", "Dan", "Eve", "Fay")
    return [
        reading(f"r{n}", *(one if isinstance(one, tuple) else (one,)), reader=names[n], **changes)
        for n, one in enumerate(made)
    ]
