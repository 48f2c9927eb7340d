"""Readers' agreement on votes chooses DPO's loss; what a person named stays."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rl_feedback.__main__ import main
from rl_feedback.training.config import AUTOMATIC, DpoConfig, SftConfig
from rl_feedback.training.examples import TrainingPair, write_examples
from rl_feedback.training.loss_by_agreement import (
    VotesBehind,
    choose_loss,
    flip_share_of,
    with_losses_chosen,
    with_losses_for_folder,
    with_losses_open,
)
from rl_feedback.training.recipe import Recipe

LITTLE = VotesBehind(0.31, 0.1, 0.52, num_shared=40, num_votes=90, num_readers=3, knows_precision=True)


def pair(weight: float = 0.6, origin: str = "vote") -> TrainingPair:
    return TrainingPair("1.dcm", "q", weight, origin, "this", "that")


def kept(**changed: Any) -> dict[str, Any]:
    """What a frozen set keeps of readers who agree little."""
    row = {"criterion": "vote", "value": 0.31, "low": 0.1, "high": 0.52, "num_items": 40, "note": ""}
    readers = [{"accuracy": 0.7}] * 3
    votes = {"num_votes": 90, "converged": True, "readers": readers}
    return {
        "agreement": [{"criterion": "relevance"}, row | changed.pop("row", {})],
        "votes": votes | changed,
    }


@pytest.mark.parametrize(
    ("votes", "pairs", "loss", "says"),
    [
        (LITTLE, [pair()], "robust", "AC1 is 0.31 [0.10, 0.52] on 40 pairs"),
        (LITTLE, [pair()], "robust", "20% of 1 pair are the wrong way round (rule 1)."),
        (replace(LITTLE, agreement=0.6), [pair()], "sigmoid", "readers agree on votes"),
        (replace(LITTLE, agreement=0.599), [pair()], "robust", "below 0.6"),
        (replace(LITTLE, agreement=-0.2), [pair()], "robust", "-0.20"),
        (replace(LITTLE, low=None, high=None), [pair()], "robust", "AC1 is 0.31 on 40 pairs"),
        (replace(LITTLE, num_shared=10), [pair()], "robust", "10 pairs"),
        (replace(LITTLE, num_shared=9), [pair()], "sigmoid", "only 9 pairs of outputs have the votes"),
        (replace(LITTLE, num_shared=1), [pair()], "sigmoid", "only 1 pair of outputs has the votes"),
        (
            replace(LITTLE, agreement=None, num_shared=0, num_readers=1),
            [pair()],
            "sigmoid",
            "no pair of outputs has the votes of two readers (90 votes of 1 reader)",
        ),
        (replace(LITTLE, agreement=None, note="All alike."), [pair()], "sigmoid", "All alike (rule 1)."),
        (replace(LITTLE, num_votes=0, num_readers=0), [pair()], "sigmoid", "nobody voted"),
        (LITTLE, [pair(origin="rewrite")], "sigmoid", "no pair that is learned from comes from a vote"),
        (LITTLE, [], "sigmoid", "no pair that is learned from comes from a vote"),
        (None, [pair()], "sigmoid", "nothing is kept here"),
        (replace(LITTLE, knows_precision=False), [pair()], "ipo", "is assumed, not measured"),
        (LITTLE, [pair(0.2)], "robust", "40%"),
        (LITTLE, [pair(0.19)], "ipo", "too many to be corrected by their share"),
    ],
)
def test_the_loss_follows_from_how_far_readers_agree_and_says_so(
    votes: VotesBehind | None, pairs: list[TrainingPair], loss: str, says: str
) -> None:
    chosen = choose_loss(votes, pairs)
    assert chosen.loss == loss
    assert chosen.because.startswith(loss)
    assert says in chosen.because
    assert (chosen.flip_share > 0) == (loss == "robust")
    # What is chosen can be trained.
    DpoConfig(loss=loss, flip_share=chosen.flip_share, loss_because=chosen.because).require_decided()


def test_the_share_of_flips_is_that_of_the_pairs_as_they_are_drawn() -> None:
    drawn = [pair(0.2), pair(0.6), pair(1.0)]
    expected = (0.2 * 0.4 + 0.6 * 0.2 + 1.0 * 0.0) / 1.8
    assert flip_share_of(drawn) == pytest.approx(expected, abs=5e-4)
    assert flip_share_of([pair(5.0)]) == 0.0
    assert flip_share_of([]) == 0.0


def test_what_a_frozen_set_keeps_of_votes_is_read() -> None:
    assert VotesBehind.from_json(kept()) == LITTLE
    unsure = VotesBehind.from_json(kept(readers=[{"accuracy": 0.7}, {"accuracy": None}]))
    assert unsure is not None
    assert not unsure.knows_precision
    astray = VotesBehind.from_json(kept(converged=False))
    assert astray is not None
    assert not astray.knows_precision
    # Of two pairs only, the interval of an older set reaches beyond what a coefficient can be.
    wide = VotesBehind.from_json(kept(row={"low": -1.86, "high": 2}))
    assert wide is not None
    assert (wide.low, wide.high) == (-1, 1)
    assert VotesBehind.from_json({}) is None
    assert VotesBehind.from_json({"agreement": [{"criterion": "relevance"}]}) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"agreement": 5},
        {"agreement": [5]},
        {"agreement": [{"criterion": "vote"}]},
        kept(row={"value": "high"}),
        kept(row={"value": float("nan")}),
        kept(row={"value": 7}),
        kept(row={"low": float("inf")}),
        kept(readers=5),
        {**kept(), "votes": None},
    ],
)
def test_what_is_no_record_of_readers_is_refused_with_a_way_out(broken: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="Freeze the data set again, or name a loss"):
        VotesBehind.from_json(broken)


def decided(*stages: DpoConfig | SftConfig, weight: float = 0.6) -> list[Any]:
    recipe = with_losses_chosen(Recipe(stages), votes=lambda: LITTLE, pairs=lambda stage: [pair(weight)])
    return list(recipe.stages)


def test_a_named_loss_stays_and_carries_no_reason_that_was_not_its_own() -> None:
    for loss in ("sigmoid", "ipo"):
        [stage] = decided(DpoConfig(loss=loss, loss_because="of another data set"))
        assert (stage.loss, stage.loss_because) == (loss, "")
    [own, estimated] = decided(DpoConfig(loss="robust", flip_share=0.3), DpoConfig(loss="robust"))
    assert (own.flip_share, own.loss_because) == (0.3, "")
    assert (estimated.flip_share, estimated.loss_because) == (0.2, "")


def test_each_stage_that_leaves_its_loss_open_gets_one_and_can_be_opened_again() -> None:
    before = (SftConfig(), DpoConfig(num_steps=3))
    after = decided(*before)
    assert after[0] == before[0]
    assert (after[1].loss, after[1].flip_share, after[1].num_steps) == ("robust", 0.2, 3)
    assert with_losses_open(Recipe(tuple(after))) == Recipe(before)
    named = Recipe((DpoConfig(loss="ipo"),))
    assert with_losses_open(named) == named


def test_a_named_loss_asks_nothing_of_the_data() -> None:
    recipe = Recipe((SftConfig(), DpoConfig(loss="sigmoid")))
    assert with_losses_for_folder(recipe, Path("nowhere")) == recipe


def test_in_a_data_folder_the_readers_beside_the_pairs_choose(tmp_path: Path) -> None:
    write_examples(tmp_path, [pair(0.6), pair(1.0, "rewrite")], kind=TrainingPair)
    [alone] = with_losses_for_folder(Recipe((DpoConfig(),)), tmp_path).stages
    assert isinstance(alone, DpoConfig)
    assert alone.loss == "sigmoid"
    (tmp_path / "readers.json").write_text(json.dumps(kept()))
    both, votes, rewrites = with_losses_for_folder(
        Recipe((DpoConfig(), DpoConfig(origins=("vote",)), DpoConfig(origins=("rewrite",)))), tmp_path
    ).stages
    assert isinstance(both, DpoConfig)
    assert isinstance(votes, DpoConfig)
    assert isinstance(rewrites, DpoConfig)
    assert (both.loss, both.flip_share) == ("robust", 0.075)
    assert (votes.loss, votes.flip_share) == ("robust", 0.2)
    assert (rewrites.loss, rewrites.loss_because.count("comes from a vote")) == ("sigmoid", 1)


def test_why_a_loss_was_chosen_is_told_and_does_not_make_another_run_of_it() -> None:
    told = DpoConfig(loss="ipo", loss_because="ipo: for a reason.")
    assert told.taught == DpoConfig(loss="ipo").taught
    assert DpoConfig().loss == AUTOMATIC
    for wrong in (5, "x" * 1001):
        with pytest.raises(ValueError, match="loss_because"):
            DpoConfig.from_json({"loss_because": wrong})


def test_the_command_offers_the_loss_and_not_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["dpo", "--help"])
    said = capsys.readouterr().out
    assert "--loss " in said
    assert "--loss-because" not in said


def test_the_command_refuses_readers_that_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_examples(tmp_path, [pair()], kind=TrainingPair)
    (tmp_path / "readers.json").write_text('{"agreement": 5}')
    folders = ["--data", str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["dpo", *folders]) == 2
    assert "name a loss" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
