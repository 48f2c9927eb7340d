"""Runs the loop: films in, the model asked, SIMULATED readers read, freeze, train, gate, promote, once more.

The site's truth simulates the readers and measures. It never trains: what is learned are the readings.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from deepmedix_review.accounts.demo_logins import ensure_demo_logins
from deepmedix_review.accounts.models import Role, User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.selectors import results_of
from deepmedix_review.evaluation.services import ensure_benchmarks_for, ensure_gate_benchmarks
from deepmedix_review.evaluation.tasks import request_evaluation
from deepmedix_review.feedback.gating.promoting import let_serve
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingRun
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.feedback.simulated_loop.design import design_round
from deepmedix_review.feedback.simulated_loop.films import (
    ask_about,
    most_unsure_of,
    receive_films,
    studies_of,
)
from deepmedix_review.feedback.simulated_loop.progress import Progress
from deepmedix_review.feedback.simulated_loop.readers import ensure_simulated_readers, read_all
from deepmedix_review.feedback.simulated_loop.state import LoopPlan, LoopState, RoundState, load_state
from deepmedix_review.feedback.tasks import request_training, request_training_retry
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.models import ReaderStudy
from rl_feedback.evaluation.phantoms import CaseResult
from rl_feedback.simulated_readers import PANEL
from rl_feedback.simulated_rounds.collecting import ROUND_SEEDS
from rl_feedback.simulated_rounds.figures import (
    LoopReport,
    Measured,
    Preferred,
    Round,
    measured_of,
    perfect_preferred,
    preferred,
)
from rl_feedback.simulated_rounds.recipes import recipe_for
from rl_feedback.simulated_rounds.report import write_report
from rl_feedback.simulated_rounds.sharing import num_films_for

POLL_SECONDS = 1.0
# Nothing that moves for so long: no worker is there.
PATIENCE_SECONDS = 600.0
# The gate teaches a step scorer and scores thousands of steps by it without a word in between: ten minutes
# on a machine that has ten other things to do.
GATE_PATIENCE_SECONDS = 3600.0


def run_loop(plan: LoopPlan, *, tell: Callable[[str], None], folder: Path | None = None) -> Path:
    """The report's page. Goes on where an earlier run of the same plan in this home was stopped.

    Raises RefusedByRule where something stops the loop.
    """
    folder = folder or Path(settings.HOME) / "simulated-loop"
    state = load_state(folder, plan=plan, start=serving_model().number)
    chosen = plan.recipe or recipe_for(plan.kind).as_json()
    ensure_demo_logins()
    progress = Progress(tell)
    start = ModelVersion.objects.get(number=state.start)
    progress.says("Measuring the model that serves, on both sites.")
    _measure(start, progress)
    for number in range(1, plan.num_rounds + 1):
        if len(state.rounds) < number:
            state.rounds.append(RoundState())
            state.save()
        _run_round(state, number, recipe=chosen, progress=progress)
    report = report_of(state, recipe=chosen)
    page = write_report(report, folder / "report")
    tell(f"The report of these SIMULATED readings: {page}")
    return page


def _run_round(state: LoopState, number: int, *, recipe: Mapping[str, Any], progress: Progress) -> None:
    """Each part is done once; what is there already is passed by."""
    plan, current = state.plan, state.rounds[number - 1]
    if current.promoted is not None:
        return
    admin, researcher = (User.objects.get(username=role) for role in (Role.ADMIN, Role.RESEARCHER))
    title = f"SIMULATED readers, round {number}"
    if not current.reader_study:
        current.num_films = num_films_for(plan.num_readings, num_readers=len(PANEL))
        part = progress.part(f"round {number}: films drawn and imported")
        receive_films(
            current, seeds=_seeds(state, number), site=plan.site, admin=admin, keep=state.save, tell=part
        )
        studies = studies_of(current)
        jobs = ask_about(studies, admin=admin)
        _await_answers(jobs, progress.part(f"round {number}: answers of {serving_model()}"))
        chosen = most_unsure_of(studies, jobs, number=current.num_films)
        reader_study = design_round(
            title=title,
            studies=chosen,
            readers=list(User.objects.filter(pk__in=ensure_simulated_readers())),
            num_readings=plan.num_readings,
            kind=plan.kind,
            admin=admin,
            seed=plan.seed,
        )
        current.reader_study = str(reader_study.uid)
        state.save()
    if not current.dataset:
        current.reading_minutes = read_all(
            ReaderStudy.objects.get(uid=current.reader_study),
            films=current.films,
            site=plan.site,
            kind=plan.kind,
            seed=plan.seed,
            tell=progress.part(f"round {number}: readings signed by SIMULATED readers"),
        )
        dataset = freeze_dataset(title=title, actor=researcher)
        current.dataset = str(dataset.uid)
        state.save()
    if not current.training_run:
        dataset = PreferenceDataset.objects.get(uid=current.dataset)
        run = request_training(dataset=dataset, actor=researcher, recipe=recipe)
        current.training_run = str(run.uid)
        state.save()
    _finish_round(state, number, researcher=researcher, progress=progress)


def _finish_round(state: LoopState, number: int, *, researcher: User, progress: Progress) -> None:
    """Wait for training and gate; promote what passed."""
    current = state.rounds[number - 1]
    run = TrainingRun.objects.get(uid=current.training_run)
    if run.state in (JobState.FAILED, JobState.CANCELLED):
        request_training_retry(run, actor=researcher)
    candidate = _await_candidate(run, progress.part(f"round {number}: training steps"))
    scorer = run.about.get("step_scorer")
    if scorer:
        progress.says(f"Round {number}: the step scorer. {scorer['sentence']}")
    progress.says(f"Round {number}: {candidate} stands before the gate.")
    decision = _await_gate(candidate, progress.part(f"round {number}: films measured for the gate"))
    progress.says(decision.sentence)
    passed = decision.outcome == GateDecision.Outcome.PASSED
    if passed and candidate.state == ModelVersion.State.CANDIDATE:
        let_serve(
            candidate,
            actor=researcher,
            reason=f"It passed the gate after round {number} of SIMULATED readings.",
        )
    current.promoted = passed
    state.save()


def _seeds(state: LoopState, number: int) -> range:
    """Films that no other round, seed or measurement shows."""
    begin = ROUND_SEEDS.start + (state.plan.seed % 50) * 20_000
    drawn = [one.num_films * state.plan.drawn_per_film for one in state.rounds[:number]]
    return range(begin + sum(drawn[:-1]), begin + sum(drawn))


def _measure(version: ModelVersion, progress: Progress) -> None:
    wanted = ensure_gate_benchmarks()
    for benchmark in wanted:
        request_evaluation(benchmark=benchmark, model_version=version, actor=None)

    def look() -> int:
        rows = Evaluation.objects.filter(model_version=version, benchmark__in=wanted)
        for row in rows.filter(state=JobState.FAILED):
            raise RefusedByRule(f"{version} could not be measured: {row.error}")
        return sum(rows.values_list("num_done", flat=True)) + rows.filter(state=JobState.DONE).count()

    whole = sum(benchmark.num_phantoms + 1 for benchmark in wanted)
    _await(look, whole=whole, tell=progress.part("films measured"))


def _await_answers(jobs: list[int], tell: Callable[[int, int], None]) -> None:
    rows = InferenceJob.objects.filter(pk__in=jobs)
    _await(lambda: rows.filter(state__in=FINAL_STATES).count(), whole=len(jobs), tell=tell)
    failed = rows.filter(state=JobState.FAILED).first()
    if failed is not None:
        raise RefusedByRule(f"A film was not answered: {failed.error}")


def _await_candidate(run: TrainingRun, tell: Callable[[int, int], None]) -> ModelVersion:
    def look() -> int:
        run.refresh_from_db()
        if run.state in (JobState.FAILED, JobState.CANCELLED):
            raise RefusedByRule(f"The training run {run.state}. {run.error} The same command tries again.")
        return run.step + (run.state == JobState.DONE)

    _await(look, whole=run.num_steps + 1, tell=tell)
    candidate = run.candidate
    assert candidate is not None
    return candidate


def _await_gate(candidate: ModelVersion, tell: Callable[[int, int], None]) -> GateDecision:
    decisions = GateDecision.objects.filter(candidate=candidate)
    done = Evaluation.objects.filter(
        model_version__in=(candidate, candidate.parent), benchmark__in=ensure_benchmarks_for(candidate)
    )

    def look() -> int:
        for row in done.filter(state=JobState.FAILED):
            raise RefusedByRule(f"{candidate} could not be measured: {row.error}")
        return -1 if decisions.exists() else sum(done.values_list("num_done", flat=True))

    wanted = 2 * sum(benchmark.num_phantoms for benchmark in ensure_benchmarks_for(candidate))
    _await(
        look,
        whole=-1,
        tell=lambda number, whole: tell(wanted if number == whole else number, wanted),
        patience_seconds=GATE_PATIENCE_SECONDS,
    )
    return decisions.get()


def _await(
    look: Callable[[], int],
    *,
    whole: int,
    tell: Callable[[int, int], None],
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Until `look` says `whole`. Raises RefusedByRule when nothing moves for `patience_seconds`."""
    seen, moved_at = look(), time.monotonic()
    while seen != whole:
        time.sleep(POLL_SECONDS)
        now = look()
        if now != seen:
            moved_at = time.monotonic()
            tell(now, whole)
        elif time.monotonic() - moved_at > patience_seconds:
            raise RefusedByRule(
                f"No worker has done anything for {patience_seconds:.0f} s. `make demo-loop` starts them; "
                "the run goes on where it is."
            )
        seen = now


def report_of(state: LoopState, *, recipe: Mapping[str, Any]) -> LoopReport:
    """What the evaluations of the gate say of every round."""
    plan = state.plan
    start = ModelVersion.objects.get(number=state.start)
    rounds = [Round(0, str(start), 0, 0.0, 0.0, True, "", _figures(start))]
    num_readings, minutes = 0, 0.0
    for number, one in enumerate(state.rounds, 1):
        run = TrainingRun.objects.select_related("candidate").get(uid=one.training_run)
        candidate = run.candidate
        assert candidate is not None
        dataset = PreferenceDataset.objects.get(uid=one.dataset)
        num_readings, minutes = dataset.num_readings, minutes + one.reading_minutes
        rounds.append(
            Round(
                number=number,
                model=str(candidate),
                num_readings=num_readings,
                reading_minutes=minutes,
                training_minutes=sum(run.metrics.values_list("seconds", flat=True)) / 60,
                promoted=bool(one.promoted),
                gate=GateDecision.objects.get(candidate=candidate).sentence,
                figures=_figures(candidate),
                preferred=_preferred(start, candidate, plan),
                step_scorer=run.about.get("step_scorer", {}).get("sentence", ""),
            )
        )
    return LoopReport(
        title=f"What {num_readings} SIMULATED readings gained",
        seed=plan.seed,
        kind=plan.kind,
        site=plan.site,
        num_held_out=min(benchmark.num_phantoms for benchmark in ensure_gate_benchmarks()),
        rounds=tuple(rounds),
        recipe=recipe,
        load=os.getloadavg(),
        perfect_preferred=_perfect_preferred(start, plan),
    )


def _figures(version: ModelVersion) -> dict[str, dict[str, Measured]]:
    found = {}
    for benchmark in ensure_gate_benchmarks():
        evaluation = Evaluation.objects.filter(model_version=version, benchmark=benchmark).first()
        if evaluation is None:
            raise RefusedByRule(
                f"The workers did not measure {version} on {benchmark.num_phantoms} sealed films of each "
                "site, as GATE_NUM_PHANTOMS says here. Give the command the GATE_NUM_PHANTOMS that they have."
            )
        found[benchmark.site] = measured_of(evaluation.figures)
    return found


def _perfect_preferred(start: ModelVersion, plan: LoopPlan) -> Preferred:
    said = _said_of(start, plan)
    return perfect_preferred(
        site=plan.site,
        seeds=[result.seed for result in said],
        before=[result.text for result in said],
        seed=plan.seed,
    )


def _preferred(start: ModelVersion, later: ModelVersion, plan: LoopPlan) -> Preferred:
    before, after = (_said_of(version, plan) for version in (start, later))
    return preferred(
        site=plan.site,
        seeds=[result.seed for result in before],
        before=[result.text for result in before],
        after=[result.text for result in after],
        seed=plan.seed,
    )


def _said_of(version: ModelVersion, plan: LoopPlan) -> tuple[CaseResult, ...]:
    benchmark = next(one for one in ensure_gate_benchmarks() if one.site == plan.site)
    return results_of(Evaluation.objects.get(model_version=version, benchmark=benchmark))
