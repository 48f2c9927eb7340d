"""Which outputs are measured against which references, and what is left out because of what."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import (
    CollectionMember,
    CollectionVersion,
    Instance,
    Reference,
    ReferenceRegion,
    Study,
)
from inference.prompts import TEMPLATES, template

Against = MetricRun.Against
AT_ONCE = 1000
NOT_READY = "on hold, rejected or not looked at yet"
NOT_TO_LEAVE = "of a source whose licence lets nothing that is said of its studies leave"
NO_REFERENCE = "without a reference"
# What is asked of models for a report; answers to anything else may be none.
REPORT_QUESTIONS = frozenset(one.default_query for one in TEMPLATES.values())


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for. An empty `side` is all sides; an empty `query` what each version is usually
    asked. Answers are scored as reports: of a question that is not known to ask for one,
    `is_report_question` says that it does. `judge` is a version on a model server, for GREEN; `limits` are
    the fields of `rl_feedback.evaluation.arena.Limits`."""

    title: str
    version: ModelVersion
    collection: CollectionVersion
    beside: ModelVersion | None = None
    side: str = ""
    against: str = Against.REPORT
    query: str = ""
    is_report_question: bool = False
    is_missing_wrong: bool = False
    seed: int = 7
    judge: ModelVersion | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def versions(self) -> list[ModelVersion]:
        return [self.version, *([self.beside] if self.beside else [])]


@dataclass(frozen=True)
class PlannedStudy:
    """A study, one of its films, and for each version the output of it; None where there is none."""

    study: int
    film: int
    outputs: tuple[int | None, ...]


@dataclass(frozen=True)
class Plan:
    """`studies` in an order that tells nothing of them; `left_out` says of studies why, and how many."""

    studies: tuple[PlannedStudy, ...]
    num_members: int
    left_out: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "studies": [[one.study, one.film, list(one.outputs)] for one in self.studies],
            "num_members": self.num_members,
            "left_out": dict(self.left_out),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Plan":
        studies = [PlannedStudy(study, film, tuple(outputs)) for study, film, outputs in told["studies"]]
        return cls(tuple(studies), told["num_members"], told["left_out"])


def plan_of(wanted: Wanted) -> Plan:
    """Each study with a reference that the chosen section, labels or regions of can be measured, and the
    first output of each version on one film of it."""
    members = CollectionMember.objects.filter(version=wanted.collection)
    if wanted.side:
        members = members.filter(split=wanted.side)
    ids = members.values("study")
    studies = dict(
        Study.objects.filter(pk__in=ids, state=Study.State.READY)
        .exclude(source__is_credentialed=True)
        .values_list("pk", "uid")
    )
    num_members = members.values("study_id").count()
    closed = Study.objects.filter(pk__in=ids, state=Study.State.READY, source__is_credentialed=True).count()
    left_out = {NOT_READY: num_members - closed - len(studies), NOT_TO_LEAVE: closed}
    with_reference, marked = set(), set()
    for some in _parts(list(studies)):
        rows = Reference.objects.filter(study__in=some)
        boxed = ReferenceRegion.objects.filter(reference__study__in=some)
        marked |= set(boxed.values_list("film", flat=True))
        boxed_studies = set(boxed.values_list("reference__study", flat=True))
        with_reference |= {
            one.study_id
            for one in rows
            if section_of(one, wanted.against) or one.labels or one.study_id in boxed_studies
        }
    left_out[NO_REFERENCE] = len(studies) - len(with_reference)
    salt, outputs = str(wanted.collection.uid), _outputs(wanted, sorted(with_reference))
    chosen = []
    for study in sorted(with_reference, key=lambda pk: _digest(salt, str(studies[pk]))):
        found = _planned(study, outputs.get(study, {}), wanted, marked)
        if isinstance(found, PlannedStudy):
            chosen.append(found)
        else:
            left_out[found] = left_out.get(found, 0) + 1
    return Plan(tuple(chosen), num_members, {why: number for why, number in left_out.items() if number})


def section_of(reference: Reference, against: str) -> str:
    """What a report is compared with; a report that names no section is taken for both of them."""
    match against:
        case Against.FINDINGS:
            return reference.findings.strip()
        case Against.IMPRESSION:
            return reference.impression.strip()
    parts = [text.strip() for text in (reference.findings, reference.impression) if text.strip()]
    return "\n".join(parts) or reference.report.strip()


def usual_query(version: ModelVersion) -> str:
    """Empty where no one question is usual: of what was recorded elsewhere."""
    if version.source == ModelVersion.Source.RECORDED:
        return ""
    return template(version.prompt_template).default_query


def nums_of_other_questions(plan: Plan, wanted: Wanted) -> list[tuple[int, int]]:
    """Of each version how many of its outputs answer a question that is not known to ask for a report, and of
    how many."""
    found = []
    for place in range(len(wanted.versions)):
        outputs = [pk for one in plan.studies if (pk := one.outputs[place]) is not None]
        num_other = sum(
            Completion.objects.filter(pk__in=some).exclude(query__in=REPORT_QUESTIONS).count()
            for some in _parts(outputs)
        )
        found.append((num_other, len(outputs)))
    return found


def _outputs(wanted: Wanted, studies: Sequence[int]) -> dict[int, dict[int, dict[int, int]]]:
    """The first output of each version, by study, film and version."""
    found: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for version in wanted.versions:
        query = wanted.query.strip() or usual_query(version)
        for some in _parts(studies):
            rows = Completion.objects.filter(model_version=version, study__in=some)
            if query:
                rows = rows.filter(query=query)
            for pk, study, film in rows.order_by("pk").values_list("pk", "study", "instance"):
                found[study][film].setdefault(version.pk, pk)
    return found


def _planned(
    study: int, films: Mapping[int, Mapping[int, int]], wanted: Wanted, marked: set[int]
) -> PlannedStudy | str:
    """Or why it is left out. A film that the source drew regions on is taken before others."""
    versions = [version.pk for version in wanted.versions]
    in_order = sorted(films, key=lambda film: (film not in marked, film))
    for film in in_order:
        if all(version in films[film] for version in versions):
            return PlannedStudy(study, film, tuple(films[film][version] for version in versions))
    lacking = [
        str(version)
        for version in wanted.versions
        if not any(version.pk in answered for answered in films.values())
    ]
    if wanted.is_missing_wrong:
        own = next(iter(in_order), None) or _any_film(study, marked)
        if own is not None:
            return PlannedStudy(study, own, tuple(films.get(own, {}).get(version) for version in versions))
    if lacking:
        return f"without an output of {' and of '.join(lacking)}"
    return "whose outputs of the two versions are of different films"


def _any_film(study: int, marked: set[int]) -> int | None:
    films = Instance.objects.filter(series__study=study).order_by("pk").values_list("pk", flat=True)
    return next(iter(sorted(films, key=lambda film: (film not in marked, film))), None)


def require_some(plan: Plan, wanted: Wanted) -> None:
    """Raises RefusedByRule, with why and the way out, where there is nothing to measure."""
    if plan.studies:
        return
    where = f"the {wanted.side} side of {wanted.collection}" if wanted.side else str(wanted.collection)
    if not plan.num_members:
        raise RefusedByRule(f"There is no study in {where}. Choose another side, or all of them.")
    raise RefusedByRule(
        f"Nothing in {where} can be measured: {told_left_out(plan)}. References come with known data sets "
        "(manage.py import_dataset); outputs come by Inference, or Models → Import completions."
    )


def told_left_out(plan: Plan) -> str:
    """Of all members, those that are not measured, and why.

    >>> told_left_out(Plan((), 3, {NO_REFERENCE: 2, NOT_READY: 1}))
    'of 3 studies 2 are without a reference, 1 is on hold, rejected or not looked at yet'
    """
    reasons = [f"{num:,} {'is' if num == 1 else 'are'} {why}" for why, num in plan.left_out.items()]
    many = "1 study" if plan.num_members == 1 else f"{plan.num_members:,} studies"
    return f"of {many} {', '.join(reasons)}".replace("are without an output", "have no output").replace(
        "is without an output", "has no output"
    )


def _digest(salt: str, uid: str) -> str:
    return hashlib.sha256(f"{salt} {uid}".encode()).hexdigest()


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
