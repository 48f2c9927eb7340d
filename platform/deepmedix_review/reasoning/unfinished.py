"""What a model has written so far of a completion that a person waits for, and where it points so far.

It is looked at and thrown away: no completion, list, export or reader's page is made of it. Where it lies,
and why there: decision 74.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob, Purpose, UnfinishedText
from deepmedix_review.reasoning.region_labels import region_label
from deepmedix_review.registry.selectors import read_by
from inference.engines import MOST_TOLD_TOKENS, SoFar
from inference.grounding import ParsedStep
from inference.regions import Box, region_problem, to_image_px

# One statement for all that a round tells. What another worker has by now, or what ended, is left alone.
KEEP = """
INSERT INTO reasoning_unfinishedtext (job_id, attempt, text, model_width, model_height, written_at)
SELECT told.job, told.attempt, told.text, told.width, told.height, %(now)s
FROM unnest(%(jobs)s::bigint[], %(attempts)s::int[], %(texts)s::text[], %(widths)s::int[], %(heights)s::int[])
    AS told (job, attempt, text, width, height)
JOIN reasoning_inferencejob AS job ON job.id = told.job AND job.attempt = told.attempt
WHERE job.state = 'running'
ON CONFLICT (job_id) DO UPDATE SET
    attempt = EXCLUDED.attempt,
    text = EXCLUDED.text,
    model_width = EXCLUDED.model_width,
    model_height = EXCLUDED.model_height,
    written_at = EXCLUDED.written_at
"""


@dataclass(frozen=True)
class UnfinishedRegion:
    """A box that is written to its end, in pixels of the film."""

    label: str
    box: Box
    problem: str

    @property
    def numbers(self) -> str:
        """`x_min,y_min,x_max,y_max`, for a script."""
        return ",".join(map(str, self.box))


@dataclass(frozen=True)
class UnfinishedStep:
    text: str
    regions: tuple[UnfinishedRegion, ...]


@dataclass(frozen=True)
class Unfinished:
    """What is there of one running job: its steps so far, the whole text, and what of it comes after them.

    `is_cut`: the model has written on, past what is told of a text before its end.
    """

    job: InferenceJob
    steps: tuple[UnfinishedStep, ...]
    text: str
    rest: str
    is_cut: bool

    @property
    def said(self) -> str:
        num_steps = len(self.steps)
        steps = "1 step" if num_steps == 1 else f"{num_steps} steps"
        return f"{self.job.model_version}, sample {self.job.sample}, unfinished: {steps} so far."


def is_looked_on(job: InferenceJob) -> bool:
    """Whether its text is told while it is written: nobody looks on at a batch."""
    return job.purpose == Purpose.INTERACTIVE


def keep(told: Sequence[tuple[InferenceJob, SoFar]]) -> None:
    """In place of what was kept of these jobs before."""
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "now": timezone.now(),
                "jobs": [job.pk for job, _ in told],
                "attempts": [job.attempt for job, _ in told],
                # A byte-level vocabulary can write NUL, which PostgreSQL's text can't hold.
                "texts": [so_far.text.replace("\0", "\N{REPLACEMENT CHARACTER}") for _, so_far in told],
                "widths": [so_far.model_size[0] for _, so_far in told],
                "heights": [so_far.model_size[1] for _, so_far in told],
            },
        )


def begin_anew(claimed: Iterable[InferenceJob]) -> None:
    """Nothing of an earlier try is shown as this one's."""
    UnfinishedText.objects.filter(job__in=[job.pk for job in claimed]).delete()


def forget_ended() -> None:
    """What ended, or lost its worker."""
    goes_on = Q(job__state=JobState.RUNNING, job__attempt=F("attempt"))
    UnfinishedText.objects.exclude(goes_on).delete()


def unfinished_of(jobs: Iterable[InferenceJob]) -> tuple[Unfinished, ...]:
    """Of those that run, in their order; one query. The jobs come with their version and film."""
    running = {job.pk: job for job in jobs if job.state == JobState.RUNNING}
    texts = {text.pk: text for text in UnfinishedText.objects.filter(job__in=list(running))}
    found = ((job, texts.get(pk)) for pk, job in running.items())
    return tuple(_read(job, text) for job, text in found if text is not None and text.attempt == job.attempt)


def _read(job: InferenceJob, kept: UnfinishedText) -> Unfinished:
    parsed = read_by(job.model_version, kept.text)
    # As of a completion with more than anybody could check: its text alone.
    steps = () if "too_many_regions" in parsed.problems else parsed.steps
    end = max((step.span[1] for step in steps), default=0)
    return Unfinished(
        job=job,
        steps=tuple(
            UnfinishedStep(step.label or step.text, _regions(job, kept, step, position))
            for position, step in enumerate(steps, start=1)
        ),
        text=kept.text,
        rest=kept.text[end:].strip(),
        is_cut=job.num_tokens > MOST_TOLD_TOKENS,
    )


def _regions(
    job: InferenceJob, kept: UnfinishedText, step: ParsedStep, position: int
) -> tuple[UnfinishedRegion, ...]:
    image_size, regions = (job.instance.columns, job.instance.rows), []
    for place, written in enumerate(step.boxes, start=1):
        box = to_image_px(
            written,
            frame=job.model_version.box_frame,
            model_size=(kept.model_width, kept.model_height),
            image_size=image_size,
            preparation=job.model_version.image_preparation,
        )
        label = region_label(step=position, region=place, num_regions=len(step.boxes))
        regions.append(UnfinishedRegion(label, box, region_problem(box, image_size)))
    return tuple(regions)
