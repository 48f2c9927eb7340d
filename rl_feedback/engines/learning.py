"""What each process of a job does: it learns the recipe with the others; the first one tells and writes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rl_feedback.engines.packing import Job, seal_candidate
from rl_feedback.engines.telling import Teller
from rl_feedback.training.checkpoints import CheckpointFailed
from rl_feedback.training.recipe import run_recipe
from rl_feedback.training.together import is_first


def learn(job: Job, teller: Teller) -> None:
    """Go on where the job's checkpoints end. What would happen again, such as a run that diverges or a full
    disk, is told as refused and raised; whoever begins the job again asks for that first."""
    try:
        run_recipe(
            job.recipe,
            parent=job.parent,
            data=job.data,
            view=job.view,
            work=job.work,
            out=job.out,
            on_step=teller.step,
            on_sample=teller.sample,
            on_begin=lambda about: teller.began(_with_process(about)),
        )
        if is_first():
            teller.written(seal_candidate(job))
    except (ValueError, CheckpointFailed) as error:
        teller.refused(str(error))
        raise


def _with_process(about: Mapping[str, Any]) -> dict[str, Any]:
    """The first process: an operator finds it by that on its node."""
    return {**about, "process": os.getpid()}
