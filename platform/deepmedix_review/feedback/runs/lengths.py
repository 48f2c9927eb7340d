"""How long a run is: a trial or one that shall teach something, in steps and in the time these take here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from deepmedix_review.feedback.models import TrainingMetric, TrainingRun
from rl_feedback.counting import counted
from rl_feedback.training.config import StageConfig
from rl_feedback.training.recipe import Recipe

# A run of so many steps shows that all works; what it learned is too little to be seen at the gate.
TRIAL_STEPS = 20
# Of so many steps that were taken last the times are told.
_LATEST = 400


@dataclass(frozen=True)
class Length:
    """`seconds` of all steps together; None where none like them were taken here."""

    num_steps: int
    seconds: float | None


def length_of(stages: Sequence[StageConfig], seconds: Mapping[str, float], *, is_trial: bool) -> Length:
    """`seconds` are `seconds_of_texts`."""
    steps = [trial_steps(stage.num_steps) if is_trial else stage.num_steps for stage in stages]
    told = [
        number * _texts_a_step(stage) * seconds[stage.kind]
        for number, stage in zip(steps, stages, strict=True)
        if stage.kind in seconds
    ]
    return Length(sum(steps), sum(told) if len(told) == len(stages) else None)


def trial_steps(num_steps: int) -> int:
    return min(num_steps, TRIAL_STEPS)


def caution_on(recipe: Mapping[str, Any]) -> str:
    """On a run that teaches little; empty for others."""
    fewest = min(int(stage["num_steps"]) for stage in recipe["stages"])
    if fewest > TRIAL_STEPS:
        return ""
    steps = counted(fewest, "step")
    is_all = len(recipe["stages"]) == 1
    here = f"{steps} {'is' if fewest == 1 else 'are'}" if is_all else f"A stage of {steps} is"
    return f"{here} a trial: so few teach next to nothing at the usual rates, whatever readers said."


def seconds_of_texts() -> Mapping[str, float]:
    """By the kind of a stage: the median time of a step for each text that it learned from, as measured
    here last."""
    latest = list(
        TrainingMetric.objects.filter(seconds__gt=0)
        .order_by("-pk")
        .values_list("run", "stage", "seconds")[:_LATEST]
    )
    runs = TrainingRun.objects.filter(pk__in={run for run, _, _ in latest}).values_list("pk", "recipe")
    recipes = {run: Recipe.from_json(recipe) for run, recipe in runs}
    found: dict[str, list[float]] = defaultdict(list)
    for run, place, seconds in latest:
        stage = recipes[run].stages[place]
        found[stage.kind].append(seconds / _texts_a_step(stage))
    return {kind: median(times) for kind, times in found.items()}


def _texts_a_step(stage: StageConfig) -> int:
    return stage.shown_per_step + stage.replay_per_step
