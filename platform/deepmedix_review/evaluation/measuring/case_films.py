"""The films of an evaluation's worst and most changed cases: where versions point, and what they wrote."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.evaluation.measuring.planning import Plan, PlannedStudy, section_of
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.studies.models import Instance, Reference, ReferenceRegion, Study
from deepmedix_review.studies.selectors import references_for, visible_studies
from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.printing.tables import told
from rl_feedback.evaluation.results import Case, from_json

MOST_DRAWN = 12
CASE_WORDS = {"worst": "worst", "changed": "most changed"}


@dataclass(frozen=True)
class DrawnBox:
    """In film pixels; `name` is what is there, or the step that points there."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class CaseSide:
    """What one version wrote, in pieces, and where it pointed. `is_there` is false where it has written
    nothing, or its output is gone."""

    system: str
    is_there: bool
    pieces: tuple[Piece, ...]
    boxes: tuple[DrawnBox, ...]


@dataclass(frozen=True)
class Reason:
    """Why a study is shown: as the worst or most changed case of what, or both, and the value of each
    version."""

    kinds: tuple[str, ...]
    about: str
    measure: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseTruth:
    """What the source says, for who may know it."""

    pieces: tuple[Piece, ...]
    boxes: tuple[DrawnBox, ...]


@dataclass(frozen=True)
class CaseFilm:
    """`truth` is None where this person may not know it. Where they may, words that are marked are compared
    with it; else those of two versions with each other."""

    study: Study
    reasons: tuple[Reason, ...]
    picture: str
    width: int
    height: int
    sides: tuple[CaseSide, ...]
    truth: CaseTruth | None


def films_of_cases(user: User, run: MetricRun) -> tuple[CaseFilm, ...]:
    """At most MOST_DRAWN, of studies that this person may see, the worst first; in a number of queries that
    is always the same."""
    rows = run.cases.filter(study__in=visible_studies(user)).select_related("study")
    studies = {row.name: row.study for row in rows}
    chosen = _chosen(from_json(run.result).cases, studies)
    ids = {studies[name].pk for name in chosen}
    planned = {one.study: one for one in Plan.of(run.plan).studies if one.study in ids}
    films = Instance.objects.in_bulk([one.film for one in planned.values()])
    outputs = Completion.objects.prefetch_related("steps__regions").in_bulk(
        [pk for one in planned.values() for pk in one.outputs if pk is not None]
    )
    references = references_for(user, list(ids))
    systems = [f"{one} {one.name}" for one in (run.model_version, run.beside) if one is not None]
    found = []
    for name, cases in chosen.items():
        study = studies[name]
        place = planned.get(study.pk)
        film = films.get(place.film) if place else None
        if place is None or film is None:
            continue
        written = _written(systems, place, outputs)
        reference = references.get(study.pk)
        truth = section_of(reference, run.against) if reference else ""
        true_pieces, pieces = _compared(truth, [_text(one) for one in written.values()])
        found.append(
            CaseFilm(
                study=study,
                reasons=tuple(_reasons(cases)),
                picture=reverse("film-picture", args=[film.uid]),
                width=film.columns,
                height=film.rows,
                sides=tuple(
                    CaseSide(system, one is not None, of_one, tuple(_pointed(one)))
                    for (system, one), of_one in zip(written.items(), pieces, strict=True)
                ),
                truth=CaseTruth(true_pieces, tuple(_true(reference, film))) if reference else None,
            )
        )
    return tuple(found)


def _chosen(cases: Sequence[Case], studies: Mapping[str, Study]) -> dict[str, list[Case]]:
    """By study, those that are shown of it: in turn from the worst and the most changed of each task, until
    there are enough studies."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.kind, case.task), []).append(case)
    found: dict[str, list[Case]] = {}
    for case in itertools.chain.from_iterable(itertools.zip_longest(*groups.values())):
        name = _name(case) if case else ""
        if case and name in studies and (name in found or len(found) < MOST_DRAWN):
            found.setdefault(name, []).append(case)
    is_changed = {name: all(case.kind == "changed" for case in of_one) for name, of_one in found.items()}
    return {name: found[name] for name in sorted(found, key=is_changed.__getitem__)}


def _name(case: Case) -> str:
    return case.uid.partition(" ")[0]


def _reasons(cases: Sequence[Case]) -> Iterator[Reason]:
    by_sample: dict[str, list[Case]] = {}
    for case in cases:
        by_sample.setdefault(case.uid, []).append(case)
    for uid, (case, *more) in by_sample.items():
        yield Reason(
            kinds=tuple(CASE_WORDS[one.kind] for one in (case, *more)),
            about=f"{uid.partition(' ')[2]}, {case.where}",
            measure=MEASURES[case.task][case.measure].label,
            values=tuple((one.system, told(one.value)) for one in case.said),
        )


def _written(
    systems: Sequence[str], place: PlannedStudy, outputs: Mapping[int, Completion]
) -> dict[str, Completion | None]:
    return {
        system: None if pk is None else outputs.get(pk)
        for system, pk in zip(systems, place.outputs, strict=True)
    }


def _compared(truth: str, texts: Sequence[str]) -> tuple[tuple[Piece, ...], list[tuple[Piece, ...]]]:
    """Of the truth what the first version left out is marked, of the versions what the truth does not have;
    without it two versions are compared with each other."""
    if truth:
        both = [differing_pieces(truth, text, forgives_marks=True) for text in texts]
        return both[0][0], [pieces for _, pieces in both]
    if len(texts) == 2:
        return (), list(differing_pieces(*texts, forgives_marks=True))
    return (), [(Piece(text, differs=False),) if text else () for text in texts]


def _text(output: Completion | None) -> str:
    """What was measured: the answer; all of it where it has none."""
    return (output.answer.strip() or output.text) if output else ""


def _pointed(output: Completion | None) -> Iterator[DrawnBox]:
    for step in output.steps.all() if output else ():
        for region in step.regions.all():
            yield _drawn(region, f"Step {step.position}")


def _true(reference: Reference, film: Instance) -> Iterator[DrawnBox]:
    for region in reference.regions.all():
        if region.film_id == film.pk:
            yield _drawn(region, region.label)


def _drawn(region: Region | ReferenceRegion, name: str) -> DrawnBox:
    """SVG draws no negative sizes: where a model turned its edges round, they are turned back."""
    x_min, x_max = sorted((region.x_min, region.x_max))
    y_min, y_max = sorted((region.y_min, region.y_max))
    return DrawnBox(name, round(x_min, 1), round(y_min, 1), round(x_max - x_min, 1), round(y_max - y_min, 1))
