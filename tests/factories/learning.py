"""Signed readings of drawn films with their files, as training needs them, and a model to be trained."""

from pathlib import Path

from django.conf import settings
from PIL import Image

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model
from deepmedix_review.reviews.models import Reading, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.changes import AnnotateRegion, CastVote, RateAnswer, RateStep
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
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


def film(seed: int) -> Instance:
    """A drawn film whose file lies where films lie, its small picture beside it."""
    path = settings.FILM_FOLDER / "test" / f"{seed}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_phantom_dicom(path, seed=seed, size=FILM_SIDE_PX, encoding=FilmEncoding())
    Image.fromarray(draw_phantom(seed=seed).to_uint8()).save(path.with_suffix(".png"))
    return InstanceFactory.create(
        rows=FILM_SIDE_PX, columns=FILM_SIDE_PX, file_path=str(path.relative_to(settings.FILM_FOLDER))
    )


def said(instance: Instance, text: str, *, model_version: ModelVersion) -> Completion:
    """A completion with the steps and regions that the parser finds in its text."""
    parsed = parse_completion(text)
    completion = CompletionFactory.create(
        instance=instance,
        model_version=model_version,
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


def an_open_reading_to_learn_from(model_version: ModelVersion, *, seed: int = DEMO_SEEDS.start) -> Reading:
    """A film, what is true of it said on one side and of another film on the other."""
    instance = film(seed)
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
) -> Reading:
    """Signed: rated alike, a vote, the first region of side A moved by the reader, all others fitting."""
    reading = an_open_reading_to_learn_from(model_version, seed=seed)
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
