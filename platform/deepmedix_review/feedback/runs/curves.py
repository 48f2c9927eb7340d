"""Lays out the curves of training runs: every figure over the steps, with its unit and where stages begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from deepmedix_review.feedback.models import TrainingMetric
from rl_feedback.training.recipe import Recipe

CURVE_WIDTH, CURVE_HEIGHT = 250, 84


@dataclass(frozen=True)
class FigureName:
    """How a page names a figure; `unit` is empty for a pure number."""

    title: str
    unit: str
    colour: str


_LOSS, _GOOD, _PART, _QUIET, _BAD, _LENGTH = "#6cb6ff", "#3fb984", "#e69f00", "#9db4c8", "#ef7a73", "#b79df2"

# By the names of rl_feedback.training.progress, then those that are computed here.
SHOWN_FIGURES: Mapping[str, FigureName] = {
    "loss": FigureName("Loss", "", _LOSS),
    "replay_loss": FigureName("Loss on what is replayed", "nats a token", _QUIET),
    "margin": FigureName("Margin of chosen over rejected", "", _GOOD),
    "accuracy": FigureName("Accuracy on the pairs", "share", _PART),
    "reward_chosen": FigureName("Implicit reward of the chosen", "", _GOOD),
    "reward_rejected": FigureName("Implicit reward of the rejected", "", _BAD),
    "token_accuracy": FigureName("Tokens right", "share", _GOOD),
    "reward": FigureName("Reward", "", _GOOD),
    "reward_spread": FigureName("Spread of the rewards", "", _QUIET),
    "reward_format": FigureName("Reward: format", "", _PART),
    "reward_answer": FigureName("Reward: answer", "", _PART),
    "reward_accuracy": FigureName("Reward: answer", "", _PART),
    "reward_regions": FigureName("Reward: regions", "", _PART),
    "reward_coordinate": FigureName("Reward: regions", "", _PART),
    "reward_steps": FigureName("Reward: steps", "", _PART),
    "reward_length": FigureName("Reward: length", "", _PART),
    "kl": FigureName("Distance from the parent (KL)", "nats", _BAD),
    "tokens_written": FigureName("Length of an attempt", "tokens", _LENGTH),
    "boxes_written": FigureName("Regions in an attempt", "regions", _LENGTH),
    "share_cut_off": FigureName("Share cut off", "share", _BAD),
    "entropy": FigureName("Entropy", "nats a token", _QUIET),
    "gradient_norm": FigureName("Gradient norm", "", _QUIET),
    "learning_rate": FigureName("Learning rate", "", _QUIET),
    "sample_words": FigureName("Length of a sample", "words", _LENGTH),
    "sample_boxes": FigureName("Regions in a sample", "regions", _LENGTH),
    "examples_a_second": FigureName("Throughput", "examples a second", _LOSS),
    "step_seconds": FigureName("Time of a step", "seconds", _QUIET),
    "memory_mb": FigureName("Memory, peak of the process", "MB", _QUIET),
    "device_memory_mb": FigureName("Memory, peak on the device", "MB", _QUIET),
}


@dataclass(frozen=True)
class Point:
    step: int
    stage: int
    value: float


Series = Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class StageMark:
    """Where a stage begins in a plot, in its pixels."""

    x: float
    number: int


@dataclass(frozen=True)
class Dot:
    """In pixels of a plot."""

    x: float
    y: float


@dataclass(frozen=True)
class Curve:
    """One figure over the steps of a run; each of `lines` is an SVG polyline's points, one a stage. A stage
    of one step has no line to be seen, so it is among `dots`."""

    key: str
    name: FigureName
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    marks: tuple[StageMark, ...]
    first: float
    last: float
    lowest: float
    highest: float
    first_step: int
    last_step: int
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT


@dataclass(frozen=True)
class Scale:
    """From steps and values to pixels of a plot."""

    first_step: int
    last_step: int
    lowest: float
    highest: float
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT

    @classmethod
    def over(cls, points: Sequence[Point]) -> "Scale":
        steps, values = [point.step for point in points], [point.value for point in points]
        return cls(min(steps), max(steps), min(values), max(values))

    def x(self, step: int) -> float:
        if self.first_step == self.last_step:
            return self.width / 2
        return round(2 + (step - self.first_step) * (self.width - 4) / (self.last_step - self.first_step), 1)

    def y(self, value: float) -> float:
        down = (self.height - 8) / ((self.highest - self.lowest) or 1.0)
        return round(self.height - 4 - (value - self.lowest) * down, 1)

    def line(self, points: Sequence[Point]) -> str:
        """A short stroke where there is one point alone."""
        if len(points) == 1:
            x, y = self.x(points[0].step), self.y(points[0].value)
            return f"{x - 4},{y} {x + 4},{y}"
        return " ".join(f"{self.x(point.step)},{self.y(point.value)}" for point in points)


def series_of(
    metrics: Sequence[TrainingMetric],
    *,
    recipe: Mapping[str, Any],
    sampled: Mapping[str, Sequence[Point]] | None = None,
) -> Series:
    """Every figure that has a name on a page, in their order there, with what follows from them."""
    found: dict[str, list[Point]] = {name: [] for name in SHOWN_FIGURES}
    num_examples = [stage.examples_per_step for stage in Recipe.from_json(recipe).stages]
    for metric in metrics:
        for name, value in {**metric.values, **_computed(metric, num_examples[metric.stage])}.items():
            if name in found:
                found[name].append(Point(metric.step, metric.stage, value))
    found.update({name: list(points) for name, points in (sampled or {}).items()})
    return {name: points for name, points in found.items() if points}


def curves_of(series: Series) -> tuple[Curve, ...]:
    return tuple(_curve(name, points) for name, points in series.items())


def table_of(series: Series) -> tuple[tuple[str, ...], list[tuple[int, list[float | None]]]]:
    """The columns' titles, and of each step the figures in their order."""
    rows: dict[int, dict[str, float]] = {}
    for name, points in series.items():
        for point in points:
            rows.setdefault(point.step, {})[name] = point.value
    return tuple(titled(SHOWN_FIGURES[name]) for name in series), [
        (step, [values.get(name) for name in series]) for step, values in sorted(rows.items())
    ]


def titled(name: FigureName) -> str:
    return f"{name.title}, {name.unit}" if name.unit else name.title


def _computed(metric: TrainingMetric, num_examples: int) -> dict[str, float]:
    if not metric.seconds:
        return {}
    return {
        "step_seconds": metric.seconds,
        "examples_a_second": num_examples / metric.seconds,
        "memory_mb": metric.memory_mb,
    }


def _curve(name: str, points: Sequence[Point]) -> Curve:
    scale = Scale.over(points)
    by_stage = [list(rows) for _, rows in groupby(points, key=lambda point: point.stage)]
    return Curve(
        key=name,
        name=SHOWN_FIGURES[name],
        lines=tuple(scale.line(rows) for rows in by_stage if len(rows) > 1),
        dots=tuple(Dot(scale.x(rows[0].step), scale.y(rows[0].value)) for rows in by_stage if len(rows) == 1),
        marks=tuple(StageMark(scale.x(rows[0].step), rows[0].stage + 1) for rows in by_stage[1:]),
        first=points[0].value,
        last=points[-1].value,
        lowest=scale.lowest,
        highest=scale.highest,
        first_step=scale.first_step,
        last_step=scale.last_step,
    )
