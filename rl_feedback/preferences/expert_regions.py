"""Where readers together see what each step says, and what the completion missed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from inference.grounding import parse_completion
from inference.regions import REGION_PROBLEM_WORDS, Box, region_problem
from rl_feedback.preferences.ground import Judged, num_readers_of, readings_of
from rl_feedback.preferences.rows import ExpertRegion, LeftOut
from rl_feedback.preferences.words import Corpus, Judgement
from rl_feedback.raters import consensus_regions

# A box of these is no region, whatever a reader said of it.
_NO_REGION = frozenset({"inverted", "no_area", "outside_image"})


def expert_regions(corpus: Corpus, judged: Judged) -> Iterator[ExpertRegion | LeftOut]:
    """Of every step: the model's regions that stand, those that moved, and those that readers added; then
    those of missed findings. What readers contradict each other on has no region, and a box of the model's
    that can't be a region is left out."""
    completion, standing = corpus.completion(judged.uid), corpus.standing(judged.uid)
    texts = _texts(completion.text, len(completion.steps))
    for number, (step, placed) in enumerate(zip(completion.steps, judged.regions, strict=True)):
        for region in placed:
            if region is None or region.verdict not in ("fits", "adjusted"):
                continue
            moved = region.redrawn if region.verdict == "adjusted" else None
            problem = "" if moved else region_problem(region.box, completion.image_size)
            if problem in _NO_REGION:
                reason = f"No reader changed it, and it can be no region: {REGION_PROBLEM_WORDS[problem]}."
                yield LeftOut("region", judged.uid, reason, readings_of(region.judgements))
                continue
            yield ExpertRegion(
                completion=judged.uid,
                step=step.uid,
                text=texts[number],
                box=moved.box if moved else region.box,
                tolerance=moved.tolerance if moved else None,
                is_models_own=moved is None,
                num_readers=moved.num_readers if moved else num_readers_of(region.judgements),
                split=judged.split,
                readings=readings_of(region.judgements),
            )
        drawn = [(one, box) for one in standing for box in one.completion.steps[number].drawn]
        yield from _added(judged, step.uid, texts[number], drawn)
    missed: dict[str, list[tuple[Judgement, Box]]] = defaultdict(list)
    for one in standing:
        for finding in one.completion.missed:
            missed[" ".join(finding.text.split()).casefold()] += [(one, box) for box in finding.boxes]
    for text, drawn in sorted(missed.items()):
        yield from _added(judged, None, text, drawn)


def _added(
    judged: Judged, step: str | None, text: str, drawn: Sequence[tuple[Judgement, Box]]
) -> Iterator[ExpertRegion]:
    for region in consensus_regions([(one.reading.reader, box) for one, box in drawn]):
        behind = [one for one, _ in drawn if one.reading.reader in region.readers]
        yield ExpertRegion(
            completion=judged.uid,
            step=step,
            text=text,
            box=region.box,
            tolerance=region.tolerance,
            is_models_own=False,
            num_readers=region.num_readers,
            split=judged.split,
            readings=readings_of(behind),
        )


def _texts(text: str, num_steps: int) -> tuple[str, ...]:
    """What each step says; nothing where the text can't be read as the steps that were judged."""
    steps = parse_completion(text).steps
    return tuple(step.text for step in steps) if len(steps) == num_steps else ("",) * num_steps
