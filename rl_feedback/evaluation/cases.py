"""Chooses the cases that a person should look at: what a model lost most on, and where two differ most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rl_feedback.evaluation.pictures import picture_of
from rl_feedback.evaluation.results import Case, Said
from rl_feedback.evaluation.samples import Prediction, Sample, Task
from rl_feedback.evaluation.settings import Settings
from rl_feedback.evaluation.statistics import Scored

# By which cases are chosen, and what breaks ties. The best value of each is 1.
HEADLINES: dict[str, tuple[str, ...]] = {
    Task.REPORT: ("rule_chexpert_f1_micro_14", "rouge_l"),
    Task.VQA: ("score", "word_f1"),
    Task.GROUNDING: ("mean_iou",),
}
NUM_CASES = 6
_LOST_NOTHING = 1 - 1e-9


def cases_of(
    task: str,
    samples: Sequence[Sample],
    written: Mapping[str, Sequence[Prediction | None]],
    scores: Mapping[str, Scored],
    settings: Settings,
) -> Iterator[Case]:
    """The worst of the first model among those on which it lost anything, and those on which it differs most
    from each other one. `written` and `scores` are by the model's name, in the same order."""
    headlines = HEADLINES[task]
    values = {
        name: np.stack([np.nan_to_num(scored.cases(one), nan=-1.0) for one in headlines])
        for name, scored in scores.items()
    }
    first, *others = written
    told = scores[first].cases(headlines[0])
    # What has no value is no number, and less than nothing.
    lost = [row for row in _ordered(values[first]) if told[row] < _LOST_NOTHING]
    for row in lost[:NUM_CASES]:
        yield _case("worst", task, samples[row], _said(task, row, written, scores, settings), settings)
    for other in others:
        both = {name: written[name] for name in (first, other)}
        apart = np.abs(values[first] - values[other])
        for row in _ordered(-apart)[:NUM_CASES]:
            if apart[:, row].any():
                yield _case("changed", task, samples[row], _said(task, row, both, scores, settings), settings)


def _ordered(values: npt.NDArray[np.float64]) -> list[int]:
    """Rows from the least of the first measure on; the next ones break ties, then the order of the file."""
    return [int(row) for row in np.lexsort(values[::-1])]


def _said(
    task: str,
    row: int,
    written: Mapping[str, Sequence[Prediction | None]],
    scores: Mapping[str, Scored],
    settings: Settings,
) -> tuple[Said, ...]:
    said = []
    for name, predictions in written.items():
        one = predictions[row]
        value = float(scores[name].cases(HEADLINES[task][0])[row])
        text = one.text if one and settings.with_texts else ""
        said.append(Said(name, text, None if np.isnan(value) else value, one.boxes if one else ()))
    return tuple(said)


def _case(kind: str, task: str, sample: Sample, said: tuple[Said, ...], settings: Settings) -> Case:
    return Case(
        kind=kind,
        uid=sample.uid,
        task=task,
        where=f"{sample.dataset} {sample.category}",
        measure=HEADLINES[task][0],
        question=sample.question if settings.with_texts else "",
        reference=sample.reference if settings.with_texts else "",
        said=said,
        boxes=sample.boxes or (),
        image_size=sample.image_size,
        has_texts=settings.with_texts,
        picture=picture_of(sample.image) if settings.with_films and sample.image else "",
    )
