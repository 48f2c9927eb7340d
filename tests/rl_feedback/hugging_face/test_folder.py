"""A shared data set is loaded by `datasets` with its defaults, and TRL learns from every subset of it."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import DatasetDict, get_dataset_config_names, load_dataset
from huggingface_hub import DatasetCard
from PIL import Image
from trl.data_utils import is_conversational, maybe_unpair_preference_dataset
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer

from inference.images import prepare_image, render_reference
from inference.qwen_vl import LoadedModel, load_model_and_processor
from rl_feedback.__main__ import main
from rl_feedback.hugging_face import SUBSETS, PartWriter, parts, show_film
from rl_feedback.hugging_face.folder import judged_steps
from rl_feedback.rewards.trl_functions import trl_grounded_reward
from rl_feedback.rewards.truth import CaseTruth
from rl_feedback.training.examples import (
    RatedStep,
    RewardedCase,
    TrainingPair,
    read_examples,
    write_examples,
)
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model
from tests.factories.shared_folder import NUM_FILMS, PREFIX, USE, true_text, written

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
ONE_STEP: dict[str, Any] = {
    "max_steps": 1,
    "per_device_train_batch_size": 2,
    "report_to": [],
    "disable_tqdm": True,
    "save_strategy": "no",
    "bf16": False,
    "use_cpu": True,
}


@pytest.fixture
def loaded(folder: Path, tmp_path: Path) -> Callable[[str], DatasetDict]:
    def load(subset: str) -> DatasetDict:
        found = load_dataset(str(folder), subset, cache_dir=str(tmp_path / "cache"))
        assert isinstance(found, DatasetDict)
        return found

    return load


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return load_model_and_processor(write_untrained_model(tmp_path / "model"))


def test_every_subset_loads_with_films_as_the_model_saw_them(
    folder: Path, data: Path, loaded: Callable[[str], DatasetDict]
) -> None:
    assert get_dataset_config_names(str(folder)) == [subset.name for subset in SUBSETS]
    film = read_examples(data, RewardedCase)[0].film
    expected = prepare_image(
        render_reference(data / film), preparation="square", min_pixels=12544, max_pixels=12544
    )
    for subset, num_rows in (
        ("preference", {"train": NUM_FILMS}),
        ("step_preference", {"train": 2}),
        ("unpaired", {"train": 2 * NUM_FILMS}),
        ("stepwise", {"train": NUM_FILMS}),
        ("prompt_only", {"train": NUM_FILMS, "validation": 3}),
    ):
        found = loaded(subset)
        assert {split: rows.num_rows for split, rows in found.items()} == num_rows
        [image] = found["train"][0]["images"]
        assert isinstance(image, Image.Image)
        assert image.convert("RGB").tobytes() == expected.tobytes()
        row = found["train"][0]
        assert (row["model_size"], row["box_frame"]) == ([112, 112], "processed")
        # The first case has no regions that would be counted on a size of their own.
        assert row["image_size"] == [448, 448]


def test_dpo_learns_from_preferences_as_trl_loads_them(
    loaded: Callable[[str], DatasetDict], model: LoadedModel, tmp_path: Path
) -> None:
    rows = loaded("preference")["train"]
    assert is_conversational(rows[0])
    assert rows[0]["chosen"] == [{"role": "assistant", "content": true_text(0)}]
    assert (rows[0]["weight"], rows[0]["origin"]) == (0.64, "vote")
    before = {name: one.detach().clone() for name, one in model.model.named_parameters()}
    trainer = DPOTrainer(
        model=model.model,
        args=DPOConfig(output_dir=str(tmp_path / "dpo"), max_length=None, learning_rate=0.01, **ONE_STEP),
        train_dataset=rows,
        processing_class=model.processor,
    )
    assert trainer.train().training_loss == pytest.approx(0.6931, abs=1e-3)
    assert any(not one.equal(before[name]) for name, one in model.model.named_parameters())
    # A preference is two unpaired rows too.
    assert maybe_unpair_preference_dataset(
        rows.select_columns(["prompt", "chosen", "rejected"])
    ).num_rows == (2 * NUM_FILMS)


def test_pairs_of_steps_stand_whole_with_the_beginning_named(loaded: Callable[[str], DatasetDict]) -> None:
    row = loaded("step_preference")["train"][0]
    assert row["prefix"] == PREFIX
    assert row["chosen"][0]["content"] == PREFIX + "Both lungs are clear"
    assert row["rejected"][0]["content"] == PREFIX + "A left effusion"


def test_kto_learns_from_unpaired_texts_as_trl_loads_them(
    loaded: Callable[[str], DatasetDict], model: LoadedModel, tmp_path: Path
) -> None:
    rows = loaded("unpaired")["train"]
    assert [row["label"] for row in rows.select_columns(["label"])] == [True, False] * NUM_FILMS
    assert is_conversational(rows[0])
    trainer = KTOTrainer(
        model=model.model,
        args=KTOConfig(output_dir=str(tmp_path / "kto"), max_length=None, **ONE_STEP),
        train_dataset=rows,
        processing_class=model.processor,
    )
    assert 0 < trainer.train().training_loss < 1


def test_grpo_attempts_the_prompts_and_our_reward_knows_their_columns(
    loaded: Callable[[str], DatasetDict], data: Path, model: LoadedModel, tmp_path: Path
) -> None:
    rows = loaded("prompt_only")["train"]
    truths = [
        CaseTruth.from_columns(dict(row)) for row in rows.remove_columns(["images", "prompt"]).to_list()
    ]
    assert truths == [CaseTruth.from_columns(vars(case)) for case in read_examples(data, RewardedCase)]
    assert rows[1]["steps"][0]["value"] == 0.8
    seen: list[list[Any]] = []
    ours = trl_grounded_reward()

    def reward(completions: Any, **columns: Any) -> Any:
        seen.append(columns["regions"])
        return ours(completions, **columns)

    GRPOTrainer(
        model=model.model,
        reward_funcs=[reward],
        args=GRPOConfig(
            output_dir=str(tmp_path / "grpo"),
            num_generations=2,
            max_completion_length=8,
            generation_kwargs={"suppress_tokens": list(model.suppressed_tokens)},
            **ONE_STEP,
        ),
        train_dataset=rows,
        processing_class=model.processor,
    ).train()
    assert len(seen) == 1
    known = [truth.regions for truth in truths]
    assert all(CaseTruth.from_columns({**rows[0], "regions": one}).regions in known for one in seen[0])


def test_steps_are_labelled_up_to_the_first_that_nobody_judged(
    loaded: Callable[[str], DatasetDict], model: LoadedModel
) -> None:
    row = loaded("stepwise")["train"][0]
    assert row["completions"] == ["Clear", "Big heart [1, 2, 3, 4]"]
    assert (row["labels"], row["values"]) == ([True, False], [0.875, 0.375])
    # As a process reward model reads it: the question, then each step with its label at its end.
    tokens = model.processor.tokenizer
    ends = [len(tokens(step + "\n")["input_ids"]) for step in row["completions"]]
    whole = tokens("\n".join(row["completions"]) + "\n")["input_ids"]
    assert sum(ends) == len(whole)
    assert len(row["labels"]) == len(ends)


def test_a_text_whose_first_step_nobody_judged_is_no_row() -> None:
    text = "<think> Clear; Big heart </think> \\boxed{big heart}"
    rated = RatedStep("a.dcm", "q", 1.0, "rating", text, 1, 5, "a", "p")
    assert list(judged_steps([rated])) == []


def test_a_second_write_gives_the_same_bytes_and_the_manifest_knows_them(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    again = written(data, tmp_path / "again")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    assert manifest["data_use"] == USE
    for name, path in files.items():
        assert path.read_bytes() == (again / name).read_bytes()
        if name != "manifest.json":
            assert manifest["files"][name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_card_is_one_that_hugging_face_reads_and_typed_words_are_words_in_it(folder: Path) -> None:
    card = DatasetCard.load(folder / "README.md")
    about: Mapping[str, Any] = card.data.to_dict()
    assert about["pretty_name"] == "Round [1]: # first"
    assert (about["license"], about["size_categories"]) == ("other", ["n<1K"])
    assert [one["config_name"] for one in about["configs"]] == [subset.name for subset in SUBSETS]
    assert {one["config_name"]: one["splits"][0]["num_examples"] for one in about["dataset_info"]}[
        "unpaired"
    ] == 2 * NUM_FILMS
    assert "\\<b\\>Not\\</b\\>" in card.text
    assert "# Round \\[1\\]: \\# first" in card.text
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b".dcm" not in everything
    assert str(folder.parent).encode() not in everything


def test_many_rows_of_one_film_hold_its_picture_once_and_wait_in_few_groups(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    pair = read_examples(data, TrainingPair)[0]
    shown = show_film(data / pair.film, name="film-1", view=VIEW, box_frame="processed")
    writer = PartWriter(tmp_path, split="train", number=0)
    assert writer.add(shown, [pair] * 250) == 250
    [file] = writer.close()
    path = tmp_path / file.name
    assert (file.name, file.num_rows) == ("preference/train-00000.parquet", 250)
    assert parquet.read_metadata(path).num_row_groups == 3
    assert path.stat().st_size < 6 * len(shown.png)

    # By bytes as by rows: what waits does not grow with the films.
    monkeypatch.setattr(parts, "GROUP_BYTES", len(shown.png) + 1)
    writer = PartWriter(tmp_path, split="train", number=1)
    writer.add(shown, [pair] * 10)
    [file] = writer.close()
    assert parquet.read_metadata(tmp_path / file.name).num_row_groups == 5


def of_another_model(data: Path, out: Path) -> None:
    cases = [replace(case, model_size=[224, 224]) for case in read_examples(data, RewardedCase)]
    write_examples(data, cases, kind=RewardedCase)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (of_another_model, "Choose the preset that the data are of"),
        (
            lambda data, out: [path.unlink() for path in data.glob("*.jsonl")],
            "Name a data folder that has any",
        ),
        (lambda data, out: out.mkdir(), "Name a new folder"),
        (
            lambda data, out: [path.unlink() for path in data.glob("*.dcm")],
            "A film of the data set is missing",
        ),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path, Path], object],
    sentence: str,
) -> None:
    copied, out = Path(shutil.copytree(data, tmp_path / "data")), tmp_path / "out"
    damage(copied, out)
    told = ("--title", "Round 1", "--use", USE, "--as-of", "2026-11-29")
    assert main(["hugging-face", "--data", str(copied), "--out", str(out), *told]) == 2
    assert sentence in capsys.readouterr().err
    assert not out.exists() or not any(out.iterdir())
    assert not list(tmp_path.glob(".folder-*"))


def test_a_day_that_is_none_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ("--title", "Round 1", "--use", USE, "--as-of", "yesterday")
    with pytest.raises(SystemExit, match="2"):
        main(["hugging-face", "--data", str(data), "--out", str(tmp_path / "out"), *told])
    assert "'yesterday' is no day as YYYY-MM-DD" in capsys.readouterr().err
