"""An installation with something to show on every page: films, readers at work, a data set, a candidate."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import (
    BatchedStudy,
    ErasedStudy,
    Erasure,
    FileToDelete,
    NamedUse,
    RetentionBatch,
)
from deepmedix_review.evaluation.models import ArenaRun, MetricRun
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.models import (
    HandOver,
    ModelReturn,
    PreferenceDataset,
    TrainingMetric,
    TrainingRun,
    TrainingSample,
)
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold
from deepmedix_review.reasoning.models import InferenceBatch
from deepmedix_review.registry.models import CodeAllowance, ModelVersion
from deepmedix_review.registry.own_code import code_of
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, library, save_criterion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, Criterion, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import (
    StudyDraft,
    answer_invitation,
    design_reader_study,
    start_reader_study,
    take_next_case,
)
from deepmedix_review.studies.collecting.services import change_picks, collect_picks
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.models import (
    ArchiveImport,
    Collection,
    Instance,
    PacsPull,
    Study,
)
from deepmedix_review.studies.retention.services import AskedRule, make_rule
from deepmedix_review.webhooks.models import Webhook
from inference.phantoms import draw_phantom, ideal_reasoning
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.asked_and_measured import compared, half_answered, measured
from tests.factories.knowing import NOTHING, measure_for
from tests.factories.learning import a_reading_to_learn_from, finished_run
from tests.factories.own_code import MODELING
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import complete, sign
from tests.factories.studies import failed_archive, failed_message, failed_pull, store_phantom
from tests.factories.webhooks import told_webhook

NUM_FILMS = 5
HEART = ("The heart is enlarged", [(70.0, 120.0, 150.0, 180.0)])
EFFUSION = ("There is a left pleural effusion", [(140.0, 150.0, 200.0, 210.0)])
LUNGS = ("Both lungs are clear", [(30.0, 40.0, 100.0, 180.0), (125.0, 40.0, 200.0, 180.0)])

ENVIRONMENT = {
    "package": "0.1.0",
    "commit": "0123abcd",
    "python": "3.11.9",
    "libraries": {"torch": "2.13.0", "trl": "1.16.0"},
    "system": "Linux x86_64",
    "devices": ["CPU, 2 cores"],
}
# Of a film's samples: after which step, of what kind, and whose truth is said.
SAID = ((0, "held_out", 3), (1, "held_out", 3), (2, "held_out", 4), (2, "best", 4), (2, "worst", 3))


@dataclass(frozen=True)
class House:
    """One of everything that an address can name, and one person of each role."""

    admin: User
    researcher: User
    expert: User
    study: Study
    held: Study
    collection: Collection
    archive: ArchiveImport
    pull: PacsPull
    webhook: Webhook
    erasure: Erasure
    due: RetentionBatch
    draft: ReaderStudy
    running: ReaderStudy
    own_criterion: Criterion
    open_reading: Reading
    signed_reading: Reading
    dataset: PreferenceDataset
    run: TrainingRun
    other_run: TrainingRun
    candidate: ModelVersion
    passed: ModelVersion
    inference_batch: InferenceBatch
    arena_run: ArenaRun
    metric_run: MetricRun
    with_code: ModelVersion


def furnish() -> House:
    """A running study with controls, repeats and a dispute, a pool, an invitation, a draft, and the loop."""
    admin = AdminFactory.create(pseudonym="A-HOUSE")
    researcher = ResearcherFactory.create(pseudonym="R-HOUSE")
    make_token(account=researcher, name="Nightly", scopes=[Capability.VIEW_MODELS], days=30)
    experts = [ExpertFactory.create(pseudonym=f"E-{name}") for name in ("AMBER", "BIRCH", "CEDAR")]
    serving = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    films = [store_phantom(seed=seed, size=224) for seed in range(1, NUM_FILMS + 1)]
    for film in films:
        for first in (HEART, EFFUSION):
            say(film, steps=[first, LUNGS], answer="cardiomegaly", model_version=serving)
    studies = [film.study for film in films]
    held = hold_study(store_phantom(seed=90).study, actor=admin, reason="Text in the corner")
    collection = collect_picks(
        name="Phantoms", picks=[study.uid for study in studies[1:]], actor=admin
    ).collection
    change_picks(collection=collection, add=[studies[0].uid], actor=admin)
    archive, pull = failed_archive(admin), failed_pull(admin)
    failed_message(admin)
    own = save_criterion(
        actor=admin,
        name="Would you sign it?",
        question="Would you put your name under this answer?",
        target=Criterion.Target.ANSWER,
        kind=Criterion.Kind.CHOICE,
        options=(Option("yes", "yes", "as it stands"), Option("no", "no", "not even with changes")),
    ).criterion
    asked = [Asked(criterion) for criterion in library().filter(key__in=("plausibility", "relevance"))]
    running = _start(
        StudyDraft(
            title="Winter films",
            instructions="Read the films as you would in a clinic.",
            studies=studies,
            readers=experts,
            design=ReaderStudyDesign(repeat_share=0.3, washout_cases=1, control_share=0.25),
            deadline=timezone.localdate() + timedelta(days=2),
            adjudication=ReaderStudy.Adjudication.CONSENSUS,
        ),
        admin,
    )
    pool = _start(
        StudyDraft(
            title="A pool of films",
            studies=studies[:4],
            readers=experts,
            design=ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True),
        ),
        admin,
    )
    take_next_case(reader_study=pool, reader=experts[0])
    invited = design_reader_study(
        draft=StudyDraft(
            title="Spring films", instructions="Mind the devices.", studies=studies[:2], readers=experts
        ),
        actor=admin,
    )
    start_reader_study(reader_study=invited, actor=admin)
    draft = design_reader_study(
        draft=StudyDraft(
            title="Autumn films", studies=studies, readers=experts[:2], asked=[*asked, Asked(own)]
        ),
        actor=admin,
    )
    _disagree(running, experts)
    signed = _readings(running, experts[0]).filter(signed_at__isnull=False).earliest("pk")
    open_reading = _readings(running, experts[0]).filter(signed_at=None).earliest("assignment__position")
    dataset, run, candidate = _loop(serving, researcher, films[0])
    passed = _before_the_gate(serving, held=candidate)
    _hand_over(dataset, serving, researcher)
    take_out(admin)
    other_run = TrainingRun.objects.create(
        dataset=dataset,
        parent_version=serving,
        recipe={"stages": [{"kind": "dpo", "num_steps": 2, "learning_rate": 1e-5}]},
        state=JobState.CANCELLED,
        step=1,
        num_steps=2,
    )
    TrainingMetric.objects.create(run=other_run, step=1, values={"loss": 0.9, "margin": 0.0}, seconds=0.4)
    return House(
        admin=admin,
        researcher=researcher,
        expert=experts[0],
        study=studies[0],
        held=held,
        collection=collection,
        archive=archive,
        pull=pull,
        webhook=told_webhook(admin),
        erasure=erase_a_film(admin),
        due=erase_what_was_due(admin),
        draft=draft,
        running=running,
        own_criterion=own,
        open_reading=open_reading,
        signed_reading=signed,
        dataset=dataset,
        run=run,
        other_run=other_run,
        candidate=candidate,
        passed=passed,
        inference_batch=half_answered(admin, studies[0]),
        arena_run=compared(films, serving, researcher),
        metric_run=measured(collection, serving, researcher),
        with_code=_with_code(admin),
    )


def erase_what_was_due(admin: User) -> RetentionBatch:
    """By a rule that holds on; one study of it stayed."""
    make_rule(AskedRule(of="every:", keep_days=30, because="As promised to the readers"), actor=admin)
    now = timezone.now()
    batch = RetentionBatch.objects.create(requested_by=admin, as_of=now, state=JobState.DONE, finished_at=now)
    BatchedStudy.objects.create(
        batch=batch, study_uid=uuid.uuid4(), due_at=now, because="As promised", said="It is being read."
    )
    return batch


def _start(draft: StudyDraft, admin: User) -> ReaderStudy:
    made = start_reader_study(reader_study=design_reader_study(draft=draft, actor=admin), actor=admin)
    for invitation in Invitation.objects.filter(reader_study=made).select_related("reader"):
        answer_invitation(invitation=invitation, reader=invitation.reader, accepts=True)
    return made


def _readings(reader_study: ReaderStudy, reader: User) -> QuerySet[Reading]:
    return Reading.objects.filter(
        assignment__case__reader_study=reader_study,
        assignment__reader=reader,
        assignment__kind=Assignment.Kind.FIRST,
    )


def _disagree(reader_study: ReaderStudy, experts: Sequence[User]) -> None:
    """Everybody signs the same two cases, one of them otherwise; nobody is through."""
    cases = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA).order_by("position")[:2]
    for case in cases:
        for number, expert in enumerate(experts):
            reading = _readings(reader_study, expert).get(assignment__case=case)
            complete(reading, plausibility=1 if number == 0 else 5)
            sign(reading)


STEP_SCORER = {
    "may_be_used": True,
    "sentence": "Used: on 240 held-out steps of 40 patients it beats length and place alone.",
    "num_ratings": 480,
    "num_readers": 4,
    "num_patients": 40,
    "seconds": 12.5,
    "seed": 7,
    "judgement": {
        "error": 0.071,
        "baseline_errors": {"length": 0.102, "place": 0.098},
        "gains": {"length": [0.031, 0.012, 0.05], "place": [0.027, 0.01, 0.044]},
        "calibration": [
            {"score": place / 10, "rating": place / 10 + 0.02, "num_steps": 48} for place in (2, 4, 6, 8, 9)
        ],
    },
}


def _loop(
    parent: ModelVersion, researcher: User, film: Instance
) -> tuple[PreferenceDataset, TrainingRun, ModelVersion]:
    """A data set of one reading, a finished run on it, and its candidate."""
    a_reading_to_learn_from(parent)
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    candidate = ModelVersionFactory.create(number=1000, parent=parent)
    run = finished_run(
        dataset,
        parent=parent,
        candidate=candidate,
        num_steps=2,
        abouts=[
            {
                "attempt": 1,
                "parent": "0" * 64,
                "data": "1" * 64,
                "environment": ENVIRONMENT,
                "step_scorer": STEP_SCORER,
            }
        ],
    )
    write_samples(run, film)
    for step, loss in ((1, 0.7), (2, 0.5)):
        values = {"loss": loss, "margin": step / 10, "accuracy": 0.5}
        TrainingMetric.objects.create(run=run, step=step, values=values, seconds=0.5, memory_mb=900)
    return dataset, run, candidate


def _hand_over(dataset: PreferenceDataset, parent: ModelVersion, researcher: User) -> None:
    """Bundles that were written, are being written, and could not be; a folder that was not taken."""
    sort = {"dataset": dataset, "parent_version": parent, "created_by": researcher, "reward": "grounded"}
    for said in (
        {"state": JobState.DONE, "sha256": "ab" * 32, "archive_bytes": 3_459_725, "num_written": 441},
        {"state": JobState.RUNNING, "num_written": 120},
        {"state": JobState.FAILED, "error": "3 films can't be found in the film folder."},
    ):
        HandOver.objects.create(num_train=385, num_validation=56, **sort, **said)
    ModelReturn.objects.create(
        folder="round-1",
        requested_by=researcher,
        state=JobState.FAILED,
        error="metrics.json is missing. Copy the whole folder that launch.sh left.",
    )


def take_out(admin: User) -> None:
    """Exports that can be fetched, are being written, and could not be."""
    for said in (
        {"state": JobState.FAILED, "error": "The disk is full: the export was given up."},
        {
            "state": JobState.DONE,
            "sha256": "cd" * 32,
            "archive_bytes": 3_459_725,
            "num_rows": 1_204_881,
            "formats": ["csv", "jsonl", "parquet"],
            "expires_at": timezone.now() + timedelta(days=30),
        },
        {"state": JobState.RUNNING, "num_total": 9_600, "num_done": 3_200, "num_rows": 40_122},
    ):
        asked = {"created_by": admin, "as_of": timezone.now(), "formats": ["csv"]}
        Export.objects.create(**{**asked, "data_use": "Agreement of readers, by our group alone.", **said})


def erase_a_film(admin: User) -> Erasure:
    """Gone, with everything that can use a study named; and a patient whose films can't be deleted."""
    gone = Erasure.objects.create(
        kind=Erasure.Kind.STUDY,
        why=Erasure.Why.OTHER,
        note="The film was made for a course, and nobody asked the person on it.",
        requested_by=admin,
        state=JobState.DONE,
        found={"films": 2, "readings": 12},
        gone={"films": 2, "readings": 12},
        erased_at=timezone.now(),
        num_files=5,
    )
    export = Export.objects.filter(archive_bytes__isnull=False).latest("pk")
    for kind in NamedUse.Kind:
        uid = export.uid if kind == NamedUse.Kind.EXPORT else uuid.uuid4()
        NamedUse.objects.create(
            erasure=gone, kind=kind, uid=uid, name=f"A {kind.label}", said="It had 12 readings of it."
        )
    failed = Erasure.objects.create(
        kind=Erasure.Kind.PATIENT,
        why=Erasure.Why.RETENTION,
        requested_by=admin,
        state=JobState.FAILED,
        error="The folder of films is away, so their files could not be deleted.",
        erased_at=timezone.now(),
        num_files=1,
    )
    for erasure in (gone, failed):
        ErasedStudy.objects.create(erasure=erasure, study_uid=uuid.uuid4())
    FileToDelete.objects.create(erasure=failed, folder=FileToDelete.Folder.FILMS, path="ab/abcd.dcm")
    return gone


def write_samples(run: TrainingRun, film: Instance) -> None:
    """What the model wrote of one film: of another patient at first, then of this one; and two attempts."""
    for step, kind, seed in SAID:
        TrainingSample.objects.create(
            run=run,
            step=step,
            kind=kind,
            instance=film,
            prompt="What do you see?",
            text=ideal_reasoning(draw_phantom(seed=seed).truth),
            model_width=112,
            model_height=112,
            reward=None if kind == "held_out" else 1.0,
            parts={} if kind == "held_out" else {"format": 1.0},
        )


def _with_code(admin: User) -> ModelVersion:
    """Its folder brings code of its own, which was allowed, taken back and allowed again."""
    folder = Path(settings.MODEL_FOLDER) / "of-the-house"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "modeling_own.py").write_text(MODELING)
    version = ModelVersionFactory.create(number=3000, preset="maira-2", folder=str(folder))
    now = timezone.now()
    for taken_back in ({"revoked_by": admin, "revoked_at": now}, {}):
        CodeAllowance.objects.create(
            version=version,
            sha256=version.sha256,
            code_sha256=code_of(version).sha256,
            allowed_by=admin,
            **taken_back,
        )
    return version


def _before_the_gate(parent: ModelVersion, *, held: ModelVersion) -> ModelVersion:
    """One candidate that stopped naming lesions is held; another that lost nothing passed. A version that
    served before is retired."""
    ModelVersionFactory.create(number=999, state=ModelVersion.State.RETIRED, promoted_at=timezone.now())
    passed = ModelVersionFactory.create(number=1001, parent=parent)
    for candidate, puts in ((held, lambda text: NOTHING), (passed, str)):
        measure_for(candidate, parent)
        measure_for(candidate, candidate, say=puts)
        pass_or_hold(candidate)
    return passed
