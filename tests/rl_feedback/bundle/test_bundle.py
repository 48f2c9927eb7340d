"""A bundle holds what a cluster needs, tells no name, and its reward scores as ours on its own."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from jinja2 import Template
from PIL import Image

from inference.engines.folders import folder_sha256
from inference.images import prepare_image, render_reference
from inference.presets import PRESETS
from rl_feedback.__main__ import main
from rl_feedback.bundle import read_manifest, write_bundle
from rl_feedback.bundle.carried_code import ROOT
from rl_feedback.bundle.checking import check_bundle
from rl_feedback.bundle.manifest import seal
from rl_feedback.bundle.writing import LARGEST_BATCH
from rl_feedback.training.examples import RewardedCase, ValidationCase, read_examples, write_examples
from rl_feedback.training.phantom_data import write_phantom_data
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView.of(PRESETS["phantom"])
NUM_FILMS = 5


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_phantom_data(folder, seeds=range(NUM_FILMS), site="first")
    cases = list(read_examples(folder, RewardedCase))
    step = {"text": "The heart is big", "criterion": "plausibility", "value": 0.8, "variance": None}
    cases[0] = replace(cases[0], steps=[step])
    # Nobody drew regions of this one.
    cases[1] = replace(cases[1], regions=None)
    write_examples(folder, cases, kind=RewardedCase)
    return folder


@pytest.fixture(scope="module")
def bundle(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "bundle"
    assert main(["export-bundle", *("--data", str(data), "--model", str(model), "--out", str(out))]) == 0
    return out


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def written(data: Path, model: Path, out: Path, **other: object) -> Path:
    parts = {
        "train": read_examples(data, RewardedCase),
        "validation": read_examples(data, ValidationCase),
        "view": VIEW,
        **other,
    }
    write_bundle(out, data=data, model=model, **parts)  # type: ignore[arg-type]
    return out


def test_its_tables_load_with_films_as_the_model_sees_them(bundle: Path, data: Path) -> None:
    rows = load_dataset("parquet", data_files=str(bundle / "train.parquet"), split="train", streaming=True)
    case = read_examples(data, RewardedCase)[0]
    row = next(iter(rows))
    assert row["problem"] == f"<image>{case.prompt}"
    assert row["split"] == "train"
    known = json.loads(row["answer"])
    assert (known["answer"], known["regions"], known["box_frame"]) == (case.answer, case.regions, "processed")
    assert known["steps"][0]["criterion"] == "plausibility"
    shown = prepare_image(
        render_reference(data / case.film), preparation="square", min_pixels=12544, max_pixels=12544
    )
    with Image.open(bundle / row["images"][0]) as image:
        assert image.convert("RGB").tobytes() == shown.tobytes()
        assert not image.info
    validated = load_dataset("parquet", data_files=str(bundle / "val.parquet"), split="train", streaming=True)
    assert [row["split"] for row in validated] == ["validation"] * 3


def test_its_reward_scores_on_its_own_as_ours_in_both_ways(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-bundle", str(bundle)]) == 0
    said = capsys.readouterr().out
    assert "holds 5 cases and 3 to validate on" in said
    # Four attempts at each of eight cases.
    assert "scored 32 attempts on its own" in said


def test_a_reward_that_is_not_ours_is_found_out(copied: Path) -> None:
    code = copied / "reward_code" / "rl_feedback" / "rewards" / "version.py"
    code.write_text(code.read_text("utf-8").replace("regions=0.30", "regions=0.15").replace("0.45", "0.60"))
    with pytest.raises(ValueError, match=r"1 files are not as they were written: reward_code/.*version\.py"):
        check_bundle(copied)
    reseal(copied)
    with pytest.raises(ValueError, match="grounded reward scores otherwise"):
        check_bundle(copied)
    code.unlink()
    reseal(copied)
    with pytest.raises(ValueError, match="can't be called on its own: ModuleNotFoundError"):
        check_bundle(copied)


def reseal(bundle: Path) -> None:
    old = read_manifest(bundle / "manifest.json")
    seal(bundle, parent=old.parent, reward=old.reward, num_train=5, num_validation=3)


def test_the_code_it_carries_is_the_code_that_runs_here(bundle: Path) -> None:
    carried = sorted((bundle / "reward_code").rglob("*.py"))
    assert {path.name for path in carried} >= {"grounded.py", "paper.py", "labeller.py", "grounding.py"}
    for path in carried:
        assert path.read_bytes() == (ROOT / path.relative_to(bundle / "reward_code")).read_bytes()


def test_its_config_has_the_fields_of_easyr1_and_fits_the_data(bundle: Path, model: Path) -> None:
    config = yaml.safe_load((bundle / "config.yaml").read_text("utf-8"))
    assert set(config) == {"data", "algorithm", "worker", "trainer"}
    assert config["data"]["rollout_batch_size"] == config["worker"]["actor"]["global_batch_size"] == 4
    assert config["data"]["rollout_batch_size"] <= LARGEST_BATCH
    assert (config["data"]["min_pixels"], config["data"]["max_pixels"]) == (12544, 12544)
    assert config["worker"]["reward"]["reward_function_kwargs"] == {"reward": "grounded"}
    asked = Template((bundle / "format_prompt.jinja").read_text("utf-8").strip()).render(
        content="<image>Why?"
    )
    assert asked == "<image>Why?"
    manifest = read_manifest(bundle / "manifest.json")
    assert manifest.parent == folder_sha256(model)
    assert set(manifest.files) >= {"train.parquet", "val.parquet", "reward.py", "launch.sh", "README.md"}


def test_nothing_in_it_names_a_film_or_a_folder(bundle: Path, data: Path) -> None:
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    for name in (
        str(data),
        str(Path.home()) + "/",
        *(case.film for case in read_examples(data, RewardedCase)),
    ):
        assert name.encode() not in everything


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"validation": ()}, "at least one to validate on"),
        ({"reward": "kind"}, "no reward kind"),
        ({"view": FilmView.of(PRESETS["deepmedix-r1"])}, "its regions would not fit"),
    ],
)
def test_what_can_not_be_handed_over_is_refused_and_leaves_nothing(
    data: Path, model: Path, tmp_path: Path, broken: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        written(data, model, tmp_path / "out" / "bundle", **broken)
    assert not list(tmp_path.rglob("*")) or not any((tmp_path / "out").iterdir())


def test_a_film_is_on_one_side_and_a_question_holds_no_other_film(
    data: Path, model: Path, tmp_path: Path
) -> None:
    train = read_examples(data, RewardedCase)
    held = tuple(replace(case, film=train[0].film) for case in read_examples(data, ValidationCase))
    with pytest.raises(ValueError, match="1 films are on both sides"):
        written(data, model, tmp_path / "bundle", validation=held)
    asked = (replace(train[0], prompt="Compare with <image>"),)
    with pytest.raises(ValueError, match="would stand for a film"):
        written(data, model, tmp_path / "bundle", train=asked)


def test_the_start_script_trains_merges_and_gathers_what_goes_back(copied: Path, tmp_path: Path) -> None:
    """With a trainer in EasyR1's place that writes what EasyR1 writes: no GPU is at hand."""
    easyr1, out = tmp_path / "EasyR1", tmp_path / "out"
    (easyr1 / "verl" / "trainer").mkdir(parents=True)
    (easyr1 / "scripts").mkdir()
    (easyr1 / "verl" / "trainer" / "main.py").write_text(
        "import json, pathlib, sys\n"
        "given = dict(word.split('=', 1) for word in sys.argv[1:])\n"
        "assert pathlib.Path(given['data.train_files']).is_file()\n"
        "assert pathlib.Path(given['worker.reward.reward_function'].split(':')[0]).is_file()\n"
        "assert given['trainer.total_epochs'] == '3'\n"
        "actor = pathlib.Path(given['trainer.save_checkpoint_path'], 'global_step_5', 'actor')\n"
        "actor.mkdir(parents=True)\n"
        "tracker = actor.parents[1] / 'checkpoint_tracker.json'\n"
        "tracker.write_text(json.dumps({'last_actor_path': str(actor), 'last_global_step': 5}))\n"
    )
    (easyr1 / "scripts" / "model_merger.py").write_text(
        "import pathlib, sys\n"
        "merged = pathlib.Path(sys.argv[2], 'huggingface')\n"
        "merged.mkdir()\n"
        "(merged / 'model.safetensors').write_bytes(b'weights')\n"
    )
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MODEL": str(tmp_path),
        "EASYR1": str(easyr1),
        "OUT": str(out),
    }
    told = subprocess.run(
        [str(copied / "launch.sh"), "trainer.total_epochs=3"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    returned = {path.name for path in (out / "returned").iterdir()}
    assert returned == {"model.safetensors", "manifest.json", "metrics.json"}
    (copied / "train.parquet").write_bytes(b"other")
    told = subprocess.run(
        [str(copied / "launch.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode != 0
    assert "not as they were exported: train.parquet" in told.stderr
