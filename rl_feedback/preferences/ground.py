"""What all readings together say of each completion: labels of it and its steps, regions, disputes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from rl_feedback.preferences.placing import PlacedRegion, place_regions
from rl_feedback.preferences.readers import Readers
from rl_feedback.preferences.rows import Dispute, Label
from rl_feedback.preferences.splits import Split
from rl_feedback.preferences.words import PLAUSIBILITY, Corpus, Judgement
from rl_feedback.raters import Label as RaterLabel
from rl_feedback.readings import CRITERIA

GROUNDING, OVERALL = "grounding", "overall"


@dataclass(frozen=True)
class Judged:
    """One completion by all its readers. `labels` by step (None: the answer) and criterion; what readers
    contradict each other on is in `disputes` instead."""

    uid: str
    split: Split
    labels: dict[tuple[str | None, str], Label]
    disputes: tuple[Dispute, ...]
    regions: tuple[tuple[PlacedRegion | None, ...], ...]

    def overall(self) -> Label | None:
        return self.labels.get((None, OVERALL))

    def plausibility(self, step: str) -> Label | None:
        return self.labels.get((step, PLAUSIBILITY))

    @property
    def is_disputed_region(self) -> bool:
        return any(region and region.reason for step in self.regions for region in step)


def judge(corpus: Corpus, readers: Readers, uid: str, split: Split) -> Judged:
    completion = corpus.completion(uid)
    regions = place_regions(corpus, readers, uid)
    found: list[Label | Dispute] = []
    for criterion in CRITERIA:
        found += _rated(corpus, readers, uid, None, uid, criterion, split)
    for step, placed in zip(completion.steps, regions, strict=True):
        found += _rated(corpus, readers, uid, step.uid, step.uid, PLAUSIBILITY, split)
        found += _grounded(uid, step.uid, [region for region in placed if region], split)
    labels = {(row.step, row.criterion): row for row in found if isinstance(row, Label)}
    disputes = tuple(row for row in found if isinstance(row, Dispute))
    is_disputed = any(row.criterion in (*CRITERIA, PLAUSIBILITY) for row in disputes)
    overall = None if is_disputed else _overall(uid, labels, split)
    if overall is not None:
        labels[None, OVERALL] = overall
    return Judged(uid, split, labels, disputes, regions)


def readings_of(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    return tuple(sorted({one.reading.uid for one in judgements}))


def num_readers_of(judgements: Sequence[Judgement]) -> int:
    return len({one.reading.reader for one in judgements})


def _rated(
    corpus: Corpus,
    readers: Readers,
    completion: str,
    step: str | None,
    item: str,
    criterion: str,
    split: Split,
) -> Iterator[Label | Dispute]:
    model = readers.ratings.get(criterion)
    if model is None or item not in model.labels:
        return
    said = tuple(one for one in corpus.judgements[completion] if _has_rated(one, step, criterion))
    if not said:
        return
    label = model.labels[item]
    if label.is_disputed:
        reason = f"Readers contradict each other on {criterion}: their ratings lie far apart."
        yield Dispute(completion, step, criterion, reason, readings_of(said))
        return
    if label.is_settled:
        said = tuple(one for one in said if one.is_adjudication)
    yield _label(completion, step, criterion, label, said, split)


def _has_rated(judgement: Judgement, step: str | None, criterion: str) -> bool:
    if step is None:
        return criterion in judgement.completion.answer.given()
    return any(one.uid == step and one.plausibility is not None for one in judgement.completion.steps)


def _grounded(
    completion: str, step: str, regions: Sequence[PlacedRegion], split: Split
) -> Iterator[Label | Dispute]:
    """How much of a step's regions is right: their mean, as unsure as if they erred together."""
    if not regions:
        return
    judgements = tuple(one for region in regions for one in region.judgements)
    reasons = sorted({region.reason for region in regions if region.reason})
    for reason in reasons:
        behind = [one for region in regions if region.reason == reason for one in region.judgements]
        yield Dispute(completion, step, GROUNDING, reason, readings_of(behind))
    if not reasons:
        yield _label(
            completion, step, GROUNDING, _mean([one.grounding for one in regions]), judgements, split
        )


def _overall(completion: str, labels: dict[tuple[str | None, str], Label], split: Split) -> Label | None:
    """The mean of what the answer and what the steps deserve, as unsure as if all were judged by one look."""
    answer = [labels[None, criterion] for criterion in CRITERIA if (None, criterion) in labels]
    steps = [label for (step, criterion), label in labels.items() if criterion == PLAUSIBILITY and step]
    parts = [part for part in (answer, steps) if part]
    if not parts:
        return None
    every = [label for part in parts for label in part]
    return Label(
        completion=completion,
        step=None,
        criterion=OVERALL,
        value=fmean(fmean(label.value for label in part) for part in parts),
        variance=fmean(label.variance for label in every),
        num_readers=min(label.num_readers for label in every),
        num_effective_readers=min(label.num_effective_readers for label in every),
        split=split,
        readings=tuple(sorted({reading for label in every for reading in label.readings})),
    )


def _mean(labels: Sequence[RaterLabel]) -> RaterLabel:
    return RaterLabel(
        mean=fmean(label.mean for label in labels),
        variance=fmean(label.variance for label in labels),
        num_readers=min(label.num_readers for label in labels),
        num_effective_readers=min(label.num_effective_readers for label in labels),
        is_disputed=False,
        is_settled=all(label.is_settled for label in labels),
    )


def _label(
    completion: str,
    step: str | None,
    criterion: str,
    label: RaterLabel,
    said: Sequence[Judgement],
    split: Split,
) -> Label:
    return Label(
        completion=completion,
        step=step,
        criterion=criterion,
        value=label.mean,
        variance=label.variance,
        num_readers=num_readers_of(said),
        num_effective_readers=label.num_effective_readers,
        split=split,
        readings=readings_of(said),
    )
