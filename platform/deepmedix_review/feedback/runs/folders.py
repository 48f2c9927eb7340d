"""Where a training run keeps its files on the learning worker's disk."""

from pathlib import Path

from django.conf import settings

from deepmedix_review.feedback.models import TrainingRun


def run_folder(run: TrainingRun) -> Path:
    return Path(settings.MODEL_FOLDER) / "runs" / str(run.uid)


def cluster_log(run: TrainingRun) -> Path:
    """What the job of a run on a cluster prints."""
    return run_folder(run) / "cluster.log"


def log_folder(run: TrainingRun) -> Path:
    """Of TensorBoard's event files, where the recipe asked for them."""
    return run_folder(run) / "tensorboard"
