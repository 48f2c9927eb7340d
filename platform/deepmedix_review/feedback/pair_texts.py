"""Shows the two texts of a preference pair as a reader saw them, with the words marked in which they
differ."""

from dataclasses import dataclass

from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.feedback.models import PreferencePair
from inference.grounding import parse_completion


@dataclass(frozen=True)
class ShownPair:
    """`is_raw`: one of the texts can't be read as steps and an answer, so both are shown as written."""

    pair: PreferencePair
    chosen: tuple[Piece, ...]
    rejected: tuple[Piece, ...]
    is_raw: bool


def shown_pair(pair: PreferencePair) -> ShownPair:
    chosen, rejected = steps_and_answer(pair.chosen), steps_and_answer(pair.rejected)
    if chosen is None or rejected is None:
        return ShownPair(pair, *differing_pieces(pair.chosen, pair.rejected), is_raw=True)
    return ShownPair(pair, *differing_pieces(chosen, rejected), is_raw=False)


def steps_and_answer(text: str) -> str | None:
    """One line a step, then the answer; None where the text does not have that form.

    >>> print(steps_and_answer("<think> Large heart [3, 5, 8, 9] </think> The answer is: \\\\boxed{big}"))
    1. Large heart [3, 5, 8, 9]
    Answer: big
    """
    parsed = parse_completion(text)
    if parsed.problems:
        return None
    lines = [f"{number}. {step.text}" for number, step in enumerate(parsed.steps, start=1)]
    return "\n".join([*lines, f"Answer: {parsed.answer}"])
