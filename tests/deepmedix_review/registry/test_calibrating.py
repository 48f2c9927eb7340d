"""The page says in which frame a version writes its boxes, and one press registers it so."""

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.registry.checking import (
    FILM_HEIGHT_PX,
    FILM_WIDTH_PX,
    NUM_CALIBRATION_FILMS,
    calibrate_frame,
)
from deepmedix_review.registry.correcting import frame_found, register_corrected
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.services import register_shipped_model
from deepmedix_review.registry.tasks import request_check, request_model_retry
from inference.engines import Done, EngineError, Event, Failed, GenerationRequest
from inference.grounding import format_completion
from inference.phantoms import draw_phantom
from inference.regions import to_model_box
from tests.factories.accounts import ResearcherFactory
from tests.factories.registry import ModelVersionFactory
from tests.workers import Workers, wait_until

CALIBRATE = ModelJob.Kind.CALIBRATE
SIZE = (504, 616)


class KnowsTheTruth:
    """Not a model: points at heart and lungs of each drawn film, in one frame; fails after so many."""

    def __init__(self, frame: str, *, num_answers: int = NUM_CALIBRATION_FILMS) -> None:
        self.frame, self.num_answers = frame, num_answers
        self.asked: list[str] = []

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event]:
        for request in requests:
            if self.num_answers == 0:
                yield Failed(request.key, "The model server can't be reached.")
                return
            self.num_answers -= 1
            self.asked.append(request.key)
            truth = draw_phantom(seed=int(request.key), width=FILM_WIDTH_PX, height=FILM_HEIGHT_PX).truth
            steps = []
            for region in (truth.heart, truth.left_lung, truth.right_lung):
                box = to_model_box(
                    region, frame=self.frame, model_size=SIZE, image_size=(FILM_WIDTH_PX, FILM_HEIGHT_PX)
                )
                steps.append(f"There [{', '.join(str(round(edge)) for edge in box)}]")
            yield Done(request.key, format_completion(steps, "seen"), "", 9, 0.1, SIZE, "stop")


def run(job: ModelJob, engine: KnowsTheTruth) -> None:
    claimed = jobs.claim(ModelJob, job_id=job.pk)
    assert claimed is not None
    try:
        calibrate_frame(claimed, check=lambda: None, load=lambda version: engine)
    except EngineError as error:
        jobs.end_by(claimed, error, says=(EngineError,))
    job.refresh_from_db()


def asked_in(frame: str) -> tuple[ModelVersion, ModelJob]:
    version = ModelVersionFactory.create(
        box_frame=frame, preset="deepmedix-r1", prompt_template="deepmedix-r1"
    )
    return version, request_check(version, kind=CALIBRATE, actor=ResearcherFactory.create())


@pytest.mark.django_db
def test_a_frame_that_fits_is_named_and_nothing_is_corrected(client: Client) -> None:
    version, job = asked_in("norm1000")
    run(job, KnowsTheTruth("norm1000"))
    found = frame_found(version)
    assert job.state == JobState.DONE, job.error
    assert found is not None
    assert (found.frame, found.is_other, found.num_films) == ("norm1000", False, NUM_CALIBRATION_FILMS)
    assert found.fits[0]["frame"] == "norm1000"
    with pytest.raises(RefusedByRule, match="found another frame than norm1000"):
        register_corrected(version, actor=ResearcherFactory.create())


@pytest.mark.django_db
def test_another_frame_is_warned_of_and_one_press_registers_the_corrected_version(client: Client) -> None:
    version, job = asked_in("input")
    run(job, KnowsTheTruth("processed"))
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-checks", args=[version.uid])).content.decode()
    assert "Its boxes fit the frame processed, and it is read in input." in page
    answer = client.post(reverse("model-correct", args=[version.uid]))
    corrected = ModelVersion.objects.exclude(pk=version.pk).get()
    assert answer.url == reverse("model-detail", args=[corrected.uid])  # type: ignore[attr-defined]
    assert (corrected.box_frame, corrected.sha256, corrected.folder) == (
        "processed",
        version.sha256,
        version.folder,
    )
    assert f"v{version.number}, whose box frame" in client.get(answer.url).content.decode()  # type: ignore[attr-defined]
    again = client.post(reverse("api-model-correct", args=[version.uid]))
    assert (again.status_code, again.json()["uid"]) == (201, str(corrected.uid))
    assert ModelVersion.objects.count() == 2


@pytest.mark.django_db
def test_films_that_were_answered_are_not_asked_about_again() -> None:
    version, job = asked_in("processed")
    broken = KnowsTheTruth("processed", num_answers=5)
    run(job, broken)
    assert (job.state, job.num_done) == (JobState.FAILED, 5)
    assert "can't be reached" in job.error
    assert frame_found(version) is None
    job.refresh_from_db()
    request_model_retry(job, actor=ResearcherFactory.create())
    whole = KnowsTheTruth("processed")
    run(job, whole)
    assert len(whole.asked) == NUM_CALIBRATION_FILMS - 5
    assert not set(whole.asked) & set(broken.asked)
    assert frame_found(version) is not None


@pytest.mark.django_db
def test_what_writes_no_boxes_has_no_frame_and_two_presses_ask_once() -> None:
    researcher = ResearcherFactory.create()
    prose = ModelVersionFactory.create(preset="llava", dialect="prose", prompt_template="prose")
    with pytest.raises(RefusedByRule, match="no frame to find"):
        request_check(prose, kind=CALIBRATE, actor=researcher)
    version, _ = asked_in("processed")
    with pytest.raises(RefusedByRule, match="being asked already"):
        request_check(version, kind=CALIBRATE, actor=researcher)


@pytest.mark.django_db(transaction=True)
def test_the_shipped_model_is_calibrated_by_a_worker(
    celery_workers: Workers, client: Client, tmp_path: Path
) -> None:
    version = register_shipped_model()
    client.force_login(ResearcherFactory.create())
    client.post(reverse("model-calibrate", args=[version.uid]))
    wait_until(lambda: ModelJob.objects.get().is_final, what="a calibration")
    job = ModelJob.objects.get()
    assert (job.state, job.error) == (JobState.DONE, "")
    found = frame_found(version)
    assert found is not None
    assert (found.frame, found.is_other) == ("processed", False), found
    page = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    assert "Its boxes are in the frame processed" in page
