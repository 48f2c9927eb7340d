"""Hands a run's figures to TensorBoard or MLflow, by transformers' own callbacks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers import TrainerCallback

from rl_feedback.training.config import require_reportable

MLFLOW_ADDRESS = "MLFLOW_TRACKING_URI"
# Where figures go, without what opens the door: a cluster shows the environment of its jobs.
MLFLOW_NAMES = (MLFLOW_ADDRESS, "MLFLOW_EXPERIMENT_NAME")


@contextmanager
def reporting(report_to: str, *, log: Path) -> Iterator[list[TrainerCallback]]:
    """The callbacks, for as long as a stage learns; one that is stopped is closed there too.

    TensorBoard's event files go to `log`; MLflow takes its address from MLFLOW_TRACKING_URI. Raises
    ValueError where the package is not installed, or that address is not named.
    """
    require_reportable(report_to)
    if report_to == "none":
        yield []
        return
    with _to_mlflow() if report_to == "mlflow" else _to_tensorboard(log) as callback:
        yield [callback]


@contextmanager
def _to_tensorboard(log: Path) -> Iterator[TrainerCallback]:
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    writer = SummaryWriter(log_dir=str(log))
    try:
        yield TensorBoardCallback(writer)
    finally:
        writer.close()


@contextmanager
def _to_mlflow() -> Iterator[TrainerCallback]:
    """transformers ends MLflow's run at the end of a training alone: one that was left open would take the
    figures of the next training of this process."""
    # Else MLflow makes a store of its own wherever the process happens to stand, and nobody finds it.
    if not os.environ.get(MLFLOW_ADDRESS):
        raise ValueError(
            f"report_to is mlflow, and {MLFLOW_ADDRESS} does not say where to. Name a tracking server, or "
            f"sqlite:////srv/mlflow.db, in the environment of what learns; or choose none."
        )
    import mlflow
    from transformers.integrations.integration_utils import MLflowCallback

    callers = mlflow.active_run()
    try:
        yield MLflowCallback()
    except BaseException as error:
        if mlflow.active_run() is not callers:
            mlflow.end_run("FAILED" if isinstance(error, (ValueError, OSError)) else "KILLED")
        raise
