"""A run on a real Ray cluster: it goes on after a kill, and ends with the weights of a run here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors.torch import load_file

from rl_feedback.engines.packing import DamagedCandidate, Job, pack
from rl_feedback.engines.placement import Placement
from rl_feedback.engines.ray_cluster import RayCluster
from rl_feedback.engines.telling import Listener
from rl_feedback.training.config import SftConfig
from rl_feedback.training.examples import TaughtText, read_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.phantom_data import write_phantom_data
from rl_feedback.training.recipe import Recipe, run_recipe
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model
from tests.ray_node import RayNode

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
STEPS = 40
RECIPE = Recipe(
    (
        SftConfig(
            num_steps=STEPS,
            examples_per_step=2,
            replay_per_step=2,
            checkpoint_every=2,
            learning_rate=0.01,
            sample_every=0,
        ),
    )
)


@dataclass
class Heard:
    """What a run told, in its order."""

    then: Callable[[StepFigures], None] = lambda figures: None
    steps: list[StepFigures] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    # How many steps had been told at each beginning.
    begun_after: list[int] = field(default_factory=list)

    def listener(self) -> Listener:
        return Listener(
            on_step=self._step,
            on_retry=self.retries.append,
            on_begin=lambda about: self.begun_after.append(len(self.steps)),
        )

    def _step(self, figures: StepFigures) -> None:
        self.steps.append(figures)
        self.then(figures)


@dataclass(frozen=True)
class Beginning:
    """Films, a model that has learned nothing, and what one process here makes of them."""

    place: Path
    heard: Heard

    def job(self, name: str, *, num_workers: int, recipe: Recipe = RECIPE) -> Job:
        return pack(
            self.place / "shared" / name,
            recipe=recipe,
            view=VIEW,
            parent=self.place / "parent",
            data=self.place / "data",
            placement=Placement("ray", num_workers=num_workers),
            models=self.place / "shared" / "models",
        )


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    place = tmp_path_factory.mktemp("beginning")
    write_phantom_data(place / "data", seeds=range(3), site="first")
    write_untrained_model(place / "parent")
    heard = Heard()
    run_recipe(
        RECIPE,
        parent=place / "parent",
        data=place / "data",
        view=VIEW,
        work=place / "here",
        out=place / "out",
        on_step=heard.listener().on_step,
    )
    return Beginning(place, heard)


def test_a_job_whose_worker_is_killed_goes_on_from_its_checkpoint_and_ends_with_the_weights_of_a_run_here(
    ray_node: RayNode, beginning: Beginning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    telling = Recipe(tuple(replace(stage, report_to="mlflow") for stage in RECIPE.stages))
    job = beginning.job("killed", num_workers=1, recipe=telling)
    films = [one.film for one in read_examples(job.data, TaughtText)]
    assert set(films) == {f"films/{number:06d}.dcm" for number in range(1, len(set(films)) + 1)}

    def kill_in_step_3(figures: StepFigures) -> None:
        if figures.step == 3 and not heard.retries:
            for worker in ray_node.workers():
                worker.kill()

    cluster, heard = RayCluster(ray_node.address), Heard(kill_in_step_3)
    out, log = tmp_path / "candidate", tmp_path / "ray.log"
    cluster.learn(job, name="killed", out=out, listener=heard.listener(), log=log)
    assert len(heard.retries) == 1
    assert heard.retries[0].startswith("Worker 1 died: ")
    told = [figures.step for figures in heard.steps]
    first, again = heard.begun_after
    assert first == 0
    assert told[again:] == list(range(told[again], STEPS + 1))
    assert told[again] % 2 == 1
    assert told[again] > 1
    values = {figures.step: dict(figures.values) for figures in heard.steps}
    assert values == {figures.step: dict(figures.values) for figures in beginning.heard.steps}
    expected, found = (load_file(folder / "model.safetensors") for folder in (beginning.place / "out", out))
    assert all(expected[name].equal(found[name]) for name in expected)
    assert "RayTrainWorker" in log.read_text()
    # The job told MLflow where this process does.
    *_, last = MlflowClient(store).search_runs(["0"], order_by=["attributes.start_time"])
    assert (last.info.status, last.data.params["max_steps"]) == ("FINISHED", str(STEPS))

    weights = job.out / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedCandidate, match=r"1 file differs from what the job wrote: model.safetensors"):
        cluster.learn(
            job, name="killed", out=tmp_path / "again", listener=Heard().listener(), log=log, anew=False
        )
    assert not (tmp_path / "again").exists()
    jobs = [one.submission_id for one in cluster.client().list_jobs()]
    assert [one for one in jobs if one.startswith("killed-")] == ["killed-1"]


def test_two_workers_of_whom_one_is_killed_and_then_their_job_go_on_from_their_checkpoint(
    ray_node: RayNode, beginning: Beginning, tmp_path: Path
) -> None:
    # So many that the job is not at its end when what it tells is heard, however busy the machine is.
    num_steps = 4 * STEPS
    longer = Recipe(tuple(replace(stage, num_steps=num_steps) for stage in RECIPE.stages))
    job = beginning.job("two", num_workers=2, recipe=longer)
    killed: list[int] = []

    def kill(figures: StepFigures) -> None:
        if figures.step == 3 and not heard.retries:
            first, _ = ray_node.workers()
            first.kill()
        elif len(heard.begun_after) == 2 and not killed:
            killed.append(figures.step)
            for driver in ray_node.jobs():
                driver.kill()

    cluster, heard = RayCluster(ray_node.address), Heard(kill)
    cluster.learn(
        job, name="two", out=tmp_path / "candidate", listener=heard.listener(), log=tmp_path / "ray.log"
    )
    assert len(heard.retries) == 2
    assert heard.retries[0].startswith("Worker ")
    told = [figures.step for figures in heard.steps]
    # Where its workers were done before the driver was killed, no step is left to be told.
    begun = [told[number] if number < len(told) else num_steps + 1 for number in heard.begun_after]
    assert begun[0] == 1
    assert begun[1] > 1
    assert killed == [begun[1]]
    assert begun[1] <= begun[2]
    assert sorted(set(told)) == list(range(1, num_steps + 1))
    assert told[heard.begun_after[2] :] == list(range(begun[2], num_steps + 1))
    assert (tmp_path / "candidate" / "model.safetensors").is_file()
    known = cluster.client().list_jobs()
    assert {one.submission_id: str(one.status.value) for one in known if one.submission_id[:4] == "two-"} == {
        "two-1": "FAILED",
        "two-2": "SUCCEEDED",
    }


@pytest.fixture
def nodes() -> Iterator[RayNode]:
    """A head that takes no workers; a test adds the nodes that do."""
    node = RayNode(num_cpus=0)
    yield node
    node.stop()


def test_a_job_whose_node_dies_goes_on_from_its_checkpoint_on_the_next_node(
    nodes: RayNode, beginning: Beginning, tmp_path: Path
) -> None:
    job = beginning.job("node", num_workers=1)
    nodes.add_node(num_cpus=1)

    def kill_node_in_step_3(figures: StepFigures) -> None:
        if figures.step == 3 and not heard.retries:
            [worker] = nodes.workers()
            nodes.kill_node_of(worker)
            nodes.add_node(num_cpus=1)

    cluster, heard, out = RayCluster(nodes.address), Heard(kill_node_in_step_3), tmp_path / "candidate"
    cluster.learn(job, name="node", out=out, listener=heard.listener(), log=tmp_path / "ray.log")
    assert len(heard.retries) == 1, heard.retries
    told = [figures.step for figures in heard.steps]
    first, again = heard.begun_after
    assert (first, told[again] > 1) == (0, True)
    assert told[again:] == list(range(told[again], STEPS + 1))
    expected, found = (load_file(folder / "model.safetensors") for folder in (beginning.place / "out", out))
    assert all(expected[name].equal(found[name]) for name in expected)
    assert [one.submission_id for one in cluster.client().list_jobs()] == ["node-1"]
