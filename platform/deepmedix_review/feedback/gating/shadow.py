"""Shadow studies: readers compare, blinded, what a candidate and its parent say of patients that neither
learned from, and their votes have a word at the gate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.learned.patients import patients_learned
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.selectors import films_to_read
from deepmedix_review.reasoning.tasks import request_inference_of_films
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import default_criteria
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Criterion, ReaderStudy
from deepmedix_review.reviews.study_services import Collected, StudyDraft, design_reader_study
from deepmedix_review.studies.models import CollectionVersion, Instance, Split, Study
from inference.prompts import template

TITLE = "Which of two outputs is better? {} case{}"
USUAL_CASES, MOST_CASES = 100, 500
# Of a two-sided 95 % interval.
_Z = 1.96
# What share of the films readers may be expected to prefer the candidate on, for the plan.
EXPECTED = (0.55, 0.6, 0.65)


@dataclass(frozen=True)
class ShadowStudy:
    """How far one is: cases that both versions answered, requests that failed, readings signed of those
    assigned."""

    reader_study: ReaderStudy
    num_cases: int
    num_answered: int
    num_failed: int
    num_signed: int
    num_assigned: int

    @property
    def is_ready(self) -> bool:
        return self.num_cases > 0 and self.num_answered == self.num_cases

    @property
    def says_too_few(self) -> str:
        return too_few(self.num_cases)


def films_needed(share: float) -> int:
    """How many films it takes for the 95 % interval of a preference of `share` to lie above a half, one vote
    a film and no ties (normal approximation): fewer where votes are ties.

    >>> [films_needed(share) for share in (0.55, 0.6, 0.65)]
    [381, 93, 39]
    """
    if not 0.5 < share < 1:
        raise ValueError("Only for a preference above a half an interval can come to lie above it.")
    return math.ceil(_Z**2 * share * (1 - share) / (share - 0.5) ** 2)


def too_few(num_cases: int) -> str:
    """What to know of a study in which even a clear preference can't be told from chance; mostly nothing."""
    clearest = max(EXPECTED)
    needed = films_needed(clearest)
    if num_cases >= needed:
        return ""
    cases = "1 case is" if num_cases == 1 else f"{num_cases} cases are"
    return f"{cases} too few to tell: where {clearest} prefer one version it takes about {needed}."


def collections_to_shadow() -> Sequence[CollectionVersion]:
    """The newest version of each collection, as a reader study may take its cases from."""
    return choices.collections_to_read(None)


@transaction.atomic
def make_shadow_study(
    candidate: ModelVersion, *, collection: CollectionVersion, num_cases: int, actor: User
) -> ReaderStudy:
    """The draft of a reader study that shows both versions' output beside each other on patients of the
    collection's test side; what either has not answered yet is requested. An admin invites the readers and
    starts it."""
    require(actor, Capability.MAKE_SHADOW_STUDIES)
    parent = candidate.parent
    if parent is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    if not 1 <= num_cases <= MOST_CASES:
        raise RefusedByRule(f"A shadow study has 1 to {MOST_CASES} cases.")
    studies = _held_out(collection, candidate, number=num_cases)
    if not studies:
        raise RefusedByRule(
            f"{collection} has no ready study with a film on its test side of a patient whom {candidate} did "
            "not learn from. Choose another collection, or make one whose split has a test side."
        )
    query = template(parent.prompt_template).default_query
    num_requested = 0
    for version in (candidate, parent):
        answered = Completion.objects.filter(study=OuterRef("pk"), model_version=version, query=query)
        to_ask = Study.objects.filter(~Exists(answered), pk__in=[study.pk for study in studies])
        films = films_to_read(to_ask)
        request_inference_of_films(films, actor=actor, query=query, sampling=Sampling(1), version=version)
        num_requested += len(films)
    design = ReaderStudyDesign(shows="two_versions")
    draft = StudyDraft(
        title=TITLE.format(len(studies), "" if len(studies) == 1 else "s"),
        studies=studies,
        collected=Collected(collection, Split.TEST, num_cases),
        asked=[asked for asked in default_criteria() if asked.criterion.target == Criterion.Target.VOTE],
        design=design,
        model_version=candidate,
        other_version=parent,
        seed=candidate.number,
    )
    reader_study = design_reader_study(draft=draft, actor=None)
    ReaderStudy.objects.filter(pk=reader_study.pk).update(created_by=actor)
    record_event(
        actor=actor,
        action="make_shadow_study",
        subject=candidate,
        details={
            "reader_study": str(reader_study.uid),
            "collection": str(collection.uid),
            "cases": len(studies),
            "requested": num_requested,
        },
    )
    return reader_study


def shadow_studies_of(candidate: ModelVersion) -> Sequence[ShadowStudy]:
    """Every reader study that shows the candidate beside its parent, newest first, however it was made."""
    if candidate.parent is None:
        return ()
    both = Q(model_version=candidate, other_version=candidate.parent) | Q(
        model_version=candidate.parent, other_version=candidate
    )
    rows = ReaderStudy.objects.filter(both, shows=ReaderStudy.Shows.TWO_VERSIONS).order_by("-pk")
    return [_progress(row, candidate, candidate.parent) for row in rows[:5]]


def _progress(reader_study: ReaderStudy, candidate: ModelVersion, parent: ModelVersion) -> ShadowStudy:
    cases = reader_study.cases.filter(role="data")

    def said(version: ModelVersion) -> Exists:
        return Exists(Completion.objects.filter(study=OuterRef("study"), model_version=version))

    failed = InferenceJob.objects.filter(
        study__in=cases.values("study"), model_version__in=(candidate, parent), state=JobState.FAILED
    )
    readings = reader_study.cases.aggregate(
        assigned=Count("assignments", filter=Q(assignments__withdrawn_at__isnull=True), distinct=True),
        signed=Count("assignments", filter=Q(assignments__readings__signed_at__isnull=False), distinct=True),
    )
    return ShadowStudy(
        reader_study=reader_study,
        num_cases=cases.count(),
        num_answered=cases.filter(said(candidate), said(parent)).count(),
        num_failed=failed.count(),
        num_signed=readings["signed"],
        num_assigned=readings["assigned"],
    )


def _held_out(collection: CollectionVersion, candidate: ModelVersion, *, number: int) -> list[Study]:
    """By chance, of the test side; no patient whom the candidate or a version before it learned from."""
    ready: QuerySet[Study] = Study.objects.filter(
        Exists(Instance.objects.filter(series__study=OuterRef("pk"))), state=Study.State.READY
    ).exclude(patient_pseudonym__in=patients_learned(candidate))
    of_test = choices.of_collection(ready, Collected(collection, Split.TEST))
    return list(choices.drawn(of_test, number=number, seed=candidate.number))
