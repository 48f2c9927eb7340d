"""Where a run may learn, what several workers are told to do, and how they are listened to."""

from pathlib import Path
from typing import Any

import pytest

from rl_feedback.__main__ import main
from rl_feedback.engines.addresses import require_allowed
from rl_feedback.engines.learning import learn
from rl_feedback.engines.local import launch_command, require_machine
from rl_feedback.engines.packing import Job, pack, read_job
from rl_feedback.engines.placement import Placement
from rl_feedback.engines.ray_cluster import ClusterFailed, RayCluster
from rl_feedback.engines.sharding import sharding_environment, sharding_options
from rl_feedback.engines.telling import Followed, Teller
from rl_feedback.training.config import DpoConfig, GrpoConfig, SftConfig
from rl_feedback.training.examples import TaughtText, write_examples
from rl_feedback.training.grpo import who_writes
from rl_feedback.training.recipe import Recipe
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
TWO_GPUS = Placement(num_workers=2, gpus_per_worker=1)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"engine": "slurm"}, "engine must be one of local, ray"),
        ({"num_workers": 0}, "num_workers must be a whole number from 1"),
        ({"gpus_per_worker": 2}, "gpus_per_worker must be a whole number from 0 to 1"),
        ({"max_retries": -1}, "max_retries must be"),
        ({"sharding": "fsdp", "num_workers": 2}, "it needs num_workers of 2 or more and gpus"),
        ({"nodes": 2}, "There is no choice nodes; they are engine"),
    ],
)
def test_a_placement_that_cannot_work_is_refused_by_name(choices, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        Placement.from_json(choices)


def test_what_workers_cannot_share_evenly_is_refused_with_its_stage() -> None:
    recipe = Recipe((SftConfig(), DpoConfig(examples_per_step=3, replay_per_step=0)))
    with pytest.raises(ValueError, match="Stage 2: examples_per_step is 3, which 2 workers can't share"):
        Placement(num_workers=2).require_divisible(recipe)
    sharded = Placement(num_workers=2, gpus_per_worker=1, sharding="fsdp")
    with pytest.raises(ValueError, match="Set sample_every to 0"):
        sharded.require_divisible(Recipe((SftConfig(),)))
    sharded.require_divisible(Recipe((SftConfig(sample_every=0),)))


def test_films_are_sent_to_this_machine_or_to_named_hosts_alone() -> None:
    for address in ("http://127.0.0.1:8265", "http://localhost:8265", "http://[::1]:8265"):
        assert require_allowed(address) == address
    assert require_allowed("https://ray.example.org", hosts=["ray.example.org"])
    with pytest.raises(ValueError, match=r"ray\.example\.org is not among the hosts .* RAY_HOSTS"):
        RayCluster("http://ray.example.org:8265")
    for address in ("127.0.0.1:8265", "ray://127.0.0.1:10001", "http://user:secret@127.0.0.1:8265"):
        with pytest.raises(ValueError, match="is no address of a Ray cluster") as refusal:
            require_allowed(address)
        assert "secret" not in str(refusal.value)


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(ClusterFailed, match=r"No Ray cluster answers at http://127\.0\.0\.1:1\."):
        RayCluster("http://127.0.0.1:1").require_reachable()


def test_a_shell_is_told_what_a_run_on_a_cluster_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--data", str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "out")]
    for more, sentence in (
        ([], "--engine ray needs --address, the cluster's job API, and --shared, its storage"),
        (["--address", "http://ray.example.org:1"], "ray.example.org is not among the hosts"),
        (["--address", "http://127.0.0.1:1"], "No Ray cluster answers at http://127.0.0.1:1"),
        (["--workers", "3"], "Stage 1: examples_per_step is 8, which 3 workers can't share evenly"),
    ):
        shared = ["--shared", str(tmp_path / "shared")] if more else []
        assert main(["dpo", *folders, "--loss", "sigmoid", "--engine", "ray", *shared, *more]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "shared").exists()


def test_several_gpus_are_used_by_one_command_of_accelerate() -> None:
    job = Job(Path("/run"), Recipe((SftConfig(),)), VIEW, Path("/parent"), Path("/data"), TWO_GPUS)
    command = launch_command(job, 3)
    assert command[1:3] == ["-m", "accelerate.commands.launch"]
    assert command[3:].count("2") == 1
    assert "--multi_gpu" in command
    assert command[-6:] == ["--module", "rl_feedback", "worker", "/run", "--attempt", "3"]


def test_accelerate_knows_every_option_with_which_weights_are_dealt() -> None:
    from accelerate.commands.launch import launch_command_parser

    for sharding, is_used in (("fsdp", "use_fsdp"), ("zero2", "use_deepspeed"), ("zero3", "use_deepspeed")):
        place = Placement(num_workers=2, gpus_per_worker=1, sharding=sharding)
        read = launch_command_parser().parse_args([*sharding_options(place), "script.py"])
        assert getattr(read, is_used)
        if sharding == "fsdp":
            assert read.fsdp_version == "2"
            assert "Qwen2_5_VLDecoderLayer" in read.fsdp_transformer_layer_cls_to_wrap
        else:
            assert read.zero_stage == int(sharding[-1])
    from accelerate import FullyShardedDataParallelPlugin

    with pytest.MonkeyPatch.context() as patch:
        fsdp = Placement(num_workers=2, gpus_per_worker=1, sharding="fsdp")
        for name, value in sharding_environment(fsdp).items():
            patch.setenv(name, value)
        plugin = FullyShardedDataParallelPlugin()
        assert plugin.fsdp_version == 2
        assert plugin.transformer_cls_names_to_wrap == ["Qwen2_5_VLDecoderLayer", "Qwen2_5_VLVisionBlock"]


def test_what_this_machine_lacks_is_said() -> None:
    with pytest.raises(ValueError, match="num_workers is 2 with a GPU each; this machine has 1"):
        require_machine(TWO_GPUS, num_gpus=1)
    require_machine(TWO_GPUS, num_gpus=2)
    zero = Placement(num_workers=2, gpus_per_worker=1, sharding="zero3")
    with pytest.raises(ValueError, match="needs DeepSpeed, which is not installed here"):
        require_machine(zero, num_gpus=2)


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    teller, followed = Teller(tmp_path / "told.jsonl"), Followed(tmp_path / "told.jsonl")
    assert followed.new() == []
    teller.retried("once")
    with teller.path.open("a") as file:
        file.write('{"kind": "ref')
        file.flush()
        assert [event["reason"] for event in followed.new()] == ["once"]
        file.write('used", "reason": "why"}\n')
    assert [event["reason"] for event in followed.new()] == ["why"]
    assert teller.was_refused()


def test_what_would_happen_again_is_told_as_refused(tmp_path: Path) -> None:
    write_untrained_model(tmp_path / "parent")
    film = tmp_path / "data" / "1.dcm"
    text = TaughtText(str(film), "What is there?", 1.0, "phantom", "x")
    write_examples(tmp_path / "data", [text], kind=TaughtText)
    arguments: dict[str, Any] = {
        "recipe": Recipe((SftConfig(num_steps=1, replay_per_step=0),)),
        "view": VIEW,
        "parent": tmp_path / "parent",
        "data": tmp_path / "data",
        "placement": Placement("ray"),
        "models": tmp_path / "models",
    }
    with pytest.raises(ValueError, match="A film of the data set is missing"):
        pack(tmp_path / "job", **arguments)
    film.write_bytes(b"no film")
    job = pack(tmp_path / "job", **arguments)
    assert read_job(job.folder) == job
    assert job.films() == {"films/000001.dcm": str(film)}
    (job.data / "films" / "000001.dcm").unlink()
    with pytest.raises(ValueError, match="A film of the data set is missing or can't be read"):
        learn(job, job.teller(1))
    assert job.teller(1).was_refused()
    assert job.num_attempts() == 1


def test_attempts_by_vllm_are_refused_where_it_cannot_run() -> None:
    with pytest.raises(
        ValueError, match="attempts_by is vllm, which needs a CUDA device and the package vllm"
    ):
        who_writes(GrpoConfig(attempts_by="vllm"), never=[1])
    assert who_writes(GrpoConfig(), never=[1, 2]) == {"generation_kwargs": {"suppress_tokens": [1, 2]}}
