"""Readings of one output of a sealed patient, in a few words."""

from collections.abc import Mapping, Sequence

from inference.grounding import parse_completion
from inference.regions import Box
from rl_feedback.readings import (
    JudgedAnswer,
    JudgedCompletion,
    JudgedRegion,
    JudgedStep,
    MissedFinding,
    SignedReading,
)

PROMPT = "Report."
SIZE = (112, 112)
TEXT = (
    "<think> A left effusion with [60, 60, 100, 100]; A right nodule with [10, 10, 30, 30]; "
    "No pneumothorax </think> The answer is: \\boxed{left effusion, right nodule}"
)


def reading(
    verdicts: Sequence[str],
    *,
    reader: str = "R1",
    text: str = TEXT,
    uid: str = "c1",
    edited: Mapping[int, str] | None = None,
    moved: Box | None = None,
    plausible: Mapping[int, int] | None = None,
    answer: JudgedAnswer | None = None,
    missed: Sequence[MissedFinding] = (),
    kind: str = "first",
    patient: str = "P1",
) -> SignedReading:
    """`verdicts` are of the text's regions in their order; "adjusted" ones are put at `moved`."""
    given = iter(verdicts)
    steps = []
    for place, step in enumerate(parse_completion(text).steps):
        regions = []
        for box in step.boxes:
            verdict = next(given)
            regions.append(JudgedRegion(box, verdict or None, moved if verdict == "adjusted" else None))  # type: ignore[arg-type]
        steps.append(
            JudgedStep(
                f"{uid} step {place}",
                (plausible or {}).get(place),
                tuple(regions),
                (edited or {}).get(place, ""),
            )
        )
    completion = JudgedCompletion(
        uid=uid,
        prompt=PROMPT,
        text=text,
        is_malformed=False,
        image_size=SIZE,
        model_size=SIZE,
        box_frame="processed",
        steps=tuple(steps),
        answer=answer or JudgedAnswer(),
        missed=tuple(missed),
    )
    return SignedReading(f"{reader} {uid} {kind}", reader, patient, completion, kind=kind)  # type: ignore[arg-type]
