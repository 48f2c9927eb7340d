"""Has a version on a model server judge reports for GREEN, and keeps what it counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.evaluation.measuring.sampling import Sampled
from deepmedix_review.evaluation.models import GreenAnswer, MetricRun
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import key_in
from inference.engines import EndpointSettings, Engine, EngineError
from rl_feedback.evaluation.arena import EngineJudge, JudgeFailed, LimitReached, Limits, Spent
from rl_feedback.evaluation.reports.green import PROMPT_VERSION, question_of
from rl_feedback.evaluation.reports.green_judge import GreenSettings, KeptCounts, count_all, key_of
from rl_feedback.evaluation.reports.weighted import Unavailable
from rl_feedback.evaluation.samples import Task, report_text

AT_ONCE = 1000
Load = Callable[[EndpointSettings], Engine]
Check = Callable[[], None]
STOPS = (EngineError, JudgeFailed, LimitReached, RefusedByRule)


@dataclass(frozen=True)
class Judged:
    """What the judge counted, by question; empty where it wrote rubbish. `stopped` is what ended its work
    before its time: GREEN is then unavailable, and what is judged is kept."""

    judge: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    stopped: Exception | None = None
    num_tries: int = 0

    def ask(self, question: str) -> str:
        """As a judge that answers at once. Raises Unavailable."""
        if not self.judge:
            raise Unavailable(
                "no judge was chosen", "choose a version on a model server under Models → Evaluations"
            )
        if self.stopped is not None:
            raise Unavailable(
                f"the judge did not end its work: {str(self.stopped).rstrip('.')}",
                "let the run go on, with other limits where one was reached",
            )
        return self.counts[question]

    def notes(self, found: Sampled, wanted: Wanted) -> list[str]:
        """Of each version how many of its reports have no GREEN."""
        if not self.judge or self.stopped is not None:
            return []
        told = []
        for version, questions in zip(wanted.versions, questions_of(found), strict=True):
            num_invalid = sum(not self.counts[question] for question, _ in questions)
            if num_invalid:
                told.append(
                    f"GREEN of {version}: what the judge wrote of {num_invalid:,} of {len(questions):,} "
                    f"reports could not be read in {self.num_tries} tries; these count nowhere in it."
                )
        return told


def endpoint_settings(judge: ModelVersion) -> EndpointSettings:
    """For questions of text alone. Raises RefusedByRule where the server's key is not there."""
    return EndpointSettings(
        url=judge.endpoint_url,
        served_model=judge.served_model,
        origins=frozenset(settings.INFERENCE_ENDPOINTS),
        allows_this_machine=False,
        key=key_in(judge.key_name, of=str(judge)),
        key_name=f"the key file {judge.key_name}" if judge.key_name else "it: it has none",
    )


def judge_reports(run: MetricRun, found: Sampled, wanted: Wanted, *, load: Load, check: Check) -> Judged:
    """Of each report that is measured, kept as it comes. Raises what `check` raises; what else stops the
    judge is told in the result."""

    def keep(study: int, kept: KeptCounts) -> None:
        _keep(run, study, kept)

    def tell(num_judged: int, num_to_judge: int) -> None:
        jobs.heartbeat(run, is_kept=True, num_to_judge=num_to_judge, num_judged=num_judged)

    return _judge(found, wanted, load=load, check=check, keep=keep, tell=tell, run=run, spent=_spent(run))


def judge_at_once(found: Sampled, wanted: Wanted, *, load: Load) -> Judged:
    """As `judge_reports`, without a run: what runs asked is known, and what is asked here is not kept."""
    return _judge(found, wanted, load=load)


def _judge(
    found: Sampled,
    wanted: Wanted,
    *,
    load: Load,
    check: Check = lambda: None,
    keep: Callable[[int, KeptCounts], None] = lambda study, kept: None,
    tell: Callable[[int, int], None] = lambda num_judged, num_to_judge: None,
    run: MetricRun | None = None,
    spent: Spent | None = None,
) -> Judged:
    judge = wanted.judge
    if judge is None:
        return Judged()
    name = f"{judge} {judge.name}, {judge.served_model}, question {PROMPT_VERSION}"
    asked_as = GreenSettings(judge=f"{judge.served_model} {judge.sha256}", seed=wanted.seed)
    # Of the same question the study that it was first asked of.
    studies: dict[str, int] = {}
    for of_version in questions_of(found):
        for question, study in of_version:
            studies.setdefault(question, study)
    keys = {key_of(question, asked_as): question for question in studies}
    counts = {keys[key]: told for key, told in _known(run, list(keys)).items()}
    tell(len(counts), len(studies))
    try:
        asked = count_all(
            [question for question in studies if question not in counts],
            EngineJudge(
                load(endpoint_settings(judge)), deadline_seconds=settings.INFERENCE_SECONDS, check=check
            ),
            asked_as,
            limits=Limits(**wanted.limits),
            spent=spent,
        )
        if len(counts) < len(studies):
            for kept in asked:
                keep(studies[kept.question], kept)
                counts[kept.question] = kept.counts
                tell(len(counts), len(studies))
    except STOPS as error:
        return Judged(name, counts, stopped=error)
    return Judged(name, counts, num_tries=asked_as.most_tries)


def questions_of(found: Sampled) -> list[list[tuple[str, int]]]:
    """Of each version's reports what a judge is asked, and of which study."""
    return [
        [
            (question_of(report_text(one), sample.reference), found.studies[sample.study])
            for sample, one in zip(found.samples, own, strict=True)
            if sample.task is Task.REPORT
        ]
        for own in found.predictions
    ]


def _known(run: MetricRun | None, keys: list[str]) -> dict[str, str]:
    """Rubbish that was written for another run is asked anew: the server may write sense by now."""
    known: dict[str, str] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = GreenAnswer.objects.filter(key__in=keys[start : start + AT_ONCE]).order_by("pk")
        for key, counts, of_run in rows.values_list("key", "counts", "run"):
            if counts or (run is not None and of_run == run.pk):
                known[key] = known.get(key) or counts
    return known


def _spent(run: MetricRun) -> Spent:
    rows = run.green_answers.values_list("num_requests", "num_prompt_tokens", "num_tokens")
    return sum((Spent(*row) for row in rows), Spent())


def _keep(run: MetricRun, study: int, kept: KeptCounts) -> None:
    with transaction.atomic():
        jobs.hold(run)
        GreenAnswer.objects.get_or_create(
            run=run,
            key=kept.key,
            defaults={
                "study_id": study,
                "counts": kept.counts,
                "num_requests": kept.spent.num_requests,
                "num_prompt_tokens": kept.spent.num_prompt_tokens,
                "num_tokens": kept.spent.num_tokens,
            },
        )
