"""What the model wrote while it learned, of films of patients that nothing is learned from, step by step."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from deepmedix_review.common import jobs
from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.feedback.models import TrainingRun, TrainingSample
from deepmedix_review.feedback.pair_texts import steps_and_answer
from deepmedix_review.feedback.runs.curves import Point
from deepmedix_review.feedback.sealed_patients import sealed_names
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.collecting.split import Shares, side_of_patient
from deepmedix_review.studies.models import Instance, Split, Study
from deepmedix_review.studies.selectors import film_path, films_of
from inference.grounding import parse_completion
from inference.prompts import template
from inference.regions import Box, to_image_px
from rl_feedback.training.examples import SampledFilm
from rl_feedback.training.figures import TakenSample
from rl_feedback.training.recipe import Recipe

NUM_FILMS = 3
# Of the tune side, from its oldest study on: those of patients whom the gate measures on are passed over.
NUM_LOOKED_AT = 100
# Of one film on a page, and of steps whose attempts are shown.
MOST_SHOWN = 12
NUM_ATTEMPTS = 3


@dataclass(frozen=True)
class SampledBox:
    """In film pixels; `of` says whether it was in the sample before: both, chosen (new), rejected (gone)."""

    x: float
    y: float
    width: float
    height: float
    of: str


@dataclass(frozen=True)
class ShownSample:
    sample: TrainingSample
    boxes: tuple[SampledBox, ...]
    pieces: tuple[Piece, ...]
    num_boxes: int
    is_changed: bool


@dataclass(frozen=True)
class Strip:
    """One film over the steps. `film` is the picture's address, empty where the study was withdrawn."""

    label: str
    kind: str
    film: str
    width: int
    height: int
    samples: tuple[ShownSample, ...]


def films_to_sample(parent: ModelVersion) -> list[SampledFilm]:
    """The first NUM_FILMS ready studies of patients of the tune side: nothing learns from them, and sealed
    patients stay sealed."""
    ready = Study.objects.filter(state=Study.State.READY).annotate(side=side_of_patient(Shares()))
    asked = template(parent.prompt_template)
    names = sealed_names()
    of_tune = ready.filter(side=Split.TUNE).order_by("pk")[:NUM_LOOKED_AT]
    open_ones = [
        study
        for study in of_tune
        if study.patient_pseudonym not in names.pseudonyms
        and study.study_instance_uid not in names.study_uids
    ]
    films = (films_of(study).first() for study in open_ones[:NUM_FILMS])
    return [
        SampledFilm(str(film_path(film)), asked.render(asked.default_query), 1.0, "sample")
        for film in films
        if film is not None and film_path(film).is_file()
    ]


def record_sample(run: TrainingRun, sample: TakenSample) -> None:
    """Keep what the model wrote; a step that a resumed run repeats keeps one row."""
    place = str(Path(sample.film).relative_to(settings.FILM_FOLDER))
    film = Instance.objects.filter(file_path=place).order_by("pk").first()
    if film is None:
        # Text on it was overwritten meanwhile: nothing is left to show the sample with.
        return
    with transaction.atomic():
        jobs.hold(run)
        TrainingSample.objects.update_or_create(
            run=run,
            step=sample.step,
            kind=sample.kind,
            instance=film,
            defaults={
                "stage": sample.stage,
                "prompt": sample.prompt,
                "text": sample.text,
                "model_width": sample.model_size[0],
                "model_height": sample.model_size[1],
                "reward": sample.reward,
                "parts": dict(sample.parts),
            },
        )


def takes_samples(run: TrainingRun) -> bool:
    """Whether any stage of the recipe asks for some."""
    return any(stage.sample_every for stage in Recipe.from_json(run.recipe).stages)


def strips_of(run: TrainingRun) -> tuple[Strip, ...]:
    """Of each held-out film its samples, each beside the one before; then of the newest attempts the best and
    the worst."""
    rows = list(run.samples.select_related("instance__series__study").order_by("instance", "step", "kind"))
    held_out = [row for row in rows if row.kind == TrainingSample.Kind.HELD_OUT]
    strips = [
        _strip(_spaced(list(of_film)), run=run, compares=True)
        for _, of_film in groupby(held_out, key=lambda row: row.instance_id)
    ]
    attempts = sorted((row for row in rows if row not in held_out), key=lambda row: (row.step, row.kind))
    two = [list(found) for _, found in groupby(attempts, key=lambda row: row.step)]
    return (*strips, *(_strip(found, run=run, compares=False) for found in two[-NUM_ATTEMPTS:]))


def _spaced(rows: list[TrainingSample]) -> list[TrainingSample]:
    """Of a long run evenly spaced ones, with the first and the last."""
    stride = -(-len(rows) // MOST_SHOWN)
    return [row for place, row in enumerate(rows) if place % stride == 0 or place == len(rows) - 1]


def sample_series(run: TrainingRun) -> Mapping[str, Sequence[Point]]:
    """Words and regions of a held-out sample, on average over the films."""
    texts: dict[tuple[int, int], list[str]] = defaultdict(list)
    held_out = run.samples.filter(kind=TrainingSample.Kind.HELD_OUT).order_by("step", "instance")
    for step, stage, text in held_out.values_list("step", "stage", "text"):
        texts[step, stage].append(text)
    return {
        name: [Point(step, stage, fmean(map(count, said))) for (step, stage), said in texts.items()]
        for name, count in (("sample_words", _num_words), ("sample_boxes", _num_boxes))
    }


def _num_words(text: str) -> int:
    return len(text.split())


def _num_boxes(text: str) -> int:
    return sum(len(step.boxes) for step in parse_completion(text).steps)


def _strip(rows: Sequence[TrainingSample], *, run: TrainingRun, compares: bool) -> Strip:
    film = rows[0].instance
    before = [None, *rows[:-1]] if compares else [None] * len(rows)
    return Strip(
        label=film.study.label,
        kind=rows[0].kind,
        film=reverse("film-picture", args=[film.uid]) if film.study.state == Study.State.READY else "",
        width=film.columns,
        height=film.rows,
        samples=tuple(
            _shown(row, earlier, frame=run.parent_version.box_frame)
            for row, earlier in zip(rows, before, strict=True)
        ),
    )


def _shown(row: TrainingSample, before: TrainingSample | None, *, frame: str) -> ShownSample:
    text = _readable(row.text)
    boxes = _boxes(row, frame)
    earlier = boxes if before is None else _boxes(before, frame)
    pieces = (Piece(text, False),) if before is None else differing_pieces(_readable(before.text), text)[1]
    drawn = [
        *(_drawn(box, "both" if box in earlier else "chosen") for box in boxes),
        *(_drawn(box, "rejected") for box in earlier if box not in boxes),
    ]
    is_changed = before is not None and before.text != row.text
    return ShownSample(row, tuple(drawn), pieces, len(boxes), is_changed)


def _readable(text: str) -> str:
    return steps_and_answer(text) or text or "(nothing)"


def _boxes(row: TrainingSample, frame: str) -> list[Box]:
    film = row.instance
    placed = (
        to_image_px(
            box,
            frame=frame,
            model_size=(row.model_width, row.model_height),
            image_size=(film.columns, film.rows),
        )
        for step in parse_completion(row.text).steps
        for box in step.boxes
    )
    return [box for box in placed if box.x_min < box.x_max and box.y_min < box.y_max]


def _drawn(box: Box, of: str) -> SampledBox:
    return SampledBox(
        round(box.x_min, 1),
        round(box.y_min, 1),
        round(box.x_max - box.x_min, 1),
        round(box.y_max - box.y_min, 1),
        of,
    )
