"""What models of the house were asked about many films, and how what they wrote was compared and measured."""

from collections.abc import Sequence

from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.evaluation.measuring.running import carry_out
from deepmedix_review.evaluation.measuring.services import make_run
from deepmedix_review.evaluation.models import ArenaRun, MetricRun
from deepmedix_review.reasoning.models import Completion, InferenceBatch, InferenceWorker
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Collection, CollectionMember, Instance, Reference, Study
from inference.engines import load_engine
from tests.factories.arena import judged_run
from tests.factories.jobs import BatchedJobFactory, InferenceBatchFactory
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory

CLEAR = ("Both lungs are clear", [(30.0, 40.0, 100.0, 180.0), (125.0, 40.0, 200.0, 180.0)])


def compared(films: Sequence[Instance], version: ModelVersion, researcher: User) -> ArenaRun:
    """The version against another one that says less of the same films."""
    other = ModelVersionFactory.create()
    for film in films:
        say(film, steps=[CLEAR], answer="no acute finding", model_version=other)
    return judged_run([version, other], actor=researcher)


def measured(collection: Collection, version: ModelVersion, researcher: User) -> MetricRun:
    """What the version wrote of the collection, against a sentence for each of its studies."""
    of = collection.versions.latest("pk")
    for member in CollectionMember.objects.filter(version=of).select_related("study"):
        Reference.objects.create(study=member.study, impression="The heart is enlarged.")
    query = Completion.objects.filter(model_version=version).earliest("pk").query
    wanted = Wanted(title="Monthly", version=version, collection=of, query=query)
    run = jobs.claim(MetricRun, job_id=make_run(wanted, actor=researcher).pk)
    assert run is not None
    carry_out(run, check=lambda: None, load=load_engine)
    return run


def half_answered(admin: User, study: Study) -> InferenceBatch:
    """A batch of a version of its own, paused, of which one completion failed; and who answers."""
    version = ModelVersionFactory.create()
    batch = InferenceBatchFactory.create(
        model_version=version, requested_by=admin, paused_at=timezone.now(), num_studies=2
    )
    film = study.series.earliest("pk").instances.earliest("pk")
    for state, error in ((JobState.QUEUED, ""), (JobState.FAILED, "The film's file is missing.")):
        BatchedJobFactory.create(batch=batch, instance=film, state=state, error=error)
    now = timezone.now()
    InferenceWorker.objects.create(name="inference@here", seen_at=now, model_version=version, num_running=1)
    InferenceWorker.objects.create(name="inference@drains", seen_at=now, drains_until=now, num_answered=7)
    unfit = {str(version.pk): f"{version} loads here, but writes nothing."}
    InferenceWorker.objects.create(name="inference@ill", seen_at=now, unfit=unfit)
    return batch
