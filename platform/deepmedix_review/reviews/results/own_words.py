"""What readers answered to own questions that have no one value: several choices, and texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reasoning.selectors import region_labels
from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Assignment, Case, Criterion, CriterionRating, ReaderStudy
from deepmedix_review.reviews.results.columns import Chosen, places_of
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing
from deepmedix_review.reviews.results.rated import SAYS_SIDES, names_sides
from deepmedix_review.reviews.results.readings import Readings, reader_names
from deepmedix_review.reviews.results.shares import INTERVAL, Share, columns_of, shares_figure
from deepmedix_review.reviews.results.versions import EVERY, Versions, names_of_outputs
from rl_feedback.agreement import clustered_share
from rl_feedback.counting import counted

NOBODY = "Nobody has answered it yet."


@dataclass(frozen=True)
class _Answer:
    """`reading` is its place; `completion` is 0 and `item` empty where the case itself was asked about."""

    reading: int
    completion: int
    item: str
    value: str | list[str]


def own_word_figures(
    reader_study: ReaderStudy, readings: Readings, versions: Versions | None
) -> tuple[Figure, ...]:
    first = readings.only(readings.of(Assignment.Kind.FIRST))
    criteria = [asked.criterion for asked in asked_of(reader_study)]
    return tuple(
        _several(one, first, _answers(reader_study, one, first), versions)
        if one.kind == Criterion.Kind.CHOICES
        else _texts(reader_study, one, first, _answers(reader_study, one, first), versions)
        for one in criteria
        if one.kind in (Criterion.Kind.CHOICES, Criterion.Kind.TEXT)
    )


def _answers(reader_study: ReaderStudy, criterion: Criterion, first: Readings) -> list[_Answer]:
    """Of first readings, in their order."""
    rows = list(
        CriterionRating.objects.filter(
            criterion=criterion, reading__assignment__case__reader_study=reader_study
        )
        .order_by("reading", "pk")
        .values_list(
            *("reading", "value", "completion", "step__completion", "step__position"),
            *("region__step__completion", "region"),
        )
    )
    is_first, places = places_of(np.array([row[0] for row in rows], dtype=np.int64), first.key)
    of_first = [row[1:] for row, chosen in zip(rows, is_first, strict=True) if chosen]
    labels = region_labels({row[-1] for row in of_first if row[-1] is not None})

    def item(step: int | None, region: int | None) -> str:
        if region is not None:
            return f"region {labels[region]}"
        return "" if step is None else f"step {step}"

    return [
        _Answer(place, answer or of_step or of_region or 0, item(step, region), value)
        for place, (value, answer, of_step, step, of_region, region) in zip(
            places.tolist(), of_first, strict=True
        )
    ]


def _several(
    criterion: Criterion, first: Readings, answers: Sequence[_Answer], versions: Versions | None
) -> Figure:
    sides = SAYS_SIDES if names_sides(criterion) else ""
    key, title = f"choices-{criterion.key}", f"{criterion.name}{sides}: how often each choice"
    method = (
        f"share of the first answers on {criterion.get_target_display()} that name it, among others perhaps"
    )
    if not answers:
        columns = columns_of(by_version=versions is not None)
        return missing(key=key, title=title, method=f"{method}; {INTERVAL}", note=NOBODY, columns=columns)
    case = first.case[[one.reading for one in answers]].astype(float)
    groups = _by_version(first, answers, versions)
    shares = []
    for option in criterion.options:
        names = np.array([option["value"] in one.value for one in answers])
        for version, chosen in groups:
            share = clustered_share(names[chosen].astype(float), case[chosen])
            shares.append(Share(str(option["label"]), share, int(names[chosen].sum()), version=version))
    return shares_figure(
        shares,
        key=key,
        name=criterion.name,
        title=title,
        method=method,
        n=f"{counted(len(answers), 'answer')}, {counted(len(np.unique(case)), 'case')}",
        other_version=EVERY if versions is not None else None,
    )


def _by_version(
    first: Readings, answers: Sequence[_Answer], versions: Versions | None
) -> list[tuple[str, Chosen]]:
    """Each version's answers, where two are compared and the question is about one's output; else all."""
    every = [("", np.ones(len(answers), dtype=np.bool_))]
    if versions is None:
        return every
    of = [one.completion for one in answers]
    shown = first.completion_a[[one.reading for one in answers]] if versions.one_a_reading else np.array(of)
    place = versions.of_completions(shown)
    found = [(name, place == number) for number, name in enumerate(versions.names)]
    return [group for group in found if group[1].any()] or every


def _texts(
    reader_study: ReaderStudy,
    criterion: Criterion,
    first: Readings,
    answers: Sequence[_Answer],
    versions: Versions | None,
) -> Figure:
    key, title = f"texts-{criterion.key}", f"{criterion.name}: what readers wrote"
    method = "every text of a first reading as its reader wrote it, in the order of the cases"
    columns = ("case", "output", "of", "reader", "text")
    if not answers:
        return missing(key=key, title=title, method=method, note=NOBODY, columns=columns)
    position = dict(Case.objects.filter(reader_study=reader_study).values_list("pk", "position"))
    output_of, names = names_of_outputs(first, versions), reader_names(first)
    rows: list[tuple[Cell, ...]] = [
        (
            position[int(first.case[one.reading])],
            output_of.get(one.completion, ""),
            one.item,
            names[int(first.reader[one.reading])],
            str(one.value),
        )
        for one in answers
    ]
    rows.sort(key=lambda row: (row[0], str(row[1]), str(row[2]), str(row[3])))
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{counted(len(rows), 'text')} in {counted(len({row[0] for row in rows}), 'case')} "
        f"by {counted(len({row[3] for row in rows}), 'reader')}",
    )
