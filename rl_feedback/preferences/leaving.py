"""What an adjudication leaves as its readers agree on it: it says nothing of that, and their word stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median_low

from inference.regions import Box
from rl_feedback.raters import consensus_regions
from rl_feedback.raters.ordinal import DISPUTED_POINTS
from rl_feedback.readings import (
    CRITERIA,
    MOST_IMPLAUSIBLE,
    JudgedAnswer,
    JudgedCompletion,
    JudgedRegion,
    JudgedStep,
    Verdict,
)

# Of two that as many readers gave, the one that changes less.
_MILDEST_FIRST: tuple[Verdict, ...] = ("fits", "adjusted", "wrong")


def as_it_stands(
    settling: JudgedCompletion,
    readers: Sequence[tuple[str, JudgedCompletion]],
    *,
    writers: Sequence[JudgedCompletion] = (),
) -> JudgedCompletion:
    """The completion as the adjudication and, where that is silent, its readers have it.

    Ratings are the lower middle one of those that lie near each other, verdicts the most frequent one where
    none is the opposite of another; on what they contradict each other the completion stays without a word.

    `readers`: by name, each with the same completion as judged by them. Wordings, further regions and missed
    findings are the adjudication's alone, but where it says of a finding what the `writers` among them had
    said by their wording: that stands where the adjudication wrote none and theirs is one.
    """
    judged = [completion for _, completion in readers]
    steps = tuple(
        _step(step, [(name, completion.steps[number]) for name, completion in readers])
        for number, step in enumerate(settling.steps)
    )
    answer = _answer(settling.answer, [one.answer for one in judged])
    if not answer.rewrite:
        answer = replace(answer, rewrite=_one_of(one.answer.rewrite for one in writers))
    steps = tuple(
        step if _is_written(step) else replace(step, edited_text=_one_of(theirs))
        for step, theirs in zip(
            steps,
            ([one.steps[number].edited_text for one in writers] for number in range(len(steps))),
            strict=True,
        )
    )
    return replace(settling, steps=steps, answer=answer)


def _is_written(step: JudgedStep) -> bool:
    """Whether the adjudication said what becomes of the step, so that no other wording may."""
    is_good = step.plausibility is not None and step.plausibility > MOST_IMPLAUSIBLE
    return bool(step.edited_text) or is_good


def _one_of(wordings: Iterable[str]) -> str:
    """Empty where there are none, or several."""
    written = set(wordings) - {""}
    return written.pop() if len(written) == 1 else ""


def _step(settling: JudgedStep, readers: Sequence[tuple[str, JudgedStep]]) -> JudgedStep:
    regions = tuple(
        _region(region, [(name, step.regions[number]) for name, step in readers])
        for number, region in enumerate(settling.regions)
    )
    plausibility = settling.plausibility
    if plausibility is None:
        plausibility = _middle(step.plausibility for _, step in readers)
    return replace(settling, plausibility=plausibility, regions=regions)


def _answer(settling: JudgedAnswer, readers: Sequence[JudgedAnswer]) -> JudgedAnswer:
    def stands(name: str) -> int | None:
        said: int | None = getattr(settling, name)
        return _middle(getattr(answer, name) for answer in readers) if said is None else said

    relevance, correctness, completeness = map(stands, CRITERIA)
    return replace(settling, relevance=relevance, correctness=correctness, completeness=completeness)


def _region(settling: JudgedRegion, readers: Sequence[tuple[str, JudgedRegion]]) -> JudgedRegion:
    given = Counter(region.verdict for _, region in readers if region.verdict is not None)
    if settling.verdict is not None or not given or given.keys() >= {"fits", "wrong"}:
        return settling
    verdict = max(_MILDEST_FIRST, key=lambda one: given[one])
    if verdict != "adjusted":
        return replace(settling, verdict=verdict)
    redrawn = _redrawn(readers)
    return settling if redrawn is None else replace(settling, verdict=verdict, adjusted=redrawn)


def _redrawn(readers: Sequence[tuple[str, JudgedRegion]]) -> Box | None:
    """None where as many readers redraw it in one place as in another."""
    drawn = [(name, region.adjusted) for name, region in readers if region.adjusted is not None]
    places = consensus_regions(drawn)
    is_open = not places or (len(places) > 1 and places[0].num_readers == places[1].num_readers)
    return None if is_open else places[0].box


def _middle(ratings: Iterable[int | None]) -> int | None:
    given = [rating for rating in ratings if rating is not None]
    if not given or max(given) - min(given) >= DISPUTED_POINTS:
        return None
    return median_low(given)
