"""Hands a run's figures to TensorBoard or MLflow, by transformers' own callbacks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from transformers import TrainerCallback


def reporting_callbacks(report_to: str, *, log: Path) -> list[TrainerCallback]:
    """TensorBoard's event files go to `log`; MLflow takes its address from MLFLOW_TRACKING_URI.

    Raises ValueError where the package is not installed.
    """
    if report_to == "none":
        return []
    if find_spec(report_to) is None:
        raise ValueError(
            f"report_to is {report_to}, which is not installed here. "
            f"Install it (pip install 'deepmedix-review[{report_to}]'), or choose none."
        )
    if report_to == "mlflow":
        from transformers.integrations.integration_utils import MLflowCallback

        return [MLflowCallback()]
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    return [TensorBoardCallback(SummaryWriter(log_dir=str(log)))]
