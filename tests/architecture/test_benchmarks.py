import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main, names, purpose
from benchmarks.gpu_inference import by_transformers, copied_per_second
from benchmarks.gpu_training import TEXT, VISION, write_model
from benchmarks.report import Figure, Peer, report


def test_the_benchmarks_of_the_road_are_listed_each_with_its_purpose(capsys) -> None:
    assert {"rating_save", "worklist", "frames", "generate"} <= set(names())
    assert main([]) == 0
    shown = capsys.readouterr().out
    for name in names():
        assert f"{name:<14}{purpose(name)}" in shown
        assert purpose(name).startswith("How ")


@pytest.mark.parametrize("name", ["gpu_inference", "gpu_training"])
def test_a_benchmark_that_this_machine_cannot_run_says_so_and_ends_as_failed(
    name: str, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main([name]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{name} was not run: it needs a CUDA device")


def test_inference_on_a_gpu_is_measured_by_the_workers_engine(tmp_path: Path) -> None:
    """On the processor, with the same shape made small."""
    text = TEXT | {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 512}
    text |= {"num_attention_heads": 2, "num_key_value_heads": 1}
    text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 2, 2]}}
    vision = VISION | {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2}
    vision |= {"out_hidden_size": 32, "fullatt_block_indexes": [1]}
    write_model(tmp_path / "model", text=text, vision=vision, device="cpu", ends=False)
    figures = by_transformers(
        tmp_path / "model",
        device="cpu",
        dtype="float32",
        bytes_per_second=copied_per_second("cpu", num_bytes=1024**2),
        batches=(1, 2),
        num_new_tokens=3,
        side_px=64,
        num_runs=1,
    )
    assert [figure.unit for figure in figures] == ["per minute", "per second"] * 2
    assert [figure.n for figure in figures] == [1, 1, 2, 2]
    assert "2 films at once, 3 tokens each, transformers, float32, attention" in figures[2].what
    films, tokens = figures[2].value, figures[3].value
    assert tokens == pytest.approx(films / 60 * 3)
    # Two films at once may read the weights half as often.
    assert figures[3].peer.value == pytest.approx(2 * figures[1].peer.value)


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
