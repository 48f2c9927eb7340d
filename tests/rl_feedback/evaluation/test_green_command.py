"""`python -m rl_feedback evaluate --green`: a judge on a model server gives GREEN, or says why not."""

from pathlib import Path

import pytest

from rl_feedback.__main__ import main
from tests.factories.simulated_model_server import MODEL, SimulatedServer
from tests.rl_feedback.evaluation.evaluated import result_of, two_reports


def test_a_judge_on_a_server_counts_for_green_and_is_asked_each_question_once(tmp_path: Path) -> None:
    server = SimulatedServer()
    try:
        judge = ["--green", f"{server.origin}/v1", "--green-model", MODEL]
        assert main(["evaluate", *two_reports(tmp_path), *judge, "--out", str(tmp_path / "out")]) == 0
        asked = server.asked("Compare a candidate chest X-ray report")
    finally:
        server.kill()
    # One report of the two models is the same, against the same reference.
    assert len(asked) == 3
    report = result_of(tmp_path / "out")
    found = [report.figure("report", "green", system) for system in ("good", "worse")]
    assert [one and one.value for one in found] == [0.5, 0.5]
    assert report.provenance["judge of GREEN"] == f"{MODEL}, question green-1"
    assert not [one for one in report.absent if one.measure == "green"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "by a judge at an endpoint, question green-1" in page
    assert MODEL in page
    assert r"GREEN &" in (tmp_path / "out" / "tables.tex").read_text("utf-8")


@pytest.mark.parametrize(
    ("model", "says"), [(MODEL, "can't be reached"), ("another", "has no model named another")]
)
def test_where_the_judge_can_not_be_asked_green_alone_is_unavailable_because_of_it(
    tmp_path: Path, model: str, says: str
) -> None:
    server = SimulatedServer()
    try:
        if model == MODEL:
            server.kill()
        judge = ["--green", f"{server.origin}/v1", "--green-model", model]
        assert main(["evaluate", *two_reports(tmp_path), *judge, "--out", str(tmp_path / "out")]) == 0
    finally:
        server.kill()
    report = result_of(tmp_path / "out")
    (absent,) = [one for one in report.absent if one.measure == "green"]
    assert says in absent.reason
    assert "--green" in absent.way_out
    assert report.figure("report", "bleu_1", "good") is not None
