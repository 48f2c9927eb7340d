"""Measures models on a benchmark: every figure with its interval, and what differs between two of them."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rl_feedback.evaluation import answers
from rl_feedback.evaluation.blind_spots import blind_spots
from rl_feedback.evaluation.cases import HEADLINES, cases_of
from rl_feedback.evaluation.columns import Columns
from rl_feedback.evaluation.grounding import THRESHOLDS, score_boxes
from rl_feedback.evaluation.measures import (
    GROUNDING_MEASURES,
    REPORT_MEASURES,
    TASK_WORDS,
    VQA_MEASURES,
    Measure,
)
from rl_feedback.evaluation.provenance import provenance_of
from rl_feedback.evaluation.reports import rule_chexpert
from rl_feedback.evaluation.reports.scoring import score_reports
from rl_feedback.evaluation.results import (
    Absent,
    Case,
    Compared,
    Dependence,
    Failed,
    Figure,
    Report,
)
from rl_feedback.evaluation.samples import Prediction, Sample, System, Task, report_text
from rl_feedback.evaluation.settings import USUAL, Settings
from rl_feedback.evaluation.statistics import ALL, Design, Scored, compare, estimate, holm

MEASURES: dict[str, dict[str, Measure]] = {
    Task.REPORT: REPORT_MEASURES,
    Task.VQA: VQA_MEASURES,
    Task.GROUNDING: GROUNDING_MEASURES,
}
_NO_REPORT = "no report can be read"

Predictions = Sequence[Prediction | None]


@dataclass(frozen=True, eq=False)
class _Of:
    """A task: its samples, where they stand among all, and their design."""

    task: str
    samples: tuple[Sample, ...]
    places: tuple[int, ...]
    design: Design

    def predictions(self, all_of_them: Predictions) -> list[Prediction | None]:
        return [all_of_them[place] for place in self.places]


# Words for a word of the references: below, BLEU leaves less than .14 (e to the 1 - 1 / SHORT) of a text.
SHORT = 1 / 3


def evaluate(
    samples: Sequence[Sample],
    systems: Sequence[System],
    *,
    title: str,
    settings: Settings = USUAL,
    deviations: tuple[str, ...] | None = None,
    on_step: Callable[[int, int], None] = lambda num_done, num_steps: None,
) -> Report:
    """The first system is the one that is evaluated; the others stand beside it on the same samples.

    `on_step` is told how many of how many parts are done, and ends the evaluation by what it raises."""
    names = [system.name for system in systems]
    if len(set(names)) < len(names):
        raise ValueError(f"Two files of predictions are called {names[0]}: give each another name.")
    figures: list[Figure] = []
    absent: dict[str, Absent] = {}
    compared: list[Compared] = []
    dependence: list[Dependence] = []
    cases: list[Case] = []
    failed: list[Failed] = []
    notes: list[str] = []
    tasks = list(_tasks(samples))
    steps = itertools.count(1)
    # Of each task its systems and what is between them; then what measures don't see.
    num_steps = len(tasks) * (len(systems) + 1) + 1
    for of in tasks:
        scores: dict[str, Scored] = {}
        for system in systems:
            scores[system.name], lacking = _score(of, of.predictions(system.own), settings)
            absent |= {name: Absent(name, *why) for name, why in lacking.items()}
            failed += _failures(of, system)
            figures += _figures(of, system.name, scores[system.name], settings)
            dependence += _dependence(of, system, settings)
            on_step(next(steps), num_steps)
        compared += _compared(of, scores, settings)
        written = {system.name: of.predictions(system.own) for system in systems}
        cases += cases_of(of.task, of.samples, written, scores, settings)
        notes += [*_notes(of), *_short_texts(of, figures)]
        on_step(next(steps), num_steps)
    compared = [one for name in names[1:] for one in _corrected(compared, name)]
    reports = next((of for of in tasks if of.task == Task.REPORT), None)
    unseen = () if reports is None else tuple(blind_spots(reports.samples, settings))
    on_step(next(steps), num_steps)
    return Report(
        title=title,
        systems=tuple(names),
        provenance=provenance_of(samples, systems, settings),
        sizes={of.task: {name: len(rows) for name, rows in of.design.subsets.items()} for of in tasks},
        deviations=deviations,
        notes=tuple(notes),
        figures=tuple(figures),
        absent=tuple(absent.values()),
        compared=tuple(compared),
        failed=tuple(failed),
        blind_spots=unseen,
        dependence=tuple(dependence),
        cases=tuple(cases),
    )


def _tasks(samples: Sequence[Sample]) -> Iterator[_Of]:
    """Reports and questions, and whatever has boxes."""
    for task in Task:
        places = [
            place
            for place, sample in enumerate(samples)
            if (sample.boxes is not None if task is Task.GROUNDING else sample.task is task)
        ]
        if places:
            chosen = tuple(samples[place] for place in places)
            yield _Of(task, chosen, tuple(places), _design(chosen, task))


def _design(samples: Sequence[Sample], task: str) -> Design:
    subsets: dict[str, list[int]] = defaultdict(list)
    beside: dict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(samples):
        subsets[f"{sample.dataset} {sample.category}"].append(row)
        beside[f"{sample.dataset}, pooled"].append(row)
        if task == Task.VQA:
            beside[answers.kind_of(sample).value].append(row)
    numbers: dict[str, int] = {}
    studies = [numbers.setdefault(sample.study, len(numbers)) for sample in samples]
    return Design(
        np.array(studies),
        {name: np.array(rows) for name, rows in sorted(subsets.items())},
        {name: np.array(rows) for name, rows in sorted(beside.items())},
    )


def _score(
    of: _Of, predictions: Predictions, settings: Settings
) -> tuple[Scored, dict[str, tuple[str, str]]]:
    if of.task == Task.REPORT:
        found = score_reports(
            [report_text(one) for one in predictions],
            [sample.reference for sample in of.samples],
            with_weights=settings.with_weights,
            with_java=settings.with_java,
            ask=settings.ask,
            radcliq_parts=[one.radcliq_parts if one else None for one in predictions],
        )
        table = Columns(found.scored)
        table.mean("failed", [float(not report_text(one)) for one in predictions])
        return table.scored(), found.unavailable
    if of.task == Task.VQA:
        return _score_answers(of.samples, predictions), {}
    return _score_grounding(of.samples, predictions), {}


def _score_answers(samples: Sequence[Sample], predictions: Predictions) -> Scored:
    found = [answers.score_answer(sample, one) for sample, one in zip(samples, predictions, strict=True)]
    table = Columns()
    table.mean("score", [one.score for one in found])
    table.mean("as_published", [one.as_published for one in found])
    table.mean("word_f1", [one.word_f1 for one in found])
    table.mean("failed", [float(one.failure is not None) for one in found])
    return table.scored()


def _score_grounding(samples: Sequence[Sample], predictions: Predictions) -> Scored:
    found = [
        score_boxes(one.boxes if one else (), sample.boxes or (), sample.image_size)
        for sample, one in zip(samples, predictions, strict=True)
    ]
    table = Columns()
    table.mean("mean_iou", [np.nan if one.mean_iou is None else one.mean_iou for one in found])
    for place, threshold in enumerate(THRESHOLDS):
        at = f"_{round(100 * threshold)}"
        table.share(f"precision{at}", [(one.hits[place], one.num_written) for one in found])
        table.share(f"recall{at}", [(one.hits[place], one.num_true) for one in found])
        table.share(f"f1{at}", [(2 * one.hits[place], one.num_written + one.num_true) for one in found])
    table.mean("pointing", [np.nan if one.pointed is None else float(one.pointed) for one in found])
    table.share("pixel_precision", [(one.shared_px, one.written_px) for one in found])
    table.share("pixel_recall", [(one.shared_px, one.true_px) for one in found])
    table.share("invalid", [(one.num_invalid, one.num_written) for one in found])
    return table.scored()


def _failures(of: _Of, system: System) -> Iterator[Failed]:
    predictions = of.predictions(system.own)
    if of.task == Task.VQA:
        results = zip(of.samples, predictions, strict=True)
        reasons = Counter(
            failure.value
            for sample, one in results
            if (failure := answers.score_answer(sample, one).failure) is not None
        )
    elif of.task == Task.REPORT:
        reasons = Counter(
            answers.Failure.MISSING.value if one is None else _NO_REPORT
            for one in predictions
            if not report_text(one)
        )
    else:
        reasons = Counter(answers.Failure.MISSING.value for one in predictions if one is None)
    for reason, number in sorted(reasons.items()):
        yield Failed(of.task, system.name, reason, number)


def _figures(of: _Of, system: str, scored: Scored, settings: Settings) -> Iterator[Figure]:
    found = estimate(scored, of.design, num_draws=settings.num_draws, seed=settings.seed)
    for measure, by_place in found.items():
        for where, one in by_place.items():
            num_of = scored.num_of(measure, of.design.views.get(where))
            yield Figure(of.task, measure, system, where, one.value, one.low, one.high, one.num, num_of)


def _compared(of: _Of, scores: Mapping[str, Scored], settings: Settings) -> Iterator[Compared]:
    first, *others = scores
    for other in others:
        found = compare(
            scores[first],
            scores[other],
            of.design,
            better={name: measure.better for name, measure in MEASURES[of.task].items()},
            num_draws=settings.num_draws,
            num_shuffles=settings.num_shuffles,
            seed=settings.seed,
        )
        for name, one in found.items():
            yield Compared(
                of.task, name, first, other, one.value, one.low, one.high, one.p, None, one.wins, one.ties,
                one.losses,
            )  # fmt: skip


def _corrected(compared: Sequence[Compared], beside: str) -> Iterator[Compared]:
    """All measures of two systems are one family."""
    of_two = [one for one in compared if one.beside == beside]
    tested = [one for one in of_two if one.p is not None]
    corrected = dict(zip(map(id, tested), holm([one.p or 0.0 for one in tested]), strict=True))
    for one in of_two:
        yield replace(one, p_holm=corrected.get(id(one)))


def _notes(of: _Of) -> Iterator[str]:
    if of.task == Task.REPORT:
        counts = [rule_chexpert.counts_of("", sample.reference) for sample in of.samples]
        never = rule_chexpert.never_said(np.array(counts, dtype=np.float64))
        if never:
            yield f"No reference says {', '.join(never)}: each counts as 0 in a macro F1 that holds it."
    if of.design.num_studies < len(of.samples):
        many = f"{len(of.samples)} samples of {of.design.num_studies} studies"
        yield f"{TASK_WORDS[of.task]}: {many}; studies are drawn whole."


def _short_texts(of: _Of, figures: Sequence[Figure]) -> Iterator[str]:
    """Of systems whose reports are so short that BLEU tells nothing else."""
    for one in figures:
        ratio = one.value or 0.0
        if (one.task, one.measure, one.where) == (of.task, "length", ALL) and 0 < ratio < SHORT:
            yield (
                f"{one.system} writes {ratio:.2f} words for each word of the references. BLEU punishes short "
                f"texts: of what its words match {math.exp(1 - 1 / ratio):.1g} is left, and CIDEr-D cuts "
                "likewise. If it writes an impression alone, compare it with impressions."
            )


def _dependence(of: _Of, system: System, settings: Settings) -> Iterator[Dependence]:
    for film, all_of_them in (("blank", system.blank), ("shuffled", system.shuffled)):
        own, other = of.predictions(system.own), of.predictions(all_of_them)
        rows = [row for row in range(len(own)) if own[row] is not None and other[row] is not None]
        if not rows:
            continue
        samples = tuple(of.samples[row] for row in rows)
        part = _Of(of.task, samples, tuple(rows), _design(samples, of.task))
        # Without weights: it is the same question by whichever measure.
        lean = replace(settings, with_weights=False, with_java=False, ask=None)
        ours, _ = _score(part, part.predictions(own), lean)
        theirs, _ = _score(part, part.predictions(other), lean)
        chosen = HEADLINES[of.task]
        ours, theirs = (
            Scored(one.counts, {name: one.measures[name] for name in chosen}) for one in (ours, theirs)
        )
        apart = compare(
            ours,
            theirs,
            part.design,
            better={},
            num_draws=settings.num_draws,
            num_shuffles=settings.num_shuffles,
            seed=settings.seed,
        )
        same = [_text(own[row]) == _text(other[row]) for row in rows]
        values = [estimate(one, part.design, num_draws=1, seed=0) for one in (ours, theirs)]
        for name in chosen:
            one = apart[name]
            yield Dependence(
                of.task,
                name,
                system.name,
                film,
                values[0][name][ALL].value,
                values[1][name][ALL].value,
                one.value,
                one.low,
                one.high,
                one.p,
                share_same=sum(same) / len(same),
                num=len(rows),
            )


def _text(prediction: Prediction | None) -> str:
    return prediction.text if prediction else ""
