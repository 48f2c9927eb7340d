"""What adjudication settled: the word that stands, item by item, where the first readings differed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reasoning.selectors import region_labels
from deepmedix_review.reviews.disagreement import find_disagreements
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy
from deepmedix_review.reviews.results.columns import distinct
from deepmedix_review.reviews.results.figures import Cell, Figure, Table
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Readings
from deepmedix_review.reviews.results.versions import ONLY_OUTPUT, Versions, names_of_outputs
from rl_feedback.counting import counted

SETTLED, WAITS = "settled", "waits"


def settled_figures(
    reader_study: ReaderStudy,
    readings: Readings,
    rated: Sequence[RatedCriterion],
    versions: Versions | None,
) -> tuple[Figure, ...]:
    """None where the design has no adjudication."""
    if reader_study.adjudication == ReaderStudy.Adjudication.OFF:
        return ()
    deciding = readings.of(Assignment.Kind.ADJUDICATION)
    settled = {int(case) for case in np.unique(readings.case[deciding])}
    position = dict(Case.objects.filter(reader_study=reader_study).values_list("pk", "position"))
    waiting = [found for found in find_disagreements(reader_study) if found.case.pk not in settled]
    output_of = names_of_outputs(readings, versions)
    rows: list[tuple[Cell, ...]] = []
    for one in rated:
        decided = list(_decided(one, readings, settled))
        items = _names_of_items([found.item for found in decided], one.item, output_of)
        rows += [
            (position[found.case], SETTLED, one.name, items[found.item], found.said, found.stands)
            for found in decided
        ]
    num_decided = len(rows)
    rows += [(found.case.position, WAITS, " ".join(found.reasons), "", "", "") for found in waiting]
    num_disputed = len(settled) + len(waiting)
    left = "was left unsettled" if reader_study.state == ReaderStudy.State.LOCKED else "waits to be settled"
    if len(waiting) != 1:
        left = left.replace("was", "were").replace("waits", "wait")
    notes = (
        "" if num_disputed else "Readers are far apart on no case that all of them have signed.",
        f"{counted(num_decided, 'answer')} on which the first readings differed "
        f"{'has' if num_decided == 1 else 'have'} one word now."
        if num_decided
        else "",
        f"{counted(len(waiting), 'case')} {left}." if waiting else "",
    )
    return (
        Figure(
            key="settled",
            title="What adjudication settled",
            table=Table(
                ("case", "state", "question", "of", "first readings", "settled as"),
                tuple(sorted(rows, key=lambda row: int(row[0] or 0))),
            ),
            method="cases on which first readings lie far apart, as the design says; of each settled one "
            "the answers that differed and the one of the adjudicating reading, votes by what they went to; "
            "means and shares rest on first readings alone",
            n=f"{counted(num_disputed, 'disputed case')}, "
            f"{counted(int(deciding.sum()), 'adjudicating reading')}",
            value=f"{len(settled)} of {num_disputed} disputed {'case' if num_disputed == 1 else 'cases'} "
            "settled"
            if num_disputed
            else "",
            note=" ".join(filter(None, notes)),
        ),
    )


@dataclass(frozen=True)
class _Decided:
    """By their keys the case and what was asked about; what was said first, and what stands."""

    case: int
    item: int
    said: str
    stands: str


def _decided(one: RatedCriterion, readings: Readings, settled: set[int]) -> Iterator[_Decided]:
    """Wherever the first readings differ, in the order of the items' keys."""
    if not settled:
        return
    of_settled = np.isin(readings.case, np.array(sorted(settled), dtype=np.int64))
    first = one.ratings.only(readings.of(Assignment.Kind.FIRST) & of_settled)
    word = one.ratings.only(readings.of(Assignment.Kind.ADJUDICATION) & of_settled)
    label = dict(zip(one.values, one.labels, strict=True))
    case_of = dict(zip(first.item.tolist(), readings.case[first.reading].tolist(), strict=True))
    stands = dict(zip(word.item.tolist(), word.value.tolist(), strict=True))
    items, place = distinct(first.item)
    for at, item in enumerate(items.tolist()):
        said = sorted(first.value[place == at].tolist())
        if item in stands and said[0] != said[-1]:
            yield _Decided(
                case_of[item], item, ", ".join(label[value] for value in said), label[stands[item]]
            )


def _names_of_items(items: Sequence[int], target: str, output_of: Mapping[int, str]) -> Mapping[int, str]:
    """As a reader finds it again: its output, and its step, or its region as on the film."""
    of = {key: "" if name == ONLY_OUTPUT else f"{name}, " for key, name in output_of.items()}
    match target:
        case "answer":
            return {item: output_of[item] for item in items}
        case "step":
            steps = ReasoningStep.objects.filter(pk__in=items).values_list("pk", "completion", "position")
            return {item: f"{of[completion]}step {step}" for item, completion, step in steps}
        case "region":
            labels = region_labels(items)
            regions = Region.objects.filter(pk__in=items).values_list("pk", "step__completion")
            return {item: f"{of[completion]}region {labels[item]}" for item, completion in regions}
    return dict.fromkeys(items, "")
