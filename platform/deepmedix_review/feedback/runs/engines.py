"""Where a run learns: in the learning worker, or as a job of the cluster that an operator has named."""

import shutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.runs.folders import cluster_log, run_folder
from rl_feedback.engines.addresses import require_allowed
from rl_feedback.engines.local import learn_here
from rl_feedback.engines.packing import Job, num_attempts, pack, read_job
from rl_feedback.engines.placement import RAY, Placement
from rl_feedback.engines.ray_cluster import RayCluster
from rl_feedback.engines.telling import Listener
from rl_feedback.training.recipe import Recipe
from rl_feedback.training.view import FilmView


def has_cluster() -> bool:
    """Whether an operator has named one."""
    return bool(settings.RAY_ADDRESS)


def queue_of(run: TrainingRun) -> str:
    """Of the worker that takes the run. Runs on a cluster are followed side by side and keep none that learns
    here waiting; where no cluster is named any more there is no such worker, and the learning one says so."""
    return "cluster" if run.engine == RAY and has_cluster() else "learning"


def require_place(placement: Mapping[str, Any], *, recipe: Recipe) -> Placement:
    """Raises RefusedByRule, saying what to do, where a run can't learn there."""
    try:
        place = Placement.from_json(placement)
        place.require_divisible(recipe)
        if place.engine == RAY:
            _require_cluster()
    except (TypeError, ValueError) as error:
        raise RefusedByRule(str(error)) from error
    return place


def _require_cluster() -> None:
    if not has_cluster():
        raise ValueError(
            "No Ray cluster is named here. An operator names one by RAY_ADDRESS; choose the engine local."
        )
    require_allowed(settings.RAY_ADDRESS, hosts=settings.RAY_HOSTS)
    # Asked without importing it: the web server stays small.
    if find_spec("ray") is None:
        raise ValueError(
            "Ray is not installed here. An operator installs it (pip install 'deepmedix-review[ray]'); "
            "choose the engine local."
        )


def learn_in_worker(run: TrainingRun, *, data: Path, listener: Listener, check: Callable[[], None]) -> None:
    """Return once the candidate lies in the run's folder."""
    folder, parent = run_folder(run), Path(run.parent_version.folder)
    job = Job(folder, Recipe.from_json(run.recipe), view_of(run), parent, data, run.place)
    learn_here(job, listener=listener, log=folder / "workers.log", check=check)


def learn_on_cluster(
    run: TrainingRun,
    *,
    data: Path,
    listener: Listener,
    check: Callable[[], None],
    record_job: Callable[[str], None],
) -> None:
    """Return once the candidate lies in the run's folder; what was sent to the cluster is deleted there.

    A worker that takes over from one that died follows the job that it began. What `check` or the listener
    raises leaves the job running: `stop_left_job` ends it.
    """
    cluster, name, shared = _cluster(), str(run.uid), Path(settings.RAY_SHARED_FOLDER)
    folder = shared / name
    follows = run.attempt > 1 and bool(run.cluster_job)
    if not follows:
        cluster.require_reachable()
        cluster.stop(folder, name=name)
        pack(
            folder,
            recipe=Recipe.from_json(run.recipe),
            view=view_of(run),
            parent=Path(run.parent_version.folder),
            data=data,
            placement=run.place,
            models=shared / "models",
        )
        record_job(name)
    cluster.learn(
        read_job(folder),
        name=name,
        out=run_folder(run) / "candidate",
        listener=listener,
        log=cluster_log(run),
        anew=not follows,
        check=check,
    )
    record_job("")
    shutil.rmtree(folder)


def stop_left_job(run: TrainingRun) -> None:
    """Of a run that ended while its job went on. Raises OSError where the cluster does not answer."""
    cluster = _cluster()
    cluster.require_reachable()
    folder = Path(settings.RAY_SHARED_FOLDER) / run.cluster_job
    # Counted before the run is looked at: one that a person let go on since has a newer job, which stays.
    left = num_attempts(folder)
    run.refresh_from_db()
    if run.is_final:
        cluster.stop(folder, name=run.cluster_job, number=left)


def view_of(run: TrainingRun) -> FilmView:
    parent = run.parent_version
    return FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels)


def _cluster() -> RayCluster:
    if not has_cluster():
        raise RefusedByRule("The cluster of this run is named no more. An operator names it by RAY_ADDRESS.")
    return RayCluster(settings.RAY_ADDRESS, hosts=settings.RAY_HOSTS)
