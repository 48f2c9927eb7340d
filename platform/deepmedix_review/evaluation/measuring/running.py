"""Carries a measurement out: the plan, the samples, the figures, and a result without any text."""

from collections.abc import Callable
from dataclasses import replace

from django.db import transaction

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring.judging import Judged, judge_reports
from deepmedix_review.evaluation.measuring.planning import (
    Plan,
    Wanted,
    nums_of_other_questions,
    plan_of,
    require_some,
    told_left_out,
    usual_query,
)
from deepmedix_review.evaluation.measuring.sampling import Sampled, sampled
from deepmedix_review.evaluation.models import MetricCase, MetricRun
from inference.engines import EndpointSettings, Engine
from rl_feedback.evaluation.evaluating import evaluate
from rl_feedback.evaluation.results import Report, to_json
from rl_feedback.evaluation.samples import Task
from rl_feedback.evaluation.settings import Settings

MOST_NAMED = 8
# Of studies for intervals, and of exchanges for p.
NUM_DRAWS, NUM_SHUFFLES = 1000, 10_000


def measure_collection(
    wanted: Wanted,
    plan: Plan,
    *,
    on_step: Callable[[int, int], None] = lambda num_done, num_steps: None,
    judged_by: Callable[[Sampled], Judged] = lambda found: Judged(),
) -> tuple[Report, Sampled, Judged]:
    """Raises RefusedByRule where there is nothing to measure. References are seen by few, so neither they nor
    outputs nor boxes stand in the result; studies have numbers. `judged_by` counts for GREEN."""
    require_some(plan, wanted)
    found = sampled(plan, wanted)
    if not found.samples:
        said = " ".join(_notes(found, plan))
        raise RefusedByRule(f"No reference in {wanted.collection} holds what can be measured. {said}".strip())
    judged = judged_by(found)
    report = evaluate(
        found.samples,
        found.systems(wanted),
        title=wanted.title,
        settings=Settings(
            NUM_DRAWS,
            NUM_SHUFFLES,
            seed=wanted.seed,
            ask=judged.ask,
            judge=judged.judge,
            with_texts=False,
        ),
        on_step=on_step,
    )
    cases = [
        replace(one, boxes=(), said=tuple(replace(said, boxes=()) for said in one.said))
        for one in report.cases
    ]
    return (
        replace(
            report,
            cases=tuple(cases),
            notes=(
                *_notes(found, plan),
                *_other_questions(plan, wanted),
                *judged.notes(found, wanted),
                *report.notes,
            ),
            provenance=report.provenance | _provenance(wanted),
        ),
        found,
        judged,
    )


def carry_out(
    run: MetricRun, *, check: Callable[[], None], load: Callable[[EndpointSettings], Engine]
) -> None:
    """To its end. The outputs are chosen once: a run that goes on later measures the same ones. `load` gives
    the engine that asks its judge. Raises what stopped the judge, after all else is measured and kept."""
    wanted = wanted_of(run)
    if not run.plan:
        run.plan = plan_of(wanted).as_json()
        jobs.heartbeat(run, is_kept=True, plan=run.plan)

    def tell(num_done: int, num_steps: int) -> None:
        check()
        jobs.heartbeat(run, num_done=num_done, num_steps=num_steps)

    def judged_by(found: Sampled) -> Judged:
        return judge_reports(run, found, wanted, load=load, check=check)

    report, found, judged = measure_collection(wanted, Plan.of(run.plan), on_step=tell, judged_by=judged_by)
    with transaction.atomic():
        jobs.hold(run)
        run.cases.all().delete()
        names = {one.uid.partition(" ")[0] for one in report.cases}
        MetricCase.objects.bulk_create(
            MetricCase(run=run, study_id=found.studies[name], name=name) for name in sorted(names)
        )
        if judged.stopped is None:
            jobs.finish(run, state=JobState.DONE, result=to_json(report))
        else:
            jobs.heartbeat(run, is_kept=True, result=to_json(report))
    if judged.stopped is not None:
        raise judged.stopped


def wanted_of(run: MetricRun) -> Wanted:
    """Raises RefusedByRule where its collection was deleted."""
    if run.collection is None:
        raise RefusedByRule(f"{run.collection_name} was deleted. Measure on another collection.")
    return Wanted(
        title=run.title,
        version=run.model_version,
        collection=run.collection,
        beside=run.beside,
        side=run.side,
        against=run.against,
        query=run.query,
        is_missing_wrong=run.is_missing_wrong,
        seed=run.seed,
        judge=run.judge,
        limits=run.limits,
    )


def _notes(found: Sampled, plan: Plan) -> list[str]:
    notes = []
    if plan.left_out:
        notes.append(f"Not measured: {told_left_out(plan)}.")
    if found.num_doubted:
        notes.append(f"Not measured: labels that their source doubts, {found.num_doubted:,} in all.")
    if found.unknown:
        most = [f"{name} ({number:,})" for name, number in found.unknown.most_common(MOST_NAMED)]
        more = len(found.unknown) - len(most)
        tail = f" and {more} more" if more else ""
        notes.append(
            f"Not measured: labels that the rule labels don't know by this name: {', '.join(most)}{tail}."
        )
    if any(one.task is Task.VQA for one in found.samples):
        notes.append(
            "The questions are the sources' labels: whether the rule labels read a finding in the report. "
            "The share of present ones is sensitivity, of absent ones specificity; look at both, for most "
            "are absent as a rule."
        )
    if any(one.task is Task.GROUNDING for one in found.samples):
        notes.append(
            "Regions: every region of an output counts, also that of a step which finds nothing wrong there, "
            "such as a normal heart. Where the source drew abnormal places alone, this lowers matched IoU "
            "and precision; recall says how many of its places were found."
        )
    return notes


def _other_questions(plan: Plan, wanted: Wanted) -> list[str]:
    return [
        f"{version}: {num:,} of {num_all:,} outputs answer a question that is not known to ask for a report; "
        "they are scored as whole reports all the same, so low figures may tell of the question."
        for version, (num, num_all) in zip(
            wanted.versions, nums_of_other_questions(plan, wanted), strict=True
        )
        if num
    ]


def _provenance(wanted: Wanted) -> dict[str, str]:
    collection = wanted.collection
    told = {
        "collection": f"{collection}, studies' sha256 {collection.studies_sha256}",
        "side of the split": wanted.side or "all",
        "compared with": MetricRun.Against(wanted.against).label,
        "studies without an output": "wrong" if wanted.is_missing_wrong else "left out",
    }
    for version in wanted.versions:
        query = wanted.query.strip() or usual_query(version)
        told[f"model of {version} {version.name}"] = (
            f"sha256 of its {version.sha256_of} {version.sha256}, prompt {version.prompt_template} "
            f"{version.prompt_version}, asked: {query or 'as recorded'}"
        )
    return told
