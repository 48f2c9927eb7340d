"""Asks a version about drawn films: whether it answers, and in which frame it writes its boxes."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.selectors import prompt_of, read_by
from inference.dialects import Dialect
from inference.engines import Done, Engine, EngineError, Failed, GenerationRequest, Token
from inference.frame_calibration import SaidOfFilm, calibrate
from inference.phantoms import DEMO_SEEDS, Phantom, draw_phantom
from inference.regions import Box

# Of unlike sides, and none of them a model's own.
FILM_WIDTH_PX, FILM_HEIGHT_PX = 640, 800
LONGEST_TEXT_SHOWN = 20_000
NUM_CALIBRATION_FILMS = 16
Load = Callable[[ModelVersion], Engine]


def queue_check(version: ModelVersion, *, kind: ModelJob.Kind, actor: User) -> ModelJob:
    """One at a time of a version and kind."""
    require(actor, Capability.REGISTER_MODELS)
    prompt_of(version)
    if kind == ModelJob.Kind.CALIBRATE and version.dialect == Dialect.PROSE:
        raise RefusedByRule(
            f"{version} is asked for no boxes, so there is no frame to find. Register it with a preset whose "
            "prompt asks for them."
        )
    num_wanted = NUM_CALIBRATION_FILMS if kind == ModelJob.Kind.CALIBRATE else 1
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        if ModelJob.objects.filter(version=version, kind=kind).exclude(state__in=FINAL_STATES).exists():
            raise RefusedByRule(f"{version} is being asked already.")
        job = ModelJob.objects.create(version=version, kind=kind, num_wanted=num_wanted, requested_by=actor)
        record_event(actor=actor, action="check_model", subject=version, details={"kind": kind.value})
    return job


def ask_once(job: ModelJob, *, check: Callable[[], None], load: Load) -> None:
    """Ends the job with the answer."""
    version = _version(job)
    done = _answer(version, DEMO_SEEDS.start, load=load, check=check, temperature=version.temperature)
    jobs.finish(job, state=JobState.DONE, num_done=1, result=_said(version, done))


def calibrate_frame(job: ModelJob, *, check: Callable[[], None], load: Load) -> None:
    """Ends the job with how well each frame fits. Films that were answered are kept, so that another worker
    goes on with the others."""
    version = _version(job)
    said: dict[str, Any] = dict(job.result.get("said", {}))
    seeds = DEMO_SEEDS[: job.num_wanted]
    wanted = [_request(version, seed, temperature=0.0) for seed in seeds if str(seed) not in said]
    with closing(load(version).generate(wanted)) as events:
        for event in events:
            match event:
                case Done():
                    boxes = [box for step in read_by(version, event.text).steps for box in step.boxes]
                    said[event.key] = {"boxes": boxes, "model_size": event.model_size}
                    jobs.heartbeat(job, is_kept=True, num_done=len(said), result={"said": said})
                case Failed(reason=reason):
                    raise EngineError(reason)
                case Token():
                    check()
    if len(said) < len(seeds):
        raise EngineError("The model ended without an answer. Calibrate it again.")
    found = calibrate(
        [
            SaidOfFilm(
                _film(seed).truth,
                [Box(*box) for box in said[str(seed)]["boxes"]],
                (said[str(seed)]["model_size"][0], said[str(seed)]["model_size"][1]),
            )
            for seed in seeds
        ],
        preparation=version.image_preparation,
    )
    jobs.finish(job, state=JobState.DONE, num_done=len(said), result=asdict(found))


def _said(version: ModelVersion, done: Done) -> Mapping[str, Any]:
    text = done.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    parsed = read_by(version, text, question=prompt_of(version).default_query)
    return {
        "text": text[:LONGEST_TEXT_SHOWN],
        "answer": parsed.answer or "",
        "problems": list(parsed.problems),
        "num_steps": len(parsed.steps),
        "num_regions": sum(len(step.boxes) for step in parsed.steps),
        "num_tokens": done.num_tokens,
        "seconds": round(done.seconds, 2),
        "is_cut_off": done.ended == "length",
    }


def _answer(
    version: ModelVersion, seed: int, *, load: Load, check: Callable[[], None], temperature: float
) -> Done:
    with closing(load(version).generate([_request(version, seed, temperature=temperature)])) as events:
        for event in events:
            match event:
                case Done():
                    return event
                case Failed(reason=reason):
                    raise EngineError(reason)
                case Token():
                    check()
    raise EngineError("The model ended without an answer. Ask it again.")


def _request(version: ModelVersion, seed: int, *, temperature: float) -> GenerationRequest:
    prompt = prompt_of(version)
    return GenerationRequest(
        key=str(seed),
        film=_film(seed).to_uint8(),
        prompt=prompt.render(prompt.default_query),
        temperature=temperature,
        seed=1,
        max_new_tokens=version.max_new_tokens,
        deadline_seconds=settings.INFERENCE_SECONDS,
    )


def _film(seed: int) -> Phantom:
    return draw_phantom(seed=seed, width=FILM_WIDTH_PX, height=FILM_HEIGHT_PX)


def _version(job: ModelJob) -> ModelVersion:
    if job.version is None:
        raise RefusedByRule("There is no version to ask.")
    return job.version
