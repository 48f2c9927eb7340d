"""Decides for every region whether it stands, moves or goes, by the words of all its readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.regions import Box, overlap
from rl_feedback.preferences.readers import Readers
from rl_feedback.preferences.words import Corpus, Judgement, region_name
from rl_feedback.raters import SETTLED_READERS, VERDICTS, ConsensusRegion, Label, consensus_regions
from rl_feedback.readings import Verdict

# Where nobody says how far a region is off, it is worth half.
_UNTOLD_OVERLAP = 0.5


@dataclass(frozen=True)
class PlacedRegion:
    """`verdict` is the likeliest one, None where its readers contradict each other, `reason` then says how.

    `redrawn` is where its readers together put it. `share_off` is how likely it is not to fit; `grounding`
    how much of it is right. `judgements` are those that it rests on.
    """

    box: Box
    verdict: Verdict | None
    redrawn: ConsensusRegion | None
    share_off: float
    grounding: Label
    reason: str
    judgements: tuple[Judgement, ...]

    @property
    def correction(self) -> float:
        """How wrong the region was: 0 where it stands, 1 where it goes, else 1 - IoU with the redrawn one, as
        far as that is likely."""
        if self.verdict == "wrong":
            return self.share_off
        if self.verdict != "adjusted" or self.redrawn is None:
            return 0.0
        return self.share_off * (1 - overlap(self.box, self.redrawn.box))


def place_regions(
    corpus: Corpus, readers: Readers, completion: str
) -> tuple[tuple[PlacedRegion | None, ...], ...]:
    """By step and region of the completion; None where nobody judged the region."""
    steps = corpus.completion(completion).steps
    return tuple(
        tuple(_placed(corpus, readers, completion, at, number) for number in range(len(step.regions)))
        for at, step in enumerate(steps)
    )


def _likeliest(shares: Mapping[str, float]) -> Verdict:
    verdicts: tuple[Verdict, ...] = ("fits", "adjusted", "wrong")
    return max(verdicts, key=lambda one: shares[one])


def _placed(corpus: Corpus, readers: Readers, completion: str, at: int, number: int) -> PlacedRegion | None:
    def region_of(judgement: Judgement) -> tuple[Verdict | None, Box | None]:
        region = judgement.completion.steps[at].regions[number]
        return region.verdict, region.adjusted

    judged = tuple(one for one in corpus.judgements[completion] if region_of(one)[0] is not None)
    if not judged:
        return None
    step = corpus.completion(completion).steps[at]
    box, name = step.regions[number].box, region_name(step.uid, number)
    settling = tuple(one for one in judged if one.is_adjudication)
    settled = {region_of(one)[0] for one in settling}
    is_settled = len(settled) == 1
    behind = settling if is_settled else judged
    drawn = {
        one.reading.reader: new
        for one in reversed(behind)
        for verdict, new in [region_of(one)]
        if verdict == "adjusted" and new is not None
    }
    places = consensus_regions(list(drawn.items()))
    redrawn = places[0] if places else None
    values = (1.0, overlap(box, redrawn.box) if redrawn else _UNTOLD_OVERLAP, 0.0)
    if is_settled:
        (verdict,) = settled
        assert verdict is not None
        worth = values[VERDICTS.index(verdict)]
        grounding = Label(worth, 0.0, len(behind), SETTLED_READERS, is_disputed=False, is_settled=True)
        share_off = float(verdict != "fits")
    else:
        assert readers.verdicts is not None
        shares = readers.verdicts.shares_of(name)
        verdict = _likeliest(shares)
        grounding = readers.verdicts.label(name, values=values)
        share_off = 1 - shares["fits"]
    reason = ""
    if grounding.is_disputed:
        reason = "Readers contradict each other: one takes a region out, another keeps it."
    elif verdict == "adjusted" and len(places) > 1 and places[0].num_readers == places[1].num_readers:
        reason = "Readers contradict each other: they redraw a region in different places."
    return PlacedRegion(
        box=box,
        verdict=None if reason else verdict,
        redrawn=redrawn,
        share_off=share_off,
        grounding=grounding,
        reason=reason,
        judgements=behind,
    )
