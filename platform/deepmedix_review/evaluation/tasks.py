"""Measures model versions in the background; the database row is the job, a message only wakes the worker."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.answer_times import add_up_answer_times
from deepmedix_review.evaluation.arena import services as arena_services
from deepmedix_review.evaluation.arena.wanted import WantedRun
from deepmedix_review.evaluation.measuring import services as measuring_services
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.evaluation.models import ArenaRun, Benchmark, Evaluation, MetricRun
from deepmedix_review.evaluation.patients import ask_of_patients, keep_answers, record_patients
from deepmedix_review.evaluation.services import keep_cases, record_evaluation, requeue_evaluation
from deepmedix_review.evaluation.suites import AnyResult, measure
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import engine_settings, prompt_of
from inference.dialects import Dialect
from inference.engines import DamagedModel, Done, EngineError, EngineSettings, load_engine, require_sound
from rl_feedback.evaluation.phantoms import AskedHow, EvaluationFailed

if TYPE_CHECKING:
    from deepmedix_review.evaluation.measuring.judging import Judged
    from deepmedix_review.evaluation.measuring.sampling import Sampled


def request_evaluation(
    *, benchmark: Benchmark, model_version: ModelVersion, actor: User | None
) -> Evaluation:
    """The one measurement of this version on this benchmark: made if there is none, woken if it waits."""
    with transaction.atomic():
        evaluation, _ = Evaluation.objects.get_or_create(
            benchmark=benchmark, model_version=model_version, defaults={"requested_by": actor}
        )
        if not evaluation.is_final:
            jobs.wake(run_evaluation, evaluation)
    return evaluation


def retry_evaluation(evaluation: Evaluation, *, actor: User) -> None:
    """A person lets a failed or cancelled measurement go on."""
    with transaction.atomic():
        requeue_evaluation(evaluation, actor=actor)
        jobs.wake(run_evaluation, evaluation)


@shared_task
def run_evaluation(evaluation_id: int) -> None:
    evaluation = jobs.claim(Evaluation, job_id=evaluation_id)
    if evaluation is None:
        return
    try:
        _measure(evaluation)
    except DamagedModel as damage:
        jobs.end_by(evaluation, damage, says=(DamagedModel,), is_damaged=True)
    except Exception as error:
        jobs.end_by(evaluation, error, says=(EngineError, EvaluationFailed))


@shared_task
def reconcile_evaluations() -> None:
    """Queue again what lost its worker, and wake what waits."""
    for evaluation_id in jobs.requeue_expired(Evaluation):
        run_evaluation.apply_async((evaluation_id,), expires=60)
    for run in ArenaRun.objects.filter(pk__in=jobs.requeue_expired(ArenaRun)):
        run_arena.apply_async((run.pk,), expires=60, queue=_queue(run))
    for run_id in jobs.requeue_expired(MetricRun):
        run_metrics.apply_async((run_id,), expires=60)


def request_arena(wanted: WantedRun, *, actor: User) -> ArenaRun:
    """A run of the arena, whose judge begins as soon as a worker is free."""
    with transaction.atomic():
        run = arena_services.make_run(wanted, actor=actor)
        jobs.wake(run_arena, run, queue=_queue(run))
    return run


def request_arena_again(
    run: ArenaRun, *, actor: User, num_wanted: int | None = None, limits: Mapping[str, Any] | None = None
) -> None:
    with transaction.atomic():
        arena_services.let_go_on(run, actor=actor, num_wanted=num_wanted, limits=limits)
        jobs.wake(run_arena, run, queue=_queue(run))


def _queue(run: ArenaRun) -> str:
    """A model in memory needs a worker that has room for it; all else waits for others."""
    return "io" if run.judge_version_id is None else "learning"


@shared_task
def run_arena(run_id: int) -> None:
    # With them come statistics, which the web process does without.
    from deepmedix_review.evaluation.arena.running import carry_out, judge_engine_settings
    from rl_feedback.evaluation.arena import JudgeFailed, LimitReached

    run = jobs.claim(ArenaRun, job_id=run_id)
    if run is None:
        return
    try:
        with jobs.kept_alive(run) as check:
            asked = judge_engine_settings(run)
            carry_out(run, None if asked is None else load_engine(asked), check=check)
        jobs.finish(run, state=JobState.DONE)
    except Exception as error:
        jobs.end_by(run, error, says=(EngineError, JudgeFailed, LimitReached))


def request_metrics(wanted: Wanted, *, actor: User) -> MetricRun:
    """A measurement against references, which begins as soon as a worker is free."""
    with transaction.atomic():
        run = measuring_services.make_run(wanted, actor=actor)
        jobs.wake(run_metrics, run)
    return run


def request_metrics_again(run: MetricRun, *, actor: User, limits: Mapping[str, Any] | None = None) -> None:
    with transaction.atomic():
        measuring_services.let_go_on(run, actor=actor, limits=limits)
        jobs.wake(run_metrics, run)


@shared_task
def run_metrics(run_id: int) -> None:
    # With them come statistics, which the web process does without.
    from deepmedix_review.evaluation.measuring.running import carry_out
    from rl_feedback.evaluation.arena import JudgeFailed, LimitReached

    run = jobs.claim(MetricRun, job_id=run_id)
    if run is None:
        return
    try:
        with jobs.kept_alive(run) as check:
            carry_out(run, check=check, load=load_engine)
    except Exception as error:
        jobs.end_by(run, error, says=(EngineError, JudgeFailed, LimitReached))


def judge_at_once(found: "Sampled", wanted: Wanted) -> "Judged":
    """As a run has its reports judged, for a command, which waits for it: see `judging.judge_at_once`."""
    from deepmedix_review.evaluation.measuring import judging

    return judging.judge_at_once(found, wanted, load=load_engine)


@shared_task
def tend_answer_times() -> None:
    """Add up how long versions took to answer, for the pages that plot it."""
    add_up_answer_times()


def _measure(evaluation: Evaluation) -> None:
    """To its end, with everything kept; so are the films that are done, wherever it ends before."""
    version, benchmark = evaluation.model_version, evaluation.benchmark
    prompt = prompt_of(version)
    with jobs.kept_alive(evaluation) as check:
        settings = engine_settings(version)
        if isinstance(settings, EngineSettings):
            require_sound(settings.folder, sha256=settings.sha256)
        engine = load_engine(settings)
        asked = AskedHow(
            prompt=prompt.render(prompt.default_query),
            box_frame=version.box_frame,
            max_new_tokens=version.max_new_tokens,
            dialect=Dialect(version.dialect),
            reasons=prompt.reasons,
        )
        if benchmark.suite == Benchmark.Suite.PATIENTS:

            def keep(answers: Sequence[tuple[int, Done]]) -> None:
                keep_answers(evaluation, answers)
                check()

            ask_of_patients(evaluation, engine, asked=asked, on_round=keep)
        else:

            def keep_all(results: Sequence[AnyResult]) -> None:
                keep_cases(evaluation, results)
                check()

            results = measure(benchmark, engine, asked=asked, known=evaluation.cases, on_round=keep_all)
    if benchmark.suite == Benchmark.Suite.PATIENTS:
        record_patients(evaluation)
    else:
        record_evaluation(evaluation, results)
