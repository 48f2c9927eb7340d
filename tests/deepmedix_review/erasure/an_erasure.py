"""A study that all of the product has used, what names it, and its erasure in this process."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.apps import apps
from django.db import models
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.scope import Scope
from deepmedix_review.erasure.services import Asked, queue_erasure
from deepmedix_review.erasure.tasks import erase_claimed
from deepmedix_review.evaluation.models import (
    ArenaRun,
    Battle,
    Evaluation,
    GreenAnswer,
    Judgement,
    MetricCase,
    MetricRun,
    PatientAnswer,
)
from deepmedix_review.evaluation.services import set_patients
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun, TrainingSample
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.models import Completion, UnfinishedText
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    CriterionRating,
    DrawnRegion,
    MissedFinding,
    ReaderStudy,
    Reading,
    Vote,
)
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.collecting.services import collect_picks
from deepmedix_review.studies.models import (
    Collection,
    FilmToPull,
    HeldDecision,
    ImportBatch,
    Instance,
    Keeping,
    MaskedPicture,
    PacsPull,
    PictureView,
    Reference,
    ReferenceRegion,
    Sighting,
    Split,
    Study,
    StudyToPull,
    TextMasking,
)
from deepmedix_review.studies.storage import film_path, picture_path
from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback.sealed_patients import reference_of
from tests.deepmedix_review.exports.an_export import done
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.learning import finished_run, patient_on, said
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import complete, say_first, sign
from tests.factories.studies import store_phantom


@dataclass(frozen=True)
class Used:
    """`study` goes; `other` is another patient's, and was read in the same places."""

    study: Study
    other: Study
    film: Instance
    reader_study: ReaderStudy
    collection: Collection
    dataset: PreferenceDataset
    run: TrainingRun
    candidate: ModelVersion
    grandchild: ModelVersion
    export: Export

    @property
    def files(self) -> list[Path]:
        return [film_path(self.film), picture_path(self.film), run_folder(self.run) / "data" / "pairs.jsonl"]


def erased(scope: Scope, *, actor: User, why: str = "retention") -> Erasure:
    """As a worker erases it: to its end, whichever."""
    erasure = queue_erasure(scope, Asked(why=why, note="", confirmed=scope.name), actor=actor)
    claimed = jobs.claim(Erasure, job_id=erasure.pk)
    assert claimed is not None
    erase_claimed(claimed)
    erasure.refresh_from_db()
    return erasure


def rows_that_lead_to(study: Study) -> Iterator[tuple[str, int]]:
    """Of every table from which a foreign key leads to the study, over others or not: how many rows do. By
    the tables as they are, so that a new one is not forgotten."""
    for model in apps.get_models(include_auto_created=True):
        for path in _paths_to_study(model, ()):
            manager = getattr(model, "with_altered", getattr(model, "with_erased", model._base_manager))
            rows = manager.filter(**{"__".join(path): study.pk})
            yield f"{model._meta.label} by {'.'.join(path)}", rows.count()


def _paths_to_study(model: type[models.Model], seen: tuple[type[models.Model], ...]) -> Iterator[list[str]]:
    if model is Study:
        yield ["pk"]
        return
    for field in model._meta.get_fields():
        if not isinstance(field, models.ForeignKey) or field.related_model in (*seen, model):
            continue
        for path in _paths_to_study(field.related_model, (*seen, model)):
            yield [field.name, *path]


def a_used_study(admin: User) -> Used:
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    films = [store_phantom(seed=seed, size=224) for seed in (1, 2)]
    for film in films:
        # What was read of it is learned from.
        Study.objects.filter(pk=film.study.pk).update(patient_pseudonym=patient_on(Split.TRAIN))
        film.refresh_from_db()
    for film, seed in zip(films, (1, 2), strict=True):
        for truth in (seed, seed + 10):
            said(film, ideal_reasoning(draw_phantom(seed=truth).truth), model_version=model)
        _seen_and_described(film)
    studies = [film.study for film in films]
    collection = collect_picks(name="Winter", picks=[one.uid for one in studies], actor=admin).collection
    reader_study = _read(studies)
    _fought(model)
    _measured(films[0], model)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    candidate = ModelVersionFactory.create(number=90_100, parent=model)
    _measured_on(films, candidate)
    grandchild = ModelVersionFactory.create(number=90_101, parent=candidate)
    run = finished_run(dataset, parent=model, candidate=candidate)
    TrainingSample.objects.create(
        run=run, step=1, kind="best", instance=films[0], prompt="?", text="!", model_width=1, model_height=1
    )
    data = run_folder(run) / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "pairs.jsonl").write_text(str(film_path(films[0])))
    return Used(
        study=studies[0],
        other=studies[1],
        film=films[0],
        reader_study=reader_study,
        collection=collection,
        dataset=dataset,
        run=run,
        candidate=candidate,
        grandchild=grandchild,
        export=done(reader_study, actor=admin),
    )


def _seen_and_described(film: Instance) -> None:
    """Its source speaks of it, a reader reported a name, somebody looks at a list, a model is to be asked, it
    is kept longer."""
    reference = Reference.objects.create(study=film.study, report="Both lungs are clear.")
    box = {"x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    ReferenceRegion.objects.create(reference=reference, film=film, label="Nodule", **box)
    reader = ExpertFactory.create()
    Sighting.objects.create(film=film, reader=reader, change_id=uuid4(), looked_at=timezone.now())
    PictureView.objects.create(film=film, viewer=reader)
    Keeping.objects.create(study=film.study, ends_at=timezone.now(), because="a course", created_by=reader)
    MaskedPicture.objects.create(film=film, pixel_sha256=film.sop_instance_uid)
    asked = {"requested_by": reader, "boxes": [[0, 0, 9, 9]], "is_to_accept": True, "newest_film": film.pk}
    TextMasking.objects.create(film=film, state="done", **asked)
    decision = HeldDecision.objects.create(decided_by=reader, is_accepted=True, decided_at=timezone.now())
    decision.studies.create(study=film.study)
    job = InferenceJobFactory.create(instance=film)
    size = {"model_width": 112, "model_height": 112}
    UnfinishedText.objects.create(job=job, attempt=1, text="<think> The", written_at=timezone.now(), **size)
    _altered(film)
    batch = ImportBatch.objects.create(source=ImportBatch.Source.PACS)
    pull = PacsPull.objects.create(requested_by=reader, source="house", state="failed", batch=batch)
    name = f"1.2.{film.sop_instance_uid}"[:64]
    pulled = StudyToPull.objects.create(pull=pull, number=1, study=film.study, study_uid=name)
    FilmToPull.objects.create(of=pulled, place=1, number=1, instance_uid="1.2.3.4", outcome="accepted")


def _measured_on(films: list[Instance], candidate: ModelVersion) -> None:
    """As sealed patients: the gate keeps what their readers said, and what the candidate writes."""
    known = reference_of([], prompt="?")
    benchmark = set_patients(candidate, films=dict.fromkeys(films, known), num_patients=2)
    evaluation = Evaluation.objects.create(benchmark=benchmark, model_version=candidate, state="done")
    for row in benchmark.patient_films.all():
        PatientAnswer.objects.create(
            evaluation=evaluation, of=row, text="A nodule.", model_width=112, model_height=112
        )


def _fought(model: ModelVersion) -> None:
    """Outputs that readers voted on met in the arena; a judge had its say too."""
    run = ArenaRun.objects.create(
        title="Round",
        judged_by="recorded",
        served_model="judge",
        num_wanted=2,
        requested_by=ResearcherFactory.create(),
    )
    for vote in Vote.objects.filter(reading__completion_a__model_version=model):
        reading = vote.reading
        left, right = sorted((reading.completion_a_id, reading.completion_b_id or 0))
        battle, _ = Battle.objects.get_or_create(
            left_id=left, right_id=right, study=reading.completion_a.study
        )
        told = {"battle": battle, "is_left_first": True, "verdict": "first"}
        reader = reading.assignment.reader
        Judgement.objects.create(kind="expert", vote=vote, reader=reader, **told)
        Judgement.objects.create(kind="model", judge="judge", run=run, key=uuid4().hex, **told)


def _measured(film: Instance, model: ModelVersion) -> None:
    """Among the worst cases of an evaluation is one of its study."""
    run = MetricRun.objects.create(
        title="Spring", model_version=model, collection_name="Spring", requested_by=ResearcherFactory.create()
    )
    MetricCase.objects.create(run=run, study=film.series.study, name="study-1")
    asked = {"num_requests": 1, "num_prompt_tokens": 100, "num_tokens": 10}
    GreenAnswer.objects.create(run=run, study=film.series.study, key=uuid4().hex, **asked)


def _altered(film: Instance) -> Completion:
    """A control case's output: something in it is altered."""
    original = Completion.objects.filter(instance=film).earliest("pk")
    copy = Completion.with_altered.get(pk=original.pk)
    copy.pk, copy.uid, copy.content_key = None, uuid4(), uuid4().hex
    copy.alteration, copy.altered_from = Completion.Alteration.WRONG_REGION, original
    copy.save()
    return copy


def _say_more(reading: Reading) -> None:
    """What the reader saw that no output did, and the answer to a question of the study's own."""
    finding = MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text="A nodule")
    box = {"x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
    DrawnRegion.objects.create(reading=reading, missed_finding=finding, **box)
    criterion = library().filter(field="", target="case").first() or library().filter(field="").earliest("pk")
    CriterionRating.objects.create(reading=reading, criterion=criterion, value=1)
    reading.assignment.doubts.add(criterion)


def _read(studies: list[Study]) -> ReaderStudy:
    """By one reader, first alone and then with the outputs; another has not come to it yet."""
    readers = [ExpertFactory.create() for _ in range(2)]
    design = ReaderStudyDesign(first_reads="on")
    reader_study = create_reader_study(
        title="Winter films", studies=studies, readers=readers, actor=None, seed=3, design=design
    )
    mine = Reading.objects.filter(assignment__case__reader_study=reader_study, assignment__reader=readers[0])
    for reading in mine.order_by("pk"):
        say_first(reading, impression="Normal")
        complete(reading)
        _say_more(reading)
        sign(reading)
    return reader_study
