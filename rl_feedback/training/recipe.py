"""Stages in a row: each goes on from what the one before it learned.

The default is corrections first, then preferences with gentle steps: on the second site this order gained
recall and region overlap, where preferences alone lost them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rl_feedback.training.checkpoints import passed_over
from rl_feedback.training.config import CONFIGS, StageConfig
from rl_feedback.training.environment import environment
from rl_feedback.training.examples import SampledFilm, ValidationCase
from rl_feedback.training.figures import StepFigures, TakenSample
from rl_feedback.training.stages import STAGES
from rl_feedback.training.together import is_first, wait_for_all
from rl_feedback.training.view import FilmView

MOST_STAGES = 8
# What a folder of a run was begun with, so that it is not gone on with anything else.
BEGUN_WITH = "begun_with.json"
# In the config of a run that was: under what it ran. A recipe may carry it, and nothing of it is a choice.
ABOUT = "about"
# The folder, in that of a run, of the step scorer that it uses.
STEP_SCORER = "step_scorer"


@dataclass(frozen=True)
class Recipe:
    """One stage or several. As JSON: `{"stages": [{"kind": "sft", "num_steps": 100}, …]}`; the kind may be a
    stage's own name ("corrections"), whose choices it then begins with."""

    stages: tuple[StageConfig, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.stages) <= MOST_STAGES:
            raise ValueError(f"A recipe has 1 to {MOST_STAGES} stages, not {len(self.stages)}.")

    @property
    def num_steps(self) -> int:
        return sum(stage.num_steps for stage in self.stages)

    @classmethod
    def of(cls, *names: str) -> Self:
        """Named stages with the choices that they begin with.

        >>> Recipe.of("corrections", "dpo").num_steps
        260
        """
        return cls(tuple(STAGES[name].config for name in names))

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Raises ValueError, naming stage and field, for what can't work."""
        if (
            not isinstance(values, Mapping)
            or not {"stages"} <= set(values) <= {"stages", ABOUT}
            or not isinstance(values["stages"], list)
        ):
            raise ValueError('A recipe is a JSON object with one list: {"stages": [{"kind": "dpo"}]}.')
        return cls(tuple(_stage(number, stage) for number, stage in enumerate(values["stages"], 1)))

    def as_json(self) -> dict[str, Any]:
        return {"stages": [{"kind": stage.kind, **stage.as_json()} for stage in self.stages]}


DEFAULT_RECIPE = Recipe((STAGES["corrections"].config, replace(STAGES["dpo"].config, learning_rate=5e-5)))


def run_recipe(
    recipe: Recipe,
    *,
    parent: Path,
    data: Path,
    view: FilmView,
    work: Path,
    out: Path,
    on_step: Callable[[StepFigures], None],
    on_sample: Callable[[TakenSample], None] | None = None,
    on_begin: Callable[[Mapping[str, Any]], None] = lambda about: None,
    on_rated_text: Callable[[], None] = lambda: None,
) -> None:
    """Train stage by stage and write the last one's model to `out`; see `training.running.train_stage`.

    `on_begin` is told of parent, data and environment, at each start anew, and of the step scorer where the
    recipe has a part for one: it is trained first, and what `on_rated_text` raises meanwhile ends the run.
    Logs for TensorBoard, where the recipe asks for them, lie beside `work`. A run that was stopped goes on in
    the stage where it was. Of several processes that learn together the first tells. Raises ValueError where
    `work` was begun with another recipe, parent or other data, or a loss is still to be chosen.
    """
    for stage in recipe.stages:
        stage.require_decided()
    # torch takes seconds and 200 MB: whoever only reads recipes does not pay for it.
    from rl_feedback.steps.reading import ensure_step_scorer
    from rl_feedback.training.running import StepsBy, train_stage

    scoring = next((stage for stage in recipe.stages if stage.scores_steps), None)

    def scorer(by: StageConfig) -> dict[str, Any]:
        return ensure_step_scorer(
            work / STEP_SCORER,
            data=data,
            model=parent,
            view=view,
            seed=by.seed,
            precision=by.precision,
            num_threads=by.num_threads,
            on_text=on_rated_text,
        )

    if is_first():
        _begin(recipe, parent=parent, data=data, work=work)
        on_begin(
            {
                **_digests(parent=parent, data=data),
                "environment": environment(),
                "passed_over": _passed_over(work, num_stages=len(recipe.stages)),
                **({"step_scorer": scorer(scoring)} if scoring else {}),
            }
        )
    wait_for_all()
    is_used = scoring is not None and scorer(scoring)["may_be_used"]
    steps = StepsBy(work / STEP_SCORER, parent) if is_used else None
    steps_before, learned = 0, parent
    for number, stage in enumerate(recipe.stages):
        is_last = number == len(recipe.stages) - 1
        written = out if is_last else work / f"stage-{number + 1}" / "model"
        if is_last or not written.exists():
            train_stage(
                stage,
                parent=learned,
                data=data,
                view=view,
                work=work / f"stage-{number + 1}" / "checkpoints",
                out=written,
                on_step=_counting(on_step, stage=number, before=steps_before, num_steps=recipe.num_steps),
                on_sample=on_sample and _placing(on_sample, stage=number, before=steps_before),
                samples_parent=number == 0,
                log=work.parent / "tensorboard" / f"stage-{number + 1}",
                steps=steps,
            )
        steps_before, learned = steps_before + stage.num_steps, written


def _counting(
    on_step: Callable[[StepFigures], None], *, stage: int, before: int, num_steps: int
) -> Callable[[StepFigures], None]:
    """Steps counted through all stages."""

    def tell(figures: StepFigures) -> None:
        on_step(replace(figures, step=before + figures.step, num_steps=num_steps, stage=stage))

    return tell


def _passed_over(work: Path, *, num_stages: int) -> list[dict[str, int]]:
    """Of the stage that goes on: checkpoints that are not whole, so that it goes on from the one before."""
    return [
        {"stage": number, "step": step}
        for number in range(1, num_stages + 1)
        if not (work / f"stage-{number}" / "model").exists()
        for step in passed_over(work / f"stage-{number}" / "checkpoints")
    ]


def _placing(
    on_sample: Callable[[TakenSample], None], *, stage: int, before: int
) -> Callable[[TakenSample], None]:
    def tell(sample: TakenSample) -> None:
        on_sample(replace(sample, step=before + sample.step, stage=stage))

    return tell


def begun_with_other(work: Path, recipe: Recipe, *, parent: Path, data: Path) -> tuple[str, ...]:
    """What of recipe, parent and data is not what the run in `work` was begun with; nothing for a new run."""
    path = work / BEGUN_WITH
    if not path.is_file():
        return ()
    earlier = json.loads(path.read_text("utf-8"))
    now = _beginning(recipe, parent=parent, data=data)
    return tuple(name for name, value in now.items() if earlier.get(name) != value)


def _begin(recipe: Recipe, *, parent: Path, data: Path, work: Path) -> None:
    changed = begun_with_other(work, recipe, parent=parent, data=data)
    if changed:
        with_other = " and ".join("other data" if name == "data" else f"another {name}" for name in changed)
        raise ValueError(
            f"The folder holds a run that was begun with {with_other}. "
            "Choose another folder, or delete this one."
        )
    path = work / BEGUN_WITH
    if path.is_file():
        return
    work.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(
        json.dumps(_beginning(recipe, parent=parent, data=data), sort_keys=True), encoding="utf-8"
    )
    part.rename(path)


def _beginning(recipe: Recipe, *, parent: Path, data: Path) -> dict[str, Any]:
    return {
        "recipe": {"stages": [{"kind": stage.kind, **stage.taught} for stage in recipe.stages]},
        **_digests(parent=parent, data=data),
    }


def _digests(*, parent: Path, data: Path) -> dict[str, str]:
    """Of the weights and of what is learned from; films only sampled or validated on are not."""
    shown = (SampledFilm.file, ValidationCase.file)
    taught = (path for path in data.glob("*.jsonl") if path.name not in shown)
    return {"parent": _sha256_of(sorted(parent.glob("*.safetensors"))), "data": _sha256_of(sorted(taught))}


def _sha256_of(files: Sequence[Path]) -> str:
    """Of the files' names and bytes."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _stage(number: int, values: Any) -> StageConfig:
    kinds = tuple(dict.fromkeys((*CONFIGS, *STAGES)))
    if not isinstance(values, Mapping) or values.get("kind") not in kinds:
        raise ValueError(f"Stage {number} needs a kind, one of {', '.join(kinds)}.")
    kind, chosen = values["kind"], {k: v for k, v in values.items() if k != "kind"}
    try:
        if kind in CONFIGS:
            return CONFIGS[kind].from_json(chosen)
        named = STAGES[kind].config
        return type(named).from_json({**named.as_json(), **chosen})
    except (TypeError, ValueError) as error:
        raise ValueError(f"Stage {number}: {error}") from error
