"""Whether something reads studies now: then they are not erased, and a sentence says what to do."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.erasure.uses import bundles_with, data_sets_with, exports_with
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading, ReadingChange
from deepmedix_review.studies.masking.selectors import open_maskings
from deepmedix_review.studies.models import ArchiveImport, PacsPull, SentMessage, Study
from deepmedix_review.studies.retention.due import due_study

# Whoever said nothing for so long is not at the case now.
AT_A_CASE_FOR = timedelta(minutes=30)
# Of reader studies that go on, or may.
READ = (ReaderStudy.State.RUNNING, ReaderStudy.State.PAUSED)


def hindrances(studies: Sequence[int]) -> list[str]:
    """A sentence for each, with the way out; nothing where they can be erased now.

    What waits for its first worker is none: it finds what is left once it begins.
    """
    sets = list(data_sets_with(studies))
    archives = ArchiveImport.objects.filter(batch__items__instance__series__study__in=studies)
    messages = SentMessage.objects.filter(batch__items__instance__series__study__in=studies)
    pulls = PacsPull.objects.filter(
        Q(studies__study__in=studies) | Q(batch__items__instance__series__study__in=studies)
    ).exclude(state=PacsPull.State.CHOOSING)
    exports = [one for one in exports_with(studies, sets=sets) if _is_begun(one.state, one.attempt)]
    asked = (
        (
            InferenceJob.objects.filter(_begun(), study__in=studies).exists(),
            "A model is writing about it now. Wait for the output, or cancel it on the page Inference.",
        ),
        (
            open_maskings(studies).exists(),
            "Text on a film of it is being overwritten now. Wait until that is done.",
        ),
        (
            archives.exclude(state__in=FINAL_STATES).exists(),
            "An archive that has films of it is on its way in. Wait until it is done, or cancel it on "
            "the page Import films.",
        ),
        (
            messages.exclude(state__in=FINAL_STATES).exists(),
            "A message that has films of it is being brought in. Wait until it is done, or cancel it on the "
            "page Import films.",
        ),
        (
            pulls.exclude(state__in=FINAL_STATES).exists(),
            "Films of it are being pulled from a PACS. Wait until that is done, or cancel it on the page "
            "From a PACS.",
        ),
        (
            _is_being_read(studies),
            "A reader is at a case of it now. Put the study on hold on its page, which takes the case off "
            "the worklist, then erase it; or wait until the case is signed.",
        ),
        (
            TrainingRun.objects.filter(_begun(), dataset__in=sets).exists(),
            "A training run is learning from a data set that has it. Wait until it is done, or have a "
            "researcher cancel it.",
        ),
        (
            Evaluation.objects.filter(
                _begun(), benchmark__patient_films__film__series__study__in=studies
            ).exists(),
            "The gate is measuring a model on it. Wait until that is done, which a researcher sees on the "
            "candidate's page.",
        ),
        (
            bundles_with(sets).filter(_begun()).exists(),
            "A bundle of a data set that has it is being written. Wait until it is done, or have a "
            "researcher cancel it.",
        ),
        (
            bool(exports),
            "An export that has it is being written. Wait for it, or cancel it on the page Exports.",
        ),
    )
    return [sentence for is_so, sentence in asked if is_so]


def hindrances_of_rule(study: Study, *, as_of: datetime) -> list[str]:
    """The same against its going because it was due by that moment: it may be kept longer since, and readers
    may read it."""
    found = []
    if due_study(study.uid, at=as_of) is None:
        found.append("It is not due any more: it is kept longer by now, or no rule is of it.")
    titles = running_reader_studies([study.pk]).get(study.pk)
    if titles:
        found.append(why_it_is_read(titles))
    return found


def running_reader_studies(studies: Sequence[int]) -> dict[int, list[str]]:
    """By study, the titles of the reader studies that need it."""
    found: dict[int, list[str]] = {}
    cases = Case.objects.filter(study__in=studies, reader_study__state__in=READ)
    rows = cases.order_by("reader_study").values_list("study", "reader_study__title").distinct()
    for study, title in rows:
        found.setdefault(study, []).append(title)
    return found


def why_it_is_read(titles: Sequence[str]) -> str:
    """A sentence with the way out."""
    named = ", ".join(f"“{title}”" for title in titles)
    return (
        f"It is read in {named}, which {'is' if len(titles) == 1 else 'are'} not locked. Lock "
        f"{'it' if len(titles) == 1 else 'them'} first, or erase the study on its own page."
    )


def _begun() -> Q:
    """Running, or waiting for another worker with what the last one left."""
    return Q(state=JobState.RUNNING) | Q(state=JobState.QUEUED, attempt__gt=0)


def _is_begun(state: str, attempt: int) -> bool:
    return state == JobState.RUNNING or (state == JobState.QUEUED and attempt > 0)


def _is_being_read(studies: Sequence[int]) -> bool:
    """Studies out of use are off every worklist, so nobody is at a case of theirs."""
    now = timezone.now()
    since = now - AT_A_CASE_FOR
    leased = Assignment.objects.filter(
        lease_expires_at__gt=now,
        signed_at__isnull=True,
        case__study__in=studies,
        case__study__state=Study.State.READY,
    )
    said = ReadingChange.objects.filter(reading=OuterRef("pk"), received_at__gte=since)
    opened = Reading.objects.filter(
        signed_at__isnull=True,
        opened_at__isnull=False,
        assignment__withdrawn_at__isnull=True,
        assignment__case__study__in=studies,
        assignment__case__study__state=Study.State.READY,
    )
    return leased.exists() or opened.filter(Q(opened_at__gte=since) | Exists(said)).exists()
