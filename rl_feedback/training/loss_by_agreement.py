"""Which loss preferences are learned by, from how far the readers of a data set agree on their votes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rl_feedback.counting import counted
from rl_feedback.json_file import read_object
from rl_feedback.training.config import AUTOMATIC, DpoConfig, StageConfig
from rl_feedback.training.examples import TrainingPair, read_examples
from rl_feedback.training.recipe import Recipe

# Of the rule below: another number with whatever changes what it chooses.
RULE = 1
USUAL = "sigmoid"
VOTE = "vote"
# Where agreement is called substantial (J. R. Landis and G. G. Koch (1977), Biometrics 33, 159-174).
AGREE_FROM = 0.6
# As with kappa between two readers: of fewer, agreement hardly tells anything.
FEWEST_PAIRS = 10
# `robust` divides by 1 - 2 x share: at this share each pair already counts five times.
MOST_FLIPPED = 0.4
# In a data folder: who stands behind it, as `python -m rl_feedback preferences` writes it.
READERS_FILE = "readers.json"


@dataclass(frozen=True)
class VotesBehind:
    """What a data set keeps of its readers' votes. `agreement` is Gwet's AC1 on the `num_shared` pairs of
    outputs that two readers or more voted on, None where it can't be told; `note` says why.
    `knows_precision`: how precisely the readers vote is measured, not assumed."""

    agreement: float | None
    low: float | None
    high: float | None
    num_shared: int
    num_votes: int
    num_readers: int
    knows_precision: bool
    note: str = ""

    @classmethod
    def from_json(cls, readers: Mapping[str, Any]) -> VotesBehind | None:
        """Of rl_feedback.preferences.Readers as JSON; None where nothing is kept of votes. Raises ValueError
        for what is no such JSON."""
        try:
            row = next((one for one in readers.get("agreement", ()) if one["criterion"] == VOTE), None)
            if row is None:
                return None
            votes = readers["votes"]
            voting = votes["readers"]
            return cls(
                agreement=_share(row["value"]),
                low=_bound(row["low"]),
                high=_bound(row["high"]),
                num_shared=int(row["num_items"]),
                num_votes=int(votes["num_votes"]),
                num_readers=len(voting),
                knows_precision=bool(votes["converged"])
                and bool(voting)
                and all(one["accuracy"] is not None for one in voting),
                note=str(row["note"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                "What is kept of the readers' votes can't be read. Freeze the data set again, or name a loss."
            ) from error


@dataclass(frozen=True)
class LossChosen:
    """`because` is one sentence for a person, with its figure and n."""

    loss: str
    flip_share: float
    because: str
    rule: int = RULE


def choose_loss(votes: VotesBehind | None, pairs: Sequence[TrainingPair]) -> LossChosen:
    """DPO's loss for a stage that learns from `pairs`, whose readers voted as `votes` tells. Rule 1:

    - The usual `sigmoid` (R. Rafailov et al. 2023, eq. 7) where readers agree on votes, AC1 of .6 or more,
      and where that can't be told: no votes, one reader, or fewer than 10 pairs with the votes of several.
    - Else `robust` (S. R. Chowdhury et al., Provably robust DPO (2024), arXiv:2403.00409), whose
      label smoothing is the share of drawn pairs that is the wrong way round: `flip_share_of`.
    - Else `ipo` (M. G. Azar et al., A general theoretical paradigm to understand learning from human
      preferences (2023), arXiv:2310.12036, eq. 17), which needs no such share: where it is assumed and not
      measured, or above .4, where `robust` would weigh each pair five times.

    >>> few = VotesBehind(0.2, 0.0, 0.4, 30, 60, 2, knows_precision=True)
    >>> chosen = choose_loss(few, [TrainingPair("film", "?", 0.6, "vote", "this", "that")])
    >>> chosen.loss, chosen.flip_share
    ('robust', 0.2)
    """
    if votes is None:
        return _usual("nothing is kept here of how far readers agree on votes")
    if not votes.num_votes:
        return _usual("nobody voted between two outputs, so how far readers agree can't be told")
    if not any(pair.origin == VOTE for pair in pairs):
        return _usual("no pair that is learned from comes from a vote")
    cast = f"{counted(votes.num_votes, 'vote')} of {counted(votes.num_readers, 'reader')}"
    if not votes.num_shared:
        return _usual(
            f"no pair of outputs has the votes of two readers ({cast}), so how far they agree can't be told"
        )
    if votes.num_shared < FEWEST_PAIRS:
        return _usual(
            f"only {counted(votes.num_shared, 'pair')} of outputs {_has(votes.num_shared)} the votes of "
            f"several readers ({cast}), and {FEWEST_PAIRS} are needed to tell how far they agree"
        )
    if votes.agreement is None:
        return _usual(f"how far readers agree on votes can't be told ({cast}): {votes.note.rstrip('.')}")
    interval = "" if votes.low is None or votes.high is None else f" [{votes.low:.2f}, {votes.high:.2f}]"
    figure = (
        f"Gwet's AC1 is {votes.agreement:.2f}{interval} on {counted(votes.num_shared, 'pair')} of outputs "
        f"that several voted on ({cast})"
    )
    if votes.agreement >= AGREE_FROM:
        return LossChosen(USUAL, 0.0, _said(USUAL, f"readers agree on votes: {figure}, {AGREE_FROM} or more"))
    little = f"readers agree little on votes: {figure}, below {AGREE_FROM}"
    flipped = flip_share_of(pairs)
    if not votes.knows_precision:
        return LossChosen(
            "ipo", 0.0, _said("ipo", f"{little}, and how precisely each votes is assumed, not measured")
        )
    wrong = (
        f"by how precisely each votes, {flipped:.0%} of {counted(len(pairs), 'pair')} are the wrong way round"
    )
    if flipped > MOST_FLIPPED:
        return LossChosen(
            "ipo", 0.0, _said("ipo", f"{little}, and {wrong}, too many to be corrected by their share")
        )
    return LossChosen("robust", flipped, _said("robust", f"{little}, and {wrong}"))


def flip_share_of(pairs: Sequence[TrainingPair]) -> float:
    """Of pairs drawn as often as they weigh, the share that is likely the wrong way round, from 0 to below
    .5: a pair's weight is 2 (P - 1/2), P that the chosen text is the better one by the readers' model. 0
    without pairs.

    >>> of = lambda weight: TrainingPair("film", "?", weight, "vote", "this", "that")
    >>> flip_share_of([of(1.0), of(0.5)])
    0.083
    """
    weights = [min(pair.weight, 1.0) for pair in pairs]
    total = math.fsum(weights)
    return round(math.fsum(w * (1 - w) / 2 for w in weights) / total, 3) if total else 0.0


def with_losses_chosen(
    recipe: Recipe,
    *,
    votes: Callable[[], VotesBehind | None],
    pairs: Callable[[StageConfig], Sequence[TrainingPair]],
) -> Recipe:
    """The recipe with a loss in the place of each `automatic`, and why. A loss that was named stays;
    `robust` without a share of its own gets that of its pairs."""
    return Recipe(tuple(_with_loss(stage, votes, pairs) for stage in recipe.stages))


def with_losses_for_folder(recipe: Recipe, data: Path) -> Recipe:
    """The same by the readers.json and pairs.jsonl of a data folder."""

    def votes() -> VotesBehind | None:
        path = data / READERS_FILE
        return VotesBehind.from_json(read_object(path)) if path.is_file() else None

    def pairs(stage: StageConfig) -> Sequence[TrainingPair]:
        found = read_examples(data, TrainingPair)
        return [pair for pair in found if not stage.origins or pair.origin in stage.origins]

    return with_losses_chosen(recipe, votes=votes, pairs=pairs)


def with_losses_open(recipe: Recipe) -> Recipe:
    """As it was before `with_losses_chosen`: `automatic` where that chose."""
    return Recipe(
        tuple(
            replace(stage, loss=AUTOMATIC, flip_share=0.0, loss_because="")
            if isinstance(stage, DpoConfig) and stage.loss_because
            else stage
            for stage in recipe.stages
        )
    )


def _with_loss(
    stage: StageConfig,
    votes: Callable[[], VotesBehind | None],
    pairs: Callable[[StageConfig], Sequence[TrainingPair]],
) -> StageConfig:
    if not isinstance(stage, DpoConfig):
        return stage
    if stage.loss == AUTOMATIC:
        chosen = choose_loss(votes(), pairs(stage))
        return replace(stage, loss=chosen.loss, flip_share=chosen.flip_share, loss_because=chosen.because)
    if stage.loss == "robust" and not stage.flip_share:
        return replace(stage, flip_share=flip_share_of(pairs(stage)), loss_because="")
    return replace(stage, loss_because="")


def _usual(reason: str) -> LossChosen:
    return LossChosen(USUAL, 0.0, _said(f"{USUAL}, the usual", reason))


def _said(loss: str, reason: str) -> str:
    return f"{loss}: {reason} (rule {RULE})."


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _share(value: Any) -> float | None:
    """A coefficient of agreement, or None."""
    if value is None:
        return None
    number = float(value)
    if not -1 <= number <= 1:
        raise ValueError(f"{value} is no coefficient of agreement.")
    return number


def _bound(value: Any) -> float | None:
    """An end of its interval: of few pairs, older data sets keep one that lies far outside."""
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no end of an interval.")
    return min(1.0, max(-1.0, number))
