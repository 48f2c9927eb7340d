"""Signed readings of drawn films with their files, as training needs them, and a model to be trained."""

import random
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from PIL import Image

from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    AnswerRating,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import AnnotateRegion, CastVote, RateAnswer, RateStep
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.collecting.split import Shares, side_of
from deepmedix_review.studies.models import Instance, Split, Study
from inference.grounding import parse_completion
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import DEMO_SEEDS, draw_phantom, ideal_reasoning
from inference.presets import PRESETS
from inference.regions import Box, region_problem, to_image_px
from tests.factories.accounts import ExpertFactory
from tests.factories.models import write_untrained_model
from tests.factories.reasoning import CompletionFactory
from tests.factories.reviews import change, completions_of, sign
from tests.factories.studies import InstanceFactory

FILM_SIDE_PX = 224
MODEL_SIDE_PX = 112


def serving_model_with_weights(folder: Path) -> ModelVersion:
    """A model of the phantom family that has learned nothing, registered and serving."""
    version = register_model(
        folder=write_untrained_model(folder), preset=PRESETS["phantom"], card={}, actor=None
    )
    promote(version, actor=None)
    return version


def film(seed: int, *, side: Split = Split.TRAIN) -> Instance:
    """A drawn film of a patient on this side of the split; its file and its small picture lie where films
    lie."""
    path = settings.FILM_FOLDER / "test" / f"{seed}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_phantom_dicom(path, seed=seed, size=FILM_SIDE_PX, encoding=FilmEncoding())
    Image.fromarray(draw_phantom(seed=seed).to_uint8()).save(path.with_suffix(".png"))
    return InstanceFactory.create(
        series__study__patient_pseudonym=patient_on(side),
        rows=FILM_SIDE_PX,
        columns=FILM_SIDE_PX,
        file_path=str(path.relative_to(settings.FILM_FOLDER)),
    )


_NUMBERS = count()


def patient_on(side: Split) -> str:
    """The pseudonym of a new patient on this side."""
    names = (f"L-{number:06d}" for number in _NUMBERS)
    return next(name for name in names if side_of(name, shares=Shares()) == side)


def said(instance: Instance, text: str, *, model_version: ModelVersion, seed: int = 1) -> Completion:
    """A completion with the steps and regions that the parser finds in its text."""
    parsed = parse_completion(text)
    completion = CompletionFactory.create(
        instance=instance,
        model_version=model_version,
        seed=seed,
        text=text,
        answer=parsed.answer or "",
        problems=list(parsed.problems),
        model_width=MODEL_SIDE_PX,
        model_height=MODEL_SIDE_PX,
    )
    size = (instance.columns, instance.rows)
    for position, parsed_step in enumerate(parsed.steps, 1):
        step = ReasoningStep.objects.create(completion=completion, position=position, text=parsed_step.text)
        for number, written in enumerate(parsed_step.boxes, 1):
            box = to_image_px(
                written, frame="processed", model_size=(MODEL_SIDE_PX, MODEL_SIDE_PX), image_size=size
            )
            Region.objects.create(
                step=step,
                position=number,
                **box._asdict(),
                model_box=list(written),
                problem=region_problem(box, size),
            )
    return completion


def an_open_reading_to_learn_from(
    model_version: ModelVersion, *, seed: int = DEMO_SEEDS.start, side: Split = Split.TRAIN
) -> Reading:
    """A film, what is true of it said on one side and of another film on the other."""
    instance = film(seed, side=side)
    for truth_seed in (seed, seed + 1):
        text = ideal_reasoning(draw_phantom(seed=truth_seed).truth)
        said(instance, text, model_version=model_version)
    study = create_reader_study(
        title=f"Film {seed}",
        studies=[instance.study],
        readers=[ExpertFactory.create()],
        actor=None,
        seed=seed % 1000,
    )
    return Reading.objects.get(assignment__case__reader_study=study)


def a_reading_to_learn_from(
    model_version: ModelVersion,
    *,
    seed: int = DEMO_SEEDS.start,
    vote: Vote.Side = Vote.Side.A,
    moves_a_region: bool = True,
    side: Split = Split.TRAIN,
) -> Reading:
    """Signed: rated alike, a vote, the first region of side A moved by the reader, all others fitting."""
    reading = an_open_reading_to_learn_from(model_version, seed=seed, side=side)
    for completion in completions_of(reading):
        for step in ReasoningStep.objects.filter(completion=completion):
            change(reading, RateStep(step.uid, 4, False, ""))
        for region in Region.objects.filter(step__completion=completion):
            change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.FITS, None))
        change(reading, RateAnswer(completion.uid, 4, 4, 4))
    if moves_a_region:
        regions = Region.objects.filter(step__completion=reading.completion_a)
        moved = regions.earliest("step__position", "position")
        box = Box(moved.x_min + 8, moved.y_min + 8, moved.x_max + 8, moved.y_max + 8)
        change(reading, AnnotateRegion(moved.uid, RegionAnnotation.Verdict.ADJUSTED, box))
    change(reading, CastVote(vote))
    return sign(reading)


def a_sealed_reading(model_version: ModelVersion, *, seed: int, patient: str = "") -> Reading:
    """Signed, of a patient whom nothing learns from: what is true of the film stands, with every region; what
    is said of another film is wrong throughout, and its answer rewritten."""
    reading = an_open_reading_to_learn_from(model_version, seed=seed, side=Split.TEST)
    if patient:
        Study.objects.filter(pk=reading.assignment.case.study_id).update(patient_pseudonym=patient)
    true, other = sorted(completions_of(reading), key=lambda completion: completion.pk)
    for completion, points, verdict in ((true, 5, "fits"), (other, 1, "wrong")):
        for step in ReasoningStep.objects.filter(completion=completion):
            change(reading, RateStep(step.uid, points, False, ""))
        for region in Region.objects.filter(step__completion=completion):
            change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict(verdict), None))
        rewrite = "" if completion == true else true.answer
        change(reading, RateAnswer(completion.uid, points, points, points, rewrite=rewrite))
    change(reading, CastVote(Vote.Side.A if reading.completion_a == true else Vote.Side.B))
    return sign(reading)


_SIDES = (Split.TRAIN, Split.TUNE, Split.TRAIN, Split.TEST)


def a_study_read_by_several(
    model_version: ModelVersion,
    *,
    num_films: int = 6,
    num_readers: int = 3,
    seed: int = DEMO_SEEDS.start,
    design: ReaderStudyDesign | None = None,
) -> ReaderStudy:
    """Films of patients on all sides, read by readers of whom the first is strict and the last careless, who
    redraw, reword and miss as readers do; repeats and controls as the design says."""
    films = [film(seed + 10 * n, side=_SIDES[n % 4]) for n in range(num_films)]
    for n, instance in enumerate(films):
        for truth in (seed + 10 * n, seed + 10 * n + 1):
            said(instance, ideal_reasoning(draw_phantom(seed=truth).truth), model_version=model_version)
    study = create_reader_study(
        title="Read by several",
        studies=[instance.study for instance in films],
        readers=[ExpertFactory.create() for _ in range(num_readers)],
        actor=None,
        seed=seed % 1000,
        design=design,
    )
    rng = random.Random(seed + 2)
    readings = Reading.objects.filter(assignment__case__reader_study=study).select_related("assignment")
    readers = sorted(set(readings.values_list("assignment__reader", flat=True)))
    # The order of the readings is drawn by the readers' uids, which are new in each run.
    for reading in readings.order_by("assignment__case__study", "assignment__reader", "pk"):
        place = readers.index(reading.assignment.reader_id)
        _say_as_a_reader(reading, rng, lenience=-(place == 0), is_careless=place == len(readers) - 1)
        Reading.objects.filter(pk=reading.pk).update(opened_at=timezone.now(), signed_at=timezone.now())
    return study


def _say_as_a_reader(reading: Reading, rng: random.Random, *, lenience: int, is_careless: bool) -> None:
    """The completion that came first is the true one; the other is of another film."""
    pks = [pk for pk in (reading.completion_a_id, reading.completion_b_id) if pk]
    completions = list(Completion.with_altered.filter(pk__in=pks).order_by("pk"))
    for number, completion in enumerate(completions):
        deserved = 5 - 2 * number
        for step in completion.steps.all():
            points = rng.randint(1, 5) if is_careless and rng.random() < 0.5 else deserved + lenience
            StepRating.objects.create(
                reading=reading,
                step=step,
                plausibility=min(5, max(1, points + rng.choice((-1, 0, 0)))),
                edited_text="There is nothing to be seen" if number and rng.random() < 0.2 else "",
            )
            for region in step.regions.all():
                _judge_region(reading, region, rng, is_right=not number)
        points = min(5, max(1, deserved + lenience))
        AnswerRating.objects.create(
            reading=reading, completion=completion, relevance=points, correctness=points, completeness=points
        )
    if len(completions) == 2:
        is_a = completions[0].pk == reading.completion_a_id
        draw = rng.random()
        side = "tie" if draw < 0.1 else "b" if (draw < 0.25) == is_a else "a"
        for kind in Vote.Kind:
            Vote.objects.create(reading=reading, kind=kind, side=side)


def _judge_region(reading: Reading, region: Region, rng: random.Random, *, is_right: bool) -> None:
    draw = rng.random() + 0.4 * is_right
    verdict = "wrong" if draw < 0.15 else "adjusted" if draw < 0.5 else "fits"
    edges = [region.x_min, region.y_min, region.x_max, region.y_max]
    moved = [edge + 6 + rng.uniform(-3, 3) for edge in edges] if verdict == "adjusted" else [None] * 4
    RegionAnnotation.objects.create(
        reading=reading,
        region=region,
        verdict=verdict,
        **dict(zip(("x_min", "y_min", "x_max", "y_max"), moved, strict=True)),
    )


def finished_run(
    dataset: PreferenceDataset,
    *,
    parent: ModelVersion,
    candidate: ModelVersion,
    kind: str = "dpo",
    num_steps: int = 1,
    **more: Any,
) -> TrainingRun:
    """A run of one stage that made this candidate of this data set; nothing is trained."""
    return TrainingRun.objects.create(
        dataset=dataset,
        parent_version=parent,
        candidate=candidate,
        recipe={"stages": [{"kind": kind, "num_steps": num_steps}]},
        state=JobState.DONE,
        step=num_steps,
        num_steps=num_steps,
        **more,
    )
