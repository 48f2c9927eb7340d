"""Fills a new installation with cases to read: drawn films that take the same road as any."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.demo_logins import ensure_demo_logins
from deepmedix_review.accounts.models import Role, User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.known_answers import KnownAnswer, KnownRegion
from deepmedix_review.reviews.models import Assignment, ReaderStudy
from deepmedix_review.reviews.selectors import completions_to_read
from deepmedix_review.reviews.study_services import TaughtCase, create_reader_study
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.models import ImportBatch, Study
from deepmedix_review.studies.selectors import demo_import
from deepmedix_review.studies.services import receive_instance
from inference.phantom_dicom import write_phantom_dicom
from inference.phantoms import DEMO_SEEDS, PhantomTruth, draw_phantom
from rl_feedback.counting import counted

TITLE = "Demo: drawn films"
NUM_FILMS = 12
SITES = ("first", "second")
SIZES_PX = (640, 768, 896, 1024)
SEED_OF_DESIGN = 1
INSTRUCTIONS = (
    "These films are drawn, of nobody. The first case is for practice: once it is signed you see what was "
    "really drawn. Rate what the model says of the others as you would a colleague's report."
)
# One of the dozen shows something altered, and one comes back: as in a real study, unannounced.
DESIGN = ReaderStudyDesign(
    first_reads="share", first_read_share=0.25, control_share=0.1, repeat_share=0.1, washout_cases=4
)
CHEXPERT_NAMES = {
    "cardiomegaly": "Cardiomegaly",
    "effusion": "Pleural Effusion",
    "pneumothorax": "Pneumothorax",
    "consolidation": "Consolidation",
    "nodule": "Lung Lesion",
    "cavity": "Lung Lesion",
}
# A worker that has not begun, ended or lengthened any answer for this long is not there.
PATIENCE_SECONDS = 180.0
POLL_SECONDS = 1.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class DemoFilm:
    """What was drawn, so that the truth is known."""

    study: Study
    seed: int
    size_px: int
    site: str

    @property
    def truth(self) -> PhantomTruth:
        """In pixels of the film."""
        drawn = draw_phantom(seed=self.seed, width=56, height=56, site=self.site)
        return drawn.truth.resized(width=self.size_px, height=self.size_px)


@dataclass(frozen=True)
class Progress:
    """What the workers have done so far; equal to the last look when nothing moved."""

    num_by_state: tuple[tuple[str, int], ...]
    num_tokens: int

    @property
    def num_final(self) -> int:
        return sum(number for state, number in self.num_by_state if state in FINAL_STATES)


def announce_demo() -> bool:
    """From now on the pages say that the demo is being made: `load_demo` takes a while to begin. False where
    it is there already."""
    if ReaderStudy.objects.filter(is_demo=True).exists():
        return False
    ensure_demo_logins()
    start_import(actor=User.objects.get(username=Role.ADMIN), source=ImportBatch.Source.DEMO)
    return True


def load_demo(
    *, tell: Tell, patience_seconds: float = PATIENCE_SECONDS, num_films: int = NUM_FILMS
) -> ReaderStudy:
    """The demo reader study, made where it is absent. Raises RefusedByRule where no worker answers."""
    existing = ReaderStudy.objects.filter(is_demo=True).first()
    if existing is not None:
        tell(f"The demo is there already: {existing.title}.")
        return existing
    ensure_demo_logins()
    admin = User.objects.get(username=Role.ADMIN)
    expert = User.objects.get(username=Role.EXPERT)
    films = _receive_films(admin, num_films=num_films, tell=tell)
    jobs = [job for film in films for job in request_inference(study=film.study, actor=admin)]
    _await_answers([job.pk for job in jobs], tell=tell, patience_seconds=patience_seconds)
    answered = completions_to_read([film.study for film in films])
    if not answered:
        reasons = Counter(
            InferenceJob.objects.filter(pk__in=[job.pk for job in jobs]).values_list("error", flat=True)
        )
        raise RefusedByRule(f"The model answered on no demo film: {reasons.most_common(1)[0][0]}")
    reader_study = _design(
        [film for film in films if film.study.pk in answered], readers=[expert], actor=admin
    )
    # As the worklist counts them: practice and hidden repeats too.
    number = Assignment.objects.filter(case__reader_study=reader_study, reader=expert).count()
    waits = "waits" if number == 1 else "wait"
    tell(f"{counted(number, 'case')} {waits} on the worklist of {expert.username}.")
    return reader_study


def _design(films: Sequence[DemoFilm], *, readers: Sequence[User], actor: User) -> ReaderStudy:
    """The film with the least on it, but something, is for practice, where there is another one."""
    shows_something = [film for film in films if film.truth.findings]
    practice = sorted(shows_something, key=lambda film: len(film.truth.findings))[:1]
    if len(films) == len(practice):
        practice = []
    built_in = [criterion for criterion in library() if criterion.field]
    return create_reader_study(
        title=TITLE,
        studies=[film.study for film in films if film not in practice],
        taught=[TaughtCase(film.study, _truth_of(film).as_json()) for film in practice],
        readers=readers,
        actor=actor,
        seed=SEED_OF_DESIGN,
        design=DESIGN,
        asked=[Asked(criterion) for criterion in built_in],
        instructions=INSTRUCTIONS,
        is_demo=True,
    )


def _truth_of(film: DemoFilm) -> KnownAnswer:
    truth = film.truth
    return KnownAnswer(
        findings=tuple(sorted({CHEXPERT_NAMES[finding.kind] for finding in truth.findings})),
        regions=tuple(
            KnownRegion(CHEXPERT_NAMES[finding.kind], finding.region) for finding in truth.findings
        ),
        comment="This film was drawn, so this is certain.",
    )


def _receive_films(admin: User, *, num_films: int, tell: Tell) -> Sequence[DemoFilm]:
    """Draw the films in the kinds of file that hospitals send, and bring them in."""
    announced = demo_import()
    if announced is None or announced.items.exists():
        batch = start_import(actor=admin, source=ImportBatch.Source.DEMO)
    else:
        batch = announced
    films: dict[int, DemoFilm] = {}
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="demo-") as folder:
        for number, seed in enumerate(DEMO_SEEDS[:num_films], start=1):
            path = Path(folder) / f"phantom-{seed}.dcm"
            size_px, site = SIZES_PX[number % len(SIZES_PX)], SITES[number % len(SITES)]
            write_phantom_dicom(path, seed=seed, size=size_px, site=site)
            item = receive_instance(path, batch=batch, file_name=path.name, actor=admin)
            path.unlink()
            tell(f"Demo film {number} of {num_films}: {item.outcome} {item.reason}".rstrip())
            if item.instance is not None and item.instance.study.state == Study.State.READY:
                study = item.instance.study
                films[study.pk] = DemoFilm(study, seed, size_px, site)
    if not films:
        raise RefusedByRule("No demo film could be brought in; the lines above say why.")
    return list(films.values())


def _await_answers(job_ids: Sequence[int], *, tell: Tell, patience_seconds: float) -> None:
    """Raises RefusedByRule when nothing moves for `patience_seconds`."""
    seen, moved_at = _look(job_ids), time.monotonic()
    tell(f"Demo answers: {seen.num_final} of {len(job_ids)}")
    while seen.num_final < len(job_ids):
        time.sleep(POLL_SECONDS)
        now = _look(job_ids)
        if now != seen:
            moved_at = time.monotonic()
            if now.num_final > seen.num_final:
                tell(f"Demo answers: {now.num_final} of {len(job_ids)}")
        elif time.monotonic() - moved_at > patience_seconds:
            raise RefusedByRule(
                f"No inference worker has answered for {patience_seconds:.0f} s. Start one "
                "(`celery -A deepmedix_review.config worker -Q inference`), then run load_demo again."
            )
        seen = now
    num_failed = dict(seen.num_by_state).get(JobState.FAILED, 0)
    if num_failed:
        tell(f"{counted(num_failed, 'answer')} failed; the page Inference says why.")


def _look(job_ids: Sequence[int]) -> Progress:
    rows = list(InferenceJob.objects.filter(pk__in=job_ids).values_list("state", "num_tokens"))
    states = Counter(state for state, _ in rows)
    return Progress(tuple(sorted(states.items())), sum(num_tokens for _, num_tokens in rows))
