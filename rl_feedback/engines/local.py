"""Lets a run learn on this machine: in this process, or on several GPUs by accelerate."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from rl_feedback.engines.packing import Job
from rl_feedback.engines.placement import Placement
from rl_feedback.engines.sharding import sharding_options
from rl_feedback.engines.telling import REFUSED, WRITTEN, Followed, Listener, pass_on
from rl_feedback.training.recipe import run_recipe

POLL_SECONDS = 0.2
END_SECONDS = 20.0


class WorkersDied(OSError):
    """The processes that learn together ended before they were through."""


def learn_here(job: Job, *, listener: Listener, log: Path, check: Callable[[], None] = lambda: None) -> None:
    """Return once the candidate lies in the job's folder. What the listener or `check` raises ends the run.

    Raises ValueError where this machine lacks what the placement asks for, WorkersDied where one of several
    processes died: the run goes on from its last checkpoint when it is begun again.
    """
    if job.placement.num_workers == 1 and not job.placement.is_sharded:
        return run_recipe(
            job.recipe,
            parent=job.parent,
            data=job.data,
            view=job.view,
            work=job.work,
            out=job.out,
            on_step=listener.on_step,
            on_sample=listener.on_sample,
            on_begin=listener.on_begin,
            on_rated_text=check,
        )
    require_machine(job.placement)
    job.write()
    for attempt in range(job.placement.max_retries + 1):
        number = job.num_attempts() + 1
        reason = _learn_together(job, number, listener=listener, log=log, check=check)
        if not reason:
            return None
        if attempt < job.placement.max_retries:
            listener.on_retry(reason)
    raise WorkersDied(
        f"The workers died {job.placement.max_retries + 1} times. {reason} Their log: {log.name}."
    )


def require_machine(placement: Placement, *, num_gpus: int | None = None) -> None:
    """Raises ValueError, naming what this machine lacks; `num_gpus` of it are counted unless given."""
    if placement.gpus_per_worker:
        there = _num_gpus() if num_gpus is None else num_gpus
        if there < placement.num_workers:
            raise ValueError(
                f"num_workers is {placement.num_workers} with a GPU each; this machine has {there}. "
                "Choose fewer workers, or the engine ray."
            )
    if placement.sharding.startswith("zero") and find_spec("deepspeed") is None:
        raise ValueError(
            f"sharding {placement.sharding} needs DeepSpeed, which is not installed here. "
            "Install it (pip install deepspeed), or choose fsdp."
        )


def launch_command(job: Job, number: int) -> list[str]:
    """One process a GPU, by accelerate; without GPUs by torch's own launcher, since accelerate's has none."""
    place = job.placement
    worker = ["rl_feedback", "worker", str(job.folder), "--attempt", str(number)]
    if not place.gpus_per_worker:
        launcher = ["torch.distributed.run", "--standalone", f"--nproc_per_node={place.num_workers}"]
        return [sys.executable, "-m", *launcher, "-m", *worker]
    return [
        *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"),
        *("--num_machines", "1", "--num_processes", str(place.num_workers)),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
        *sharding_options(place),
        *("--module", *worker),
    ]


def _learn_together(
    job: Job, number: int, *, listener: Listener, log: Path, check: Callable[[], None]
) -> str:
    """Why the processes ended; empty once they are through."""
    told, is_written, films = Followed(job.teller(number).path), False, job.films()
    told.path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        processes = subprocess.Popen(
            launch_command(job, number), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        while True:
            check()
            ended = processes.poll()
            for event in told.new():
                pass_on(event, listener, films=films)
                if event["kind"] == REFUSED:
                    raise ValueError(event["reason"])
                is_written = is_written or event["kind"] == WRITTEN
            if ended is not None:
                return "" if is_written and ended == 0 else f"They ended with status {ended}."
            time.sleep(POLL_SECONDS)
    finally:
        _end(processes)


def _end(processes: subprocess.Popen[bytes]) -> None:
    """accelerate ends the processes that it started when it is told to end itself."""
    if processes.poll() is None:
        processes.terminate()
        try:
            processes.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            processes.kill()
            processes.wait()


def _num_gpus() -> int:
    import torch

    return torch.cuda.device_count()
