"""Reads what was asked of a model and what it answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.reasoning.models import Completion, InferenceJob, ReasoningStep, Region, WaitingCancel
from deepmedix_review.reasoning.region_labels import output_letter, region_label
from deepmedix_review.reasoning.sampling import Draws
from deepmedix_review.reasoning.unfinished import Unfinished, unfinished_of
from deepmedix_review.reasoning.workers.selectors import why_queued
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionMember, CollectionVersion, Instance, Study
from deepmedix_review.studies.selectors import films_of, frontal_first

ENDED_WITHOUT = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class StudyInference:
    """What the study's page shows: jobs without a result, what runs of them has written so far, and the
    completions, newest first.

    `letters`: by the uid of a job or completion, which of several outputs it is, in the order in which they
    were asked for. Each numbers its regions from 1, so that the film and the text name both: A1, B1.
    `why_queued`: why no worker can take what waits, in sentences.
    """

    jobs: tuple[InferenceJob, ...]
    unfinished: tuple[Unfinished, ...]
    completions: tuple[Completion, ...]
    letters: Mapping[UUID, str]
    why_queued: Sequence[str]

    @property
    def is_live(self) -> bool:
        return any(not job.is_final for job in self.jobs)

    @property
    def said(self) -> str:
        """For who hears the page: the same sentence until there is a step more."""
        if not self.is_live:
            number = len(self.completions)
            return f"Nothing is under way. {number} completion{' is' if number == 1 else 's are'} there."
        return " ".join(one.said for one in self.unfinished)


def film_to_read(study: Study) -> Instance:
    """The film that the model sees of a study: its first frontal one, else its first.

    Raises RefusedByRule for a study without films.
    """
    film = films_of(study).first()
    if film is None:
        raise RefusedByRule(f"{study.label} holds no film. Import its films again.")
    return film


def films_to_read(studies: QuerySet[Study]) -> list[Instance]:
    """What `film_to_read` gives for each of them that has a film, the newest study first, in one query."""
    films = Instance.objects.filter(series__study__in=studies).select_related("series__study")
    return list(frontal_first(films, "-series__study_id").distinct("series__study_id"))


def studies_to_ask(
    version: ModelVersion,
    *,
    before: int | None = None,
    collection: CollectionVersion | None = None,
    query: str,
    draws: Draws,
) -> QuerySet[Study]:
    """Ready studies with a film, newest first, of which one of these draws is neither completed by this
    version nor under way with it.

    `before`: older than the study of this key. `collection`: members of it alone.
    """
    of_this: dict[str, Any] = {
        "study": OuterRef("pk"),
        "model_version": version,
        "query": query,
        "temperature": draws.temperature,
    }
    lacks_one = Q()
    for seed in draws.seeds:
        lacks_one |= Q(
            ~Exists(Completion.objects.filter(**of_this, seed=seed)),
            ~Exists(InferenceJob.objects.filter(**of_this, seed=seed).exclude(state__in=FINAL_STATES)),
        )
    older = Q() if before is None else Q(pk__lt=before)
    if collection is not None:
        older &= Q(pk__in=CollectionMember.objects.filter(version=collection).values("study"))
    return Study.objects.filter(
        older,
        Exists(Instance.objects.filter(series__study=OuterRef("pk"))),
        lacks_one,
        state=Study.State.READY,
    ).order_by("-pk")


def inference_jobs() -> QuerySet[InferenceJob]:
    """Newest first, with what a line of the list shows."""
    return InferenceJob.objects.select_related(
        "study", "model_version", "requested_by", "completion"
    ).order_by("-pk")


def num_jobs_by_state() -> dict[str, int]:
    """Queued and running jobs; the others grow without end and are not counted."""
    live = InferenceJob.objects.exclude(state__in=FINAL_STATES).order_by()
    counted = dict(live.values_list("state").annotate(number=Count("pk")))
    return {state: counted.get(state, 0) for state in (JobState.QUEUED, JobState.RUNNING)}


def waiting_cancel() -> WaitingCancel | None:
    """The last time that a person ended all that waited, while that is under way or where it failed."""
    last = WaitingCancel.objects.select_related("requested_by").order_by("-pk").first()
    return last if last and last.state not in (JobState.DONE, JobState.CANCELLED) else None


def job_for(user: User, uid: UUID) -> InferenceJob:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.REQUEST_INFERENCE)
    return inference_jobs().select_related("instance").get(uid=uid)


def study_inference(study: Study) -> StudyInference:
    """At most five queries, however many completions there are."""
    steps = ReasoningStep.objects.prefetch_related("regions")
    completions = (
        Completion.objects.filter(study=study)
        .select_related("model_version", "instance", "job")
        .prefetch_related(Prefetch("steps", queryset=steps))
        .order_by("-pk")
    )
    unanswered = InferenceJob.objects.filter(study=study).exclude(state=JobState.DONE)
    jobs = tuple(unanswered.select_related("model_version", "instance").order_by("-pk"))
    said = tuple(completions)
    return StudyInference(
        jobs=jobs,
        unfinished=unfinished_of(jobs),
        completions=said,
        letters=_letters(jobs, said),
        why_queued=why_queued(jobs),
    )


def _letters(jobs: Iterable[InferenceJob], completions: Iterable[Completion]) -> dict[UUID, str]:
    """None where there is one output alone. A job and its completion have one place, so that no letter
    changes when a text is through."""
    asked = {job.uid: (job.created_at, job.pk) for job in jobs if job.state not in ENDED_WITHOUT}
    said = {one.uid: _asked_at(one) for one in completions}
    of_both = sorted((asked | said).items(), key=lambda each: each[1])
    if len(of_both) < 2:
        return {}
    return {uid: output_letter(place) for place, (uid, _) in enumerate(of_both, start=1)}


def _asked_at(completion: Completion) -> tuple[datetime, int]:
    asked = completion.job or completion
    return asked.created_at, asked.pk


def region_labels(regions: Iterable[int]) -> dict[int, str]:
    """By primary key, what these regions are called on the film: 2, or 2a, 2b … where a step has several."""
    num_regions = (
        Region.objects.filter(step=OuterRef("step")).order_by().values("step").annotate(n=Count("pk"))
    )
    rows = Region.objects.filter(pk__in=list(regions)).annotate(num_regions=Subquery(num_regions.values("n")))
    return {
        pk: region_label(step=step, region=region, num_regions=num)
        for pk, step, region, num in rows.values_list("pk", "step__position", "position", "num_regions")
    }
