"""What a model wrote becomes steps and regions on the film, whatever it wrote."""

from dataclasses import replace

import pytest

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import services
from deepmedix_review.reasoning.models import Completion, InferenceJob, Region
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.services import queue_inference, record_completion
from deepmedix_review.reasoning.tasks import run_inference
from deepmedix_review.studies.models import Study
from inference.engines import Done
from inference.prompts import PHANTOM_QUERY
from inference.regions import model_size
from tests.factories.jobs import InferenceJobFactory
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

OUTPUT = Done(
    key="x",
    text="<think> Large heart [28, 56, 84, 112]; clear lungs </think> The answer is: \\boxed{cardiomegaly}",
    prompt="the whole prompt",
    num_tokens=20,
    seconds=0.5,
    model_size=(112, 112),
    ended="stop",
)


def running_job(**fields: object) -> InferenceJob:
    job = jobs.claim(InferenceJob, job_id=InferenceJobFactory.create(**fields).pk)
    assert job is not None
    return job


def test_a_completion_is_recorded_with_steps_and_regions_and_ends_its_job() -> None:
    job = running_job()
    completion = record_completion(job=job, output=OUTPUT)
    assert (job.state, job.num_tokens) == (JobState.DONE, 20)
    assert (completion.answer, completion.problems, completion.prompt) == (
        "cardiomegaly",
        [],
        "the whole prompt",
    )
    assert [step.text for step in completion.steps.all()] == ["Large heart [28, 56, 84, 112]", "clear lungs"]
    assert AuditEvent.objects.latest("sequence").action == "record_completion"


@pytest.mark.parametrize(("rows", "columns"), [(3000, 2500), (2500, 3000), (1024, 1024), (112, 112)])
def test_a_region_lands_where_the_model_saw_it_on_films_of_any_shape(rows: int, columns: int) -> None:
    seen = model_size((columns, rows), preparation="square", min_pixels=12544, max_pixels=12544)
    job = running_job(instance=InstanceFactory.create(rows=rows, columns=columns))
    record_completion(job=job, output=replace(OUTPUT, model_size=seen))
    region = Region.objects.get()
    assert (region.x_min, region.y_min) == pytest.approx((columns / 4, rows / 2))
    assert (region.x_max, region.y_max) == pytest.approx((columns * 3 / 4, rows))
    assert (region.model_box, region.problem) == ([28, 56, 84, 112], "")


def test_a_box_that_can_be_no_region_is_kept_and_flagged() -> None:
    text = "<think> a [5, 5, 5, 9], [9, 9, 2, 2], [0, 0, 112, 112], [1, 1, 500, 9] </think> \\boxed{x}"
    completion = record_completion(job=running_job(), output=replace(OUTPUT, text=text))
    problems = list(Region.objects.filter(step__completion=completion).values_list("problem", flat=True))
    assert problems == ["no_area", "inverted", "whole_image", "outside_image"]
    assert not completion.is_malformed


@pytest.mark.parametrize(
    "text", ["", "no reasoning at all", "<think> cut off", "\0\0", "<think> [1e300,1,2,3] </think>"]
)
def test_a_malformed_completion_is_kept_as_what_it_is(text: str) -> None:
    completion = record_completion(job=running_job(), output=replace(OUTPUT, text=text))
    assert completion.is_malformed
    assert completion.text == text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_the_part_of_a_completion_that_is_in_another_language_is_named() -> None:
    text = "<think> 心脏增大 [10, 20, 30, 40] </think> \\boxed{Cardiomegaly}"
    completion = record_completion(job=running_job(), output=replace(OUTPUT, text=text))
    assert (completion.problems, completion.answer) == (["foreign_reasoning"], "Cardiomegaly")
    job = running_job()
    job.query = "心脏是否增大？"
    asked_so = record_completion(job=job, output=replace(OUTPUT, text=text))
    assert asked_so.problems == []


def test_a_worker_that_lost_its_job_records_nothing() -> None:
    stale = running_job()
    InferenceJob.objects.filter(pk=stale.pk).update(attempt=2)
    with pytest.raises(jobs.LeaseLost):
        record_completion(job=stale, output=OUTPUT)
    assert not Completion.objects.exists()


def test_the_same_wish_is_the_same_job_and_another_question_is_not() -> None:
    study, version = InstanceFactory.create().study, ServingModelFactory.create(temperature=1.0)

    def ask(query: str | None = None) -> list[InferenceJob]:
        return queue_inference(study=study, version=version, query=query, sampling=Sampling(2), actor=None)

    first = ask()
    assert [(job.seed, job.query) for job in first] == [(1, PHANTOM_QUERY), (2, PHANTOM_QUERY)]
    assert ask("  ") == first
    assert not set(ask("Is there a nodule?")) & set(first)
    version.max_new_tokens += 1
    assert not set(ask()) & set(first)
    version.temperature = 0
    assert len(ask()) == 1


def test_a_failed_wish_is_queued_anew_when_it_is_made_again() -> None:
    study, version = InstanceFactory.create().study, ServingModelFactory.create()
    (job,) = queue_inference(study=study, version=version, query=None, sampling=Sampling(1), actor=None)
    InferenceJob.objects.update(state=JobState.FAILED, error="why", attempt=3, num_tokens=9)
    (again,) = queue_inference(study=study, version=version, query=None, sampling=Sampling(1), actor=None)
    assert again == job
    assert (again.state, again.error, again.attempt, again.num_tokens) == (JobState.QUEUED, "", 0, 0)


@pytest.mark.parametrize("state", [Study.State.HELD, Study.State.REJECTED])
def test_no_model_sees_a_study_that_is_not_ready(state: str) -> None:
    study = InstanceFactory.create(series__study__state=state).study
    with pytest.raises(RefusedByRule, match="An admin can accept it first"):
        queue_inference(
            study=study, version=ServingModelFactory.create(), query=None, sampling=Sampling(1), actor=None
        )


def test_a_lateral_film_is_not_the_one_that_is_read() -> None:
    lateral = InstanceFactory.create(view_position="LL")
    frontal = InstanceFactory.create(series=lateral.series, view_position="PA")
    (job,) = queue_inference(
        study=lateral.study,
        version=ServingModelFactory.create(),
        query=None,
        sampling=Sampling(1),
        actor=None,
    )
    assert job.instance == frontal


def test_a_question_without_end_is_refused() -> None:
    with pytest.raises(RefusedByRule, match="at most 2000"):
        queue_inference(
            study=InstanceFactory.create().study,
            version=ServingModelFactory.create(),
            query="x" * 2001,
            sampling=Sampling(1),
            actor=None,
        )


def test_only_what_runs_is_cancelled_and_only_what_failed_is_retried() -> None:
    done = InferenceJobFactory.create(state=JobState.DONE)
    for act in (services.cancel_inference, services.requeue_inference):
        with pytest.raises(RefusedByRule, match="done"):
            act(done, actor=None)  # type: ignore[arg-type]


def test_a_study_rejected_while_its_job_waited_reaches_no_model() -> None:
    job = InferenceJobFactory.create()
    Study.objects.update(state=Study.State.REJECTED)
    run_inference()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "no model sees it" in job.error
