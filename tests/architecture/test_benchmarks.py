import json

import pytest

from benchmarks.__main__ import main, names, purpose
from benchmarks.report import Figure, Peer, report


def test_the_benchmarks_of_the_road_are_listed_each_with_its_purpose(capsys) -> None:
    assert {"rating_save", "worklist", "frames", "generate"} <= set(names())
    assert main([]) == 0
    shown = capsys.readouterr().out
    for name in names():
        assert f"{name:<14}{purpose(name)}" in shown
        assert purpose(name).startswith("How ")


def test_a_benchmark_that_this_machine_cannot_run_says_so_and_ends_as_failed(
    capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main(["gpu_training"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("gpu_training was not run: it needs a CUDA device")


def test_a_report_is_one_json_object_with_the_peer_the_ratio_and_the_machine() -> None:
    figure = Figure(what="pages", value=30.0, unit="ms", peer=Peer("a peer", 20.0), n=5)
    read = json.loads(report("pages", [figure]))
    assert read["figures"] == [
        {
            "what": "pages",
            "value": 30.0,
            "unit": "ms",
            "peer": {"what": "a peer", "value": 20.0},
            "n": 5,
            "ratio": 1.5,
        }
    ]
    assert read["machine"]["num_cores"] >= 1
