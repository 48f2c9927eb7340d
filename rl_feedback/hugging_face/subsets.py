"""What each subset of a shared data set holds, and how a row of it looks to TRL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rl_feedback.hugging_face.shown import ShownFilm
from rl_feedback.preferences import Split
from rl_feedback.training.examples import JudgedText, RewardedCase, TrainingPair
from rl_feedback.training.films import reply, turn

if TYPE_CHECKING:
    from datasets import Features

# What `datasets` and TRL call the sides.
SPLIT_NAMES: Mapping[Split, str] = {"train": "train", "tune": "validation", "test": "test"}


@dataclass(frozen=True)
class JudgedSteps:
    """The steps of one text from its first on, as far as readers judged each. `values` are what each
    deserves, 0 to 1, by the criterion by which it deserves least; a step is right above the middle."""

    film: str
    prompt: str
    steps: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def labels(self) -> tuple[bool, ...]:
        """
        >>> JudgedSteps("a.dcm", "What is there?", ("Clear", "Big heart"), (0.9, 0.5)).labels
        (True, False)
        """
        return tuple(value > 0.5 for value in self.values)


Shared = TrainingPair | JudgedText | JudgedSteps | RewardedCase


@dataclass(frozen=True)
class Subset:
    """`about` is a sentence for the card; `columns` are those beside the film's, as types of Arrow."""

    name: str
    about: str
    columns: Callable[[], dict[str, Any]]

    def features(self) -> Features:
        # datasets takes a second to load.
        from datasets import Features, Image, List, Value

        size = List(Value("int64"))
        return Features(
            {
                **self.columns(),
                "images": List(Image()),
                "film": Value("string"),
                "image_size": size,
                "model_size": size,
                "box_frame": Value("string"),
            }
        )


def row_of(one: Shared, film: ShownFilm) -> tuple[str, dict[str, Any]]:
    """The subset that it belongs to, and its row there. Raises ValueError where regions would not fit the
    film as it is shown."""
    name, row = _told(one)
    return name, {
        "images": [{"bytes": film.png, "path": f"{film.name}.png"}],
        "film": film.name,
        "image_size": list(film.image_size),
        "model_size": list(film.model_size),
        "box_frame": film.box_frame,
        **row,
        **(_frame_of(one, film) if isinstance(one, RewardedCase) and one.regions is not None else {}),
    }


def _frame_of(case: RewardedCase, film: ShownFilm) -> dict[str, Any]:
    """Its regions are counted on a size of its own."""
    if list(film.model_size) != list(case.model_size):
        raise ValueError(
            f"A case was answered on an image of {case.model_size} pixels, and here the film is shown with "
            f"{list(film.model_size)}: its regions would not fit. Choose the preset that the data are of."
        )
    return {"image_size": case.image_size, "box_frame": case.box_frame}


def _told(one: Shared) -> tuple[str, dict[str, Any]]:
    match one:
        case TrainingPair():
            beginning = {"prefix": one.prefix} if one.prefix else {}
            return "step_preference" if one.prefix else "preference", {
                "prompt": turn(one.prompt),
                "chosen": reply(one.prefix + one.chosen),
                "rejected": reply(one.prefix + one.rejected),
                "weight": one.weight,
                "origin": one.origin,
                **beginning,
            }
        case JudgedText():
            return "unpaired", {
                "prompt": turn(one.prompt),
                "completion": reply(one.text),
                "label": one.is_good,
                "weight": one.weight,
            }
        case JudgedSteps():
            return "stepwise", {
                "prompt": one.prompt,
                "completions": list(one.steps),
                "labels": list(one.labels),
                "values": list(one.values),
            }
        case RewardedCase():
            return "prompt_only", {
                "prompt": turn(one.prompt),
                "answer": one.answer,
                "regions": one.regions,
                "steps": one.steps,
                "origin": one.origin,
            }


def _messages() -> list[dict[str, Any]]:
    from datasets import Value

    return [{"role": Value("string"), "content": Value("string")}]


def _preference() -> dict[str, Any]:
    from datasets import Value

    texts = {name: _messages() for name in ("prompt", "chosen", "rejected")}
    return {**texts, "weight": Value("float64"), "origin": Value("string")}


def _step_preference() -> dict[str, Any]:
    from datasets import Value

    return {**_preference(), "prefix": Value("string")}


def _unpaired() -> dict[str, Any]:
    from datasets import Value

    texts = {name: _messages() for name in ("prompt", "completion")}
    return {**texts, "label": Value("bool"), "weight": Value("float64")}


def _stepwise() -> dict[str, Any]:
    from datasets import List, Value

    return {
        "prompt": Value("string"),
        "completions": List(Value("string")),
        "labels": List(Value("bool")),
        "values": List(Value("float64")),
    }


def _prompt_only() -> dict[str, Any]:
    from datasets import List, Value

    text, number = Value("string"), Value("float64")
    region = {"finding": text, "box": List(number), "tolerance": List(number)}
    step = {"text": text, "criterion": text, "value": number, "variance": number}
    return {
        "prompt": _messages(),
        "answer": text,
        "regions": List(region),
        "steps": List(step),
        "origin": text,
    }


SUBSETS = (
    Subset(
        "preference",
        "Two whole texts on a film, and which is better: TRL's preference data, for DPO. `weight` is "
        "2 (P − ½), P that the chosen one is the better one; `origin` says who said so: vote, rating, "
        "rewrite or region.",
        _preference,
    ),
    Subset(
        "step_preference",
        "Two steps after the same beginning, which is `prefix` and stands before both texts. The text goes "
        "on after the step: who trains on it shall not learn that it ends there, nor the beginning.",
        _step_preference,
    ),
    Subset(
        "unpaired",
        "One text and whether readers found it good: TRL's unpaired preference, for KTO. Texts of which "
        "that is not sure are not in it.",
        _unpaired,
    ),
    Subset(
        "stepwise",
        "The steps of a text in their order and which are right: TRL's stepwise supervision. A row ends "
        "before the first step that nobody judged. `values` are what each deserves, 0 to 1, by the criterion "
        "by which it deserves least; right is above 0.5.",
        _stepwise,
    ),
    Subset(
        "prompt_only",
        "A film with its question, to be attempted, and what a reward needs to know of it: TRL's prompt-only "
        "data, for GRPO. `regions` are in pixels of the film (`image_size`), with the spread of the readers' "
        "edges; `steps` are what readers gave the steps of the text that was read.",
        _prompt_only,
    ),
)
