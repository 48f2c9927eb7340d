"""`python -m rl_feedback ray-job FOLDER`: what a job on a Ray cluster does, started there by the job API.

Ray's TorchTrainer puts the workers on the nodes and starts them anew, from our own checkpoints, when one
dies.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rl_feedback.engines.packing import Job, read_job
from rl_feedback.engines.sharding import sharding_environment


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the job's folder on the storage that all nodes share")
    parser.add_argument("--attempt", type=int, required=True, help="its number, from 1")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Ends with status 1 where the job failed for good, so that the job API says so."""
    job = read_job(options.folder)
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    from rl_feedback.engines.ray_retries import RetriesTold

    place = job.placement
    has_gpus = place.gpus_per_worker > 0
    callbacks: Any = [RetriesTold(job.teller(options.attempt))]
    trainer = TorchTrainer(
        learn_as_worker,
        train_loop_config={"folder": str(job.folder), "attempt": options.attempt},
        scaling_config=ScalingConfig(num_workers=place.num_workers, use_gpu=has_gpus),
        run_config=RunConfig(
            name=str(options.attempt),
            storage_path=str(job.folder / "ray"),
            failure_config=FailureConfig(max_failures=place.max_retries),
            callbacks=callbacks,
        ),
        torch_config=TorchConfig(backend="nccl" if has_gpus else "gloo"),
    )
    trainer.fit()
    yield f"The candidate is in {job.out}."


def learn_as_worker(config: Mapping[str, Any]) -> None:
    """In each worker: Ray has said which one it is, and how to reach the others."""
    from rl_feedback.engines.learning import learn

    job: Job = read_job(Path(config["folder"]))
    teller = job.teller(config["attempt"])
    if teller.was_refused():
        return
    os.environ.update(sharding_environment(job.placement))
    learn(job, teller)
