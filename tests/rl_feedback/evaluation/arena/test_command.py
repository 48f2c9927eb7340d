"""The arena from a shell, against a SIMULATED judge behind an endpoint and from recorded judgements."""

import json
from pathlib import Path

import pytest

from rl_feedback.__main__ import main
from tests.factories.simulated_model_server import MODEL, SimulatedServer
from tests.rl_feedback.evaluation.arena.judged import comparisons, truthful, votes


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Three models on thirty cases."""
    lines = {}
    for pair in comparisons(30):
        for model, text in ((pair.first, pair.first_text), (pair.second, pair.second_text)):
            lines[pair.case, model] = {
                "case": pair.case,
                "model": model,
                "text": text,
                "category": pair.category,
                "reference": pair.reference,
            }
    file = tmp_path / "reports.jsonl"
    file.write_text("\n".join(map(json.dumps, lines.values())))
    return file


def recorded(path: Path, *, num: int | None = None) -> Path:
    lines = [
        {"case": one.case, "first": one.first, "second": one.second, "text": truthful(one, 0)}
        for pair in comparisons(30)
        for one in (pair, pair.turned)
    ][:num]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def arena(reports: Path, *options: object) -> int:
    return main(["arena", "--reports", str(reports), *map(str, options)])


def board(folder: Path):
    return json.loads((folder / "board.json").read_text("utf-8"))


def test_recorded_judgements_and_votes_make_a_board_and_the_order_is_the_true_one(
    reports: Path, tmp_path: Path, capsys
) -> None:
    cast = tmp_path / "votes.jsonl"
    cast.write_text(
        "\n".join(
            json.dumps(
                {
                    "case": one.case,
                    "first": one.first,
                    "second": one.second,
                    "expert": one.judge,
                    "verdict": str(one.verdict),
                }
            )
            for one in votes(30)
        )
    )
    out = tmp_path / "out"
    assert (
        arena(reports, "--recorded", recorded(tmp_path / "judge-1.jsonl"), "--votes", cast, "--out", out) == 0
    )
    told = capsys.readouterr().out
    assert told.startswith("The protocol of these battles is our own")
    assert "judge-1 against experts on 90 pairs: kappa" in told
    found = board(out)
    assert [row["model"] for row in found["judges"]["rows"]] == ["good", "middling", "bad"]
    assert [row["model"] for row in found["experts"]["rows"]] == ["good", "middling", "bad"]


def test_a_run_that_lacked_judgements_goes_on_and_ends_as_one_that_had_them_all(
    reports: Path, tmp_path: Path, capsys
) -> None:
    judge = tmp_path / "judge-1.jsonl"
    arena(reports, "--recorded", recorded(judge), "--out", tmp_path / "whole")
    arena(reports, "--recorded", recorded(judge, num=50), "--out", tmp_path / "cut")
    assert "What is judged is kept" in board(tmp_path / "cut")["ended"]
    # As if the machine had stopped in the middle of a line.
    with (tmp_path / "cut" / "judgements.jsonl").open("a") as lines:
        lines.write('{"key": "ab')
    arena(reports, "--recorded", recorded(judge), "--out", tmp_path / "cut")
    assert board(tmp_path / "cut") == board(tmp_path / "whole")


def test_a_judge_behind_an_endpoint_that_always_takes_the_first_is_unmasked(
    reports: Path, tmp_path: Path, capsys
) -> None:
    server = SimulatedServer()
    try:
        options = ("--endpoint", f"{server.origin}/v1", "--judge", MODEL, "--out", tmp_path / "out")
        assert arena(reports, *options, "--most-requests", 40) == 0
        assert "could pass 40 requests" in capsys.readouterr().out
        assert arena(reports, *options) == 0
        asked = server.log()["requests"]
    finally:
        server.kill()
    assert "in 100% of its decisions. It looks at the order" in capsys.readouterr().out
    questions = [request["body"]["messages"][0]["content"] for request in asked]
    assert len(questions) == len(set(questions))
    assert board(tmp_path / "out")["ended"] == ""


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([{"case": "x"}], "a report has no model"),
        ([{"case": "x", "model": "m", "text": ""}], "no case that two models reported"),
        ([{"case": "x", "model": "m", "text": ""}] * 2, "two reports of x by m"),
    ],
)
def test_reports_that_make_no_battle_are_refused(lines, says, tmp_path: Path, capsys) -> None:
    file = tmp_path / "reports.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert arena(file, "--out", tmp_path / "out") == 2
    assert says in capsys.readouterr().err
