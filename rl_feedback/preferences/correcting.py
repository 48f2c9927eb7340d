"""Pairs of a completion as its readers would have it against the completion as the model wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inference.grounding import parse_completion
from inference.regions import Box
from rl_feedback.corrections import CorrectionRefused, corrected_text, rewritten_step, rewritten_text
from rl_feedback.preferences.agreeing import added_without_an_answer, named_without_a_step
from rl_feedback.preferences.ground import Judged, num_readers_of, readings_of
from rl_feedback.preferences.placing import PlacedRegion
from rl_feedback.preferences.readers import Readers
from rl_feedback.preferences.rows import LEAST_WEIGHT, Dispute, LeftOut, Origin, Pair
from rl_feedback.preferences.words import Corpus, Judgement
from rl_feedback.raters import Preference
from rl_feedback.readings import JudgedCompletion, JudgedRegion

REWRITE = "rewrite"
# Who leaves a step as it is and finds it at least this plausible would not have it otherwise.
LEAST_PLAUSIBLE = 4
OUTWEIGHED = "Readers who find it good as it is outweigh who would write it otherwise."


def pairs_by_correcting(
    corpus: Corpus, readers: Readers, judged: Judged
) -> Iterator[Pair | LeftOut | Dispute]:
    """By region and by rewriting; the whole text, and every step that was worded otherwise.

    A text whose words a reader would have otherwise is none to follow with its regions moved alone: not where
    no other text came of that, nor where a step was taken out, which it would still say.
    """
    rewritten = list(_by_rewriting(corpus, readers, judged))
    stands = any(isinstance(row, Pair) and not row.prefix for row in rewritten)
    is_struck = any(step.goes for one in corpus.standing(judged.uid) for step in one.completion.steps)
    for row in _by_regions(corpus, judged):
        if rewritten and isinstance(row, Pair) and (is_struck or not stands):
            reason = (
                "A reader took a step out, which the text with its regions moved alone would still say."
                if is_struck
                else "A reader would have its words otherwise too, and no text came of that."
            )
            yield LeftOut("region", row.completion, reason, row.readings)
        else:
            yield row
    yield from rewritten


def _by_regions(corpus: Corpus, judged: Judged) -> Iterator[Pair | LeftOut]:
    """The completion with all its regions where its readers together put them."""
    placed = [region for step in judged.regions for region in step if region]
    changed = [region for region in placed if region.verdict in ("adjusted", "wrong")]
    if not changed and not judged.is_disputed_region:
        return
    behind = [one for region in placed for one in region.judgements]
    readings, completion = readings_of(behind), corpus.completion(judged.uid)
    if completion.is_malformed:
        reason = "The corrected output is malformed, so it is no example to follow."
        yield LeftOut("region", judged.uid, reason, readings)
        return
    if judged.is_disputed_region:
        reason = "Readers contradict each other on a region, so no text can be corrected."
        yield LeftOut("region", judged.uid, reason, readings)
        return
    farthest = max(changed, key=lambda region: region.correction)
    if farthest.correction < LEAST_WEIGHT:
        reason = f"The correction moved no region by more than {LEAST_WEIGHT:.0%}."
        yield LeftOut("region", judged.uid, reason, readings)
        return
    try:
        chosen = corrected_text(_as_placed(completion, judged.regions))
    except CorrectionRefused as refusal:
        yield LeftOut("region", judged.uid, str(refusal), readings)
        return
    if chosen == completion.text:
        reason = "In the model's own whole pixels the corrected regions are the same."
        yield LeftOut("region", judged.uid, reason, readings)
        return
    grounding = farthest.grounding
    found = Preference(
        probability=0.5 + farthest.correction / 2,
        mean=farthest.share_off,
        variance=grounding.variance,
        num_readers=grounding.num_readers,
        num_effective_readers=grounding.num_effective_readers,
        is_disputed=False,
        is_settled=grounding.is_settled,
    )
    yield _pair(completion, judged, "region", chosen=chosen, found=found, behind=behind)


def _as_placed(
    completion: JudgedCompletion, regions: Sequence[Sequence[PlacedRegion | None]]
) -> JudgedCompletion:
    """As if one reader had said what all say together."""
    steps = [
        replace(
            step,
            regions=tuple(
                JudgedRegion(region.box, None)
                if one is None
                else JudgedRegion(region.box, one.verdict, _redrawn(one))
                for region, one in zip(step.regions, placed, strict=True)
            ),
        )
        for step, placed in zip(completion.steps, regions, strict=True)
    ]
    return replace(completion, steps=tuple(steps))


def _redrawn(placed: PlacedRegion) -> Box | None:
    return placed.redrawn.box if placed.verdict == "adjusted" and placed.redrawn else None


def _by_rewriting(corpus: Corpus, readers: Readers, judged: Judged) -> Iterator[Pair | LeftOut | Dispute]:
    every = corpus.standing(judged.uid)
    writers = [one for one in every if one.completion.is_reworded]
    if not writers:
        return
    if corpus.completion(judged.uid).is_malformed:
        reason = "The rewritten output is malformed, so its steps can't be told apart."
        yield LeftOut("rewrite", judged.uid, reason, readings_of(writers))
        return
    content = [one for one in every if _is_content(one.completion)]
    found = _certainty(readers, writers, content)
    if found.is_disputed:
        yield _dispute(judged, None, [*writers, *content])
    elif _weight(found) < LEAST_WEIGHT:
        yield LeftOut("rewrite", judged.uid, OUTWEIGHED, readings_of([*writers, *content]))
    else:
        for writer in writers:
            yield _rewritten(judged, writer, found, share=1 / len(writers))
    for number, step in enumerate(corpus.completion(judged.uid).steps):
        yield from _by_rewording(readers, judged, every, number, step.uid)


def _by_rewording(
    readers: Readers, judged: Judged, every: Sequence[Judgement], number: int, step: str
) -> Iterator[Pair | LeftOut | Dispute]:
    """One step in its readers' words against the step as the model wrote it, after the same beginning."""
    writers = [one for one in every if one.completion.steps[number].edited_text]
    if not writers:
        return
    content = [one for one in every if _finds_plausible(one.completion, number)]
    found = _certainty(readers, writers, content)
    if found.is_disputed:
        yield _dispute(judged, step, [*writers, *content])
        return
    if _weight(found) < LEAST_WEIGHT:
        yield LeftOut("step", judged.uid, OUTWEIGHED, readings_of([*writers, *content]))
        return
    for writer in writers:
        completion = writer.completion
        try:
            chosen = rewritten_step(completion, number)
        except CorrectionRefused as refusal:
            yield LeftOut("step", judged.uid, str(refusal), readings_of([writer]))
            continue
        written = parse_completion(completion.text).steps[number]
        yield _pair(
            completion,
            judged,
            "step",
            chosen=chosen,
            rejected=written.text,
            prefix=completion.text[: written.span[0]],
            step=step,
            found=found,
            behind=[writer],
            share=1 / len(writers),
        )


def _rewritten(judged: Judged, writer: Judgement, found: Preference, *, share: float) -> Pair | LeftOut:
    try:
        chosen = rewritten_text(writer.completion)
    except CorrectionRefused as refusal:
        return LeftOut("rewrite", judged.uid, str(refusal), readings_of([writer]))
    if not writer.completion.answer.rewrite:
        written = writer.completion.text
        for findings, reason in (
            (named_without_a_step(written, chosen), "still names what its reader took out of the steps"),
            (added_without_an_answer(written, chosen), "does not name what its reader added to the steps"),
        ):
            if findings:
                sentence = f"The answer {reason}: {', '.join(findings)}."
                return LeftOut("rewrite", judged.uid, sentence, readings_of([writer]))
    if chosen == writer.completion.text:
        return LeftOut("rewrite", judged.uid, "The rewritten output says the same.", readings_of([writer]))
    return _pair(
        writer.completion, judged, "rewrite", chosen=chosen, found=found, behind=[writer], share=share
    )


def _certainty(readers: Readers, writers: Sequence[Judgement], content: Sequence[Judgement]) -> Preference:
    """That the text is better as rewritten: as if the readers who rewrote it had voted for that, and those
    who found it good as it is against it."""
    if all(one.is_adjudication for one in writers):
        return readers.votes.settled()
    names = [sorted({one.reading.reader for one in some}) for some in (writers, content)]
    return readers.votes.weighed(names[0], against=[name for name in names[1] if name not in names[0]])


def _weight(found: Preference) -> float:
    """Of all texts together that were written instead of one original."""
    return 2 * (found.probability - 0.5)


def _is_content(completion: JudgedCompletion) -> bool:
    ratings = [*completion.answer.given().values()]
    ratings += [step.plausibility for step in completion.steps if step.plausibility is not None]
    return bool(ratings) and min(ratings) >= LEAST_PLAUSIBLE and not completion.is_reworded


def _finds_plausible(completion: JudgedCompletion, number: int) -> bool:
    step = completion.steps[number]
    return not step.edited_text and (step.plausibility or 0) >= LEAST_PLAUSIBLE


def _dispute(judged: Judged, step: str | None, judgements: Sequence[Judgement]) -> Dispute:
    reason = "Readers contradict each other: one would write it otherwise, another finds it good as it is."
    return Dispute(judged.uid, step, REWRITE, reason, readings_of(judgements))


def _pair(
    completion: JudgedCompletion,
    judged: Judged,
    origin: Origin,
    *,
    chosen: str,
    found: Preference,
    behind: Sequence[Judgement],
    share: float = 1.0,
    rejected: str = "",
    prefix: str = "",
    step: str | None = None,
) -> Pair:
    """`share`: of several texts against one original each gets a part of the weight."""
    return Pair(
        origin=origin,
        completion=judged.uid,
        rejected_completion=judged.uid,
        step=step,
        prompt=completion.prompt,
        prefix=prefix,
        chosen=chosen,
        rejected=rejected or completion.text,
        weight=_weight(found) * share,
        probability=found.probability,
        variance=found.variance,
        num_readers=num_readers_of(behind),
        num_effective_readers=found.num_effective_readers,
        split=judged.split,
        readings=readings_of(behind),
    )
