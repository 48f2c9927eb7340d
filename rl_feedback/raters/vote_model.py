"""What votes tell in the end: of two outputs which is better, and of a reader how well they vote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy

from rl_feedback.raters.cells import SETTLED_READERS, Cells, Floats, Integers, Truths, counts_by_reader
from rl_feedback.raters.fitted import Belief, Fitted, Scale, log_shares
from rl_feedback.raters.labels import Labels
from rl_feedback.raters.limits import Limits
from rl_feedback.raters.linked import PRIOR_VARIANCE, linked_pairs

# The difference of two qualities has variance 2.
NODES = np.linspace(-6.2, 6.2, 41)
LOG_PRIOR = log_shares(-0.5 * NODES**2 / PRIOR_VARIANCE)
# Readers who vote for different outputs contradict each other, unless the better one is this certain.
SURE = 0.9
# Second better, tie, first better; the same again where the first stood on side B.
NUM_ANSWERS, NUM_KINDS = 3, 6


@dataclass(frozen=True, kw_only=True)
class VotingReader:
    """`favours_a` is the chance that this reader, between equals, takes side A, where a side is taken.
    `accuracy` is the chance to vote for the better of two outputs of any case, where a side is taken: .5
    guesses. None where these votes can't tell. `group`: readers of different groups share no pair."""

    reader: Any
    favours_a: float
    favours_a_interval: tuple[float, float]
    precision: float
    precision_interval: tuple[float, float]
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    num_votes: int
    num_pairs: int
    num_repeated: int
    group: int


@dataclass(frozen=True)
class Preference:
    """Of two outputs: `probability` that the first is the better one; `mean` and `variance` of the share of
    typical readers who would prefer it, ties as half."""

    probability: float
    mean: float
    variance: float
    num_readers: int
    num_effective_readers: float
    is_disputed: bool
    is_settled: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class VoteModel:
    """`labels` tell of each pair (first, second) of outputs, in the order of their names, what share of
    typical readers would prefer the first; `probability[n]` that it is the better one. `margin` is how much
    better an output must look not to be tied, in standard deviations of the outputs' quality. `note` says
    what these votes can't tell."""

    labels: Labels
    probability: Floats
    readers: tuple[VotingReader, ...]
    margin: float
    typical_precision: float
    omega: float | None
    log_likelihood: float
    num_votes: int
    num_known: int
    num_linked_pairs: int
    sure: float
    confidence: float
    num_rounds: int
    converged: bool
    note: str
    _fitted: Fitted

    def between(self, first: Any, second: Any) -> Preference:
        """Of two outputs that were compared. Raises KeyError for others."""
        if (first, second) in self.labels:
            return self._preference(self.labels.place_of((first, second)), turned=False)
        return self._preference(self.labels.place_of((second, first)), turned=True)

    def weighed(self, preferring: Sequence[Any], *, against: Sequence[Any] = ()) -> Preference:
        """As if these readers had voted for the first output and those against it, no side favoured. Readers
        without a vote of their own count as typical ones."""
        if not preferring and not against:
            raise ValueError("Nobody voted: name the readers who prefer one output or the other.")
        places = {reader.reader: place for place, reader in enumerate(self.readers)}
        typical = len(places)
        reader = [places.get(name, typical) for name in (*preferring, *against)]
        return self._as_if(reader, [2] * len(preferring) + [0] * len(against), is_known=False)

    def settled(self) -> Preference:
        """Of an output that an adjudication preferred to another."""
        typical = len(self.readers)
        return self._as_if([typical] * SETTLED_READERS, [2] * SETTLED_READERS, is_known=True)

    def _as_if(self, reader: Sequence[int], answer: Sequence[int], *, is_known: bool) -> Preference:
        """Votes on one pair by readers by their places, the last place for a typical one. Each is a reader of
        its own, and favours no side."""
        fitted = replace(self._fitted, severity=np.zeros(len(self._fitted.log_a)))
        counts = np.zeros((len(reader), NUM_KINDS), dtype=np.int64)
        counts[np.arange(len(reader)), answer] = 1
        cells = Cells(np.zeros(len(reader), dtype=np.int64), np.array(reader, dtype=np.int64), counts)
        one_pair = PairsOfOutputs(np.array([[0, 1]]), np.array([is_known]))
        labels, probability = labels_of_pairs(
            ((0, 1),), fitted, one_pair, cells, cells, LOG_PRIOR[None], sure=self.sure
        )
        return replace(self, labels=labels, probability=probability)._preference(0, turned=False)

    def _preference(self, at: int, *, turned: bool) -> Preference:
        label, probability = self.labels.at(at), float(self.probability[at])
        return Preference(
            probability=1 - probability if turned else probability,
            mean=1 - label.mean if turned else label.mean,
            variance=label.variance,
            num_readers=label.num_readers,
            num_effective_readers=label.num_effective_readers,
            is_disputed=label.is_disputed,
            is_settled=label.is_settled,
        )


@dataclass(frozen=True, eq=False)
class PairsOfOutputs:
    """Rows of two outputs, and which of them are settled."""

    outputs: Integers
    is_known: Truths

    @property
    def is_linked(self) -> Truths:
        return linked_pairs(self.outputs)


def even_steps(free: Floats) -> tuple[Floats, Floats]:
    """Two steps as far below 0 as above it."""
    margin = float(np.exp(free[0]))
    return np.array([-margin, margin]), np.array([[-margin], [margin]])


SCALE = Scale(
    num_answers=NUM_ANSWERS,
    orientations=(1, -1),
    steps=even_steps,
    free_steps=(Belief(float(np.log(0.3)), 1.0),),
    log_discrimination=Belief(float(np.log(1.5)), 0.5),
    spread_of_log_discrimination=0.5,
    spread_of_severity=0.5,
    log_omega=Belief(float(np.log(0.5)), 0.75),
)


def labels_of_pairs(
    names: tuple[tuple[Any, Any], ...],
    fitted: Fitted,
    outputs: PairsOfOutputs,
    said: Cells,
    deciding: Cells,
    log_prior: Floats,
    *,
    sure: float,
) -> tuple[Labels, Floats]:
    many = len(names)
    likelihood = fitted.likelihood_of(deciding, num_items=many, nodes=NODES)
    posterior = np.exp(log_shares(likelihood + log_prior))
    # The first is better where the difference is above 0; the node at 0 is half and half.
    probability = posterior @ np.where(NODES == 0, 0.5, NODES > 0)
    share = fitted.typical_share(NODES)
    mean = posterior @ share
    for_first = np.bincount(said.item[said.counts[:, [2, 5]].any(axis=1)], minlength=many) > 0
    for_second = np.bincount(said.item[said.counts[:, [0, 3]].any(axis=1)], minlength=many) > 0
    unsure = np.maximum(probability, 1 - probability) < sure
    effective = fitted.effective_readers(said, num_items=many)
    labels = Labels(
        items=names,
        mean=mean,
        variance=np.maximum(posterior @ share**2 - mean**2, 0.0),
        num_readers=np.bincount(said.item, minlength=many),
        num_effective_readers=np.where(outputs.is_known, SETTLED_READERS, effective),
        is_disputed=~outputs.is_known & for_first & for_second & unsure,
        is_settled=outputs.is_known,
    )
    return labels, probability


def voting_readers(
    names: tuple[Any, ...], fitted: Fitted, said: Cells, limits: Limits, confidence: float
) -> Iterator[VotingReader]:
    found = fitted.readers()
    counts = counts_by_reader(said, len(names))
    margin = float(fitted.steps[-1])
    for place, name in enumerate(names):
        precision = found.a(place)
        low, high = found.interval_of_a(place, confidence)
        # The fitted place is a severity: above 0 it speaks against side A.
        lenient, severe = found.interval_of_place(place, confidence)
        knows = limits.knows_weight
        yield VotingReader(
            reader=name,
            favours_a=_share_of_a(-float(found.place[place]), precision, margin),
            favours_a_interval=(
                _share_of_a(-severe, precision, margin),
                _share_of_a(-lenient, precision, margin),
            ),
            precision=precision,
            precision_interval=(low, high),
            accuracy=_accuracy(precision, margin) if knows else None,
            accuracy_interval=(_accuracy(low, margin), _accuracy(high, margin)) if knows else None,
            num_votes=int(counts.said[place]),
            num_pairs=int(counts.items[place]),
            num_repeated=int(counts.repeated[place]),
            group=int(limits.group[place]),
        )


def _share_of_a(towards_a: float, precision: float, margin: float) -> float:
    """Of the votes for a side between equals, how many go to A."""
    for_a, for_b = (scipy.special.expit(precision * (side - margin)) for side in (towards_a, -towards_a))
    return float(for_a / (for_a + for_b))


def _accuracy(precision: float, margin: float) -> float:
    """Of the votes for a side, over differences as they are among outputs, how many go to the better one."""
    better = NODES[NODES > 0]
    weight = np.exp(LOG_PRIOR[NODES > 0])
    right, wrong = (scipy.special.expit(precision * (side - margin)) for side in (better, -better))
    return float(weight @ right / (weight @ (right + wrong)))
