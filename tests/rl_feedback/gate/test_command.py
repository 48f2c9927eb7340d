"""`python -m rl_feedback gate` refuses what it need not measure, each for its reason, and never by a
traceback."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.phantom_dicom import write_phantom_dicom
from rl_feedback.__main__ import main
from rl_feedback.training.examples import TaughtText, write_examples
from tests.factories.models import write_untrained_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_untrained_model(tmp_path / "model")


def said_of(
    capsys: pytest.CaptureFixture[str], parent: Path, candidate: Path, *more: str
) -> tuple[int, str, str]:
    code = main(["gate", "--parent", str(parent), "--candidate", str(candidate), "--num-films", "4", *more])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_weight_that_is_no_number_is_damage(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = write_untrained_model(tmp_path / "damaged")
    [path] = damaged.glob("*.safetensors")
    weights = load_file(path)
    name = sorted(weights)[0]
    weights[name].view(-1)[3] = torch.nan
    save_file(weights, path, metadata={"format": "pt"})
    code, out, err = said_of(capsys, model, damaged)
    assert code == 0, err
    assert out == f"Held. Its checkpoint is damaged: {name} in {path.name} holds no numbers. By policy 6.\n"


def test_a_file_that_is_cut_off_or_gone_is_damage(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = write_untrained_model(tmp_path / "damaged")
    [path] = damaged.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])
    assert "model.safetensors can't be read" in said_of(capsys, model, damaged)[1]
    (damaged / "config.json").unlink()
    assert "config.json is missing" in said_of(capsys, model, damaged)[1]
    path.unlink()
    assert "Held. Its checkpoint is damaged: There is no model in" in said_of(capsys, model, damaged)[1]


def test_a_candidate_that_learned_from_a_sealed_patient_is_refused_unmeasured(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_phantom_dicom(data / "film.dcm", seed=1_000_002, size=96)
    write_examples(data, [TaughtText("film.dcm", "?", 1.0, "test", "text")], kind=TaughtText)
    code, out, _ = said_of(capsys, model, model, "--trained-on", str(data))
    assert code == 0
    assert out.startswith("Held. It was trained on the test: 1 of the 1 film it learned from is of")


def test_a_whole_candidate_is_measured_on_every_suite(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said_of(capsys, model, model)
    assert code == 0, err
    for place in ("the first site", "the second site", "canaries", "twins of the first site"):
        assert f"\n{place} " in f"\n{out}"
    assert out.splitlines()[-1].startswith("Nothing changed. On every held-out film")
