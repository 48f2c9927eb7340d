"""Asks a version about a drawn film, so that a person sees whether it answers, and what."""

from collections.abc import Callable, Mapping
from contextlib import closing
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
from inference.engines import Done, Engine, EngineError, Failed, GenerationRequest, Token
from inference.phantoms import DEMO_SEEDS, draw_phantom

# Of unlike sides, and none of them a model's own.
FILM_WIDTH_PX, FILM_HEIGHT_PX = 640, 800
LONGEST_TEXT_SHOWN = 20_000
Load = Callable[[ModelVersion], Engine]


def queue_check(version: ModelVersion, *, kind: ModelJob.Kind, actor: User) -> ModelJob:
    """One at a time of a version and kind."""
    require(actor, Capability.REGISTER_MODELS)
    prompt_of(version)
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        if ModelJob.objects.filter(version=version, kind=kind).exclude(state__in=FINAL_STATES).exists():
            raise RefusedByRule(f"{version} is being asked already.")
        job = ModelJob.objects.create(version=version, kind=kind, num_wanted=1, requested_by=actor)
        record_event(actor=actor, action="check_model", subject=version, details={"kind": kind.value})
    return job


def ask_once(job: ModelJob, *, check: Callable[[], None], load: Load) -> None:
    """Ends the job with the answer."""
    version = _version(job)
    done = _answer(version, DEMO_SEEDS.start, load=load, check=check, temperature=version.temperature)
    jobs.finish(job, state=JobState.DONE, num_done=1, result=_said(version, done))


def _said(version: ModelVersion, done: Done) -> Mapping[str, Any]:
    text = done.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    parsed = read_by(version, text)
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
    prompt = prompt_of(version)
    film = draw_phantom(seed=seed, width=FILM_WIDTH_PX, height=FILM_HEIGHT_PX)
    request = GenerationRequest(
        key=str(seed),
        film=film.to_uint8(),
        prompt=prompt.render(prompt.default_query),
        temperature=temperature,
        seed=1,
        max_new_tokens=version.max_new_tokens,
        deadline_seconds=settings.INFERENCE_SECONDS,
    )
    with closing(load(version).generate([request])) as events:
        for event in events:
            match event:
                case Done():
                    return event
                case Failed(reason=reason):
                    raise EngineError(reason)
                case Token():
                    check()
    raise EngineError("The model ended without an answer. Ask it again.")


def _version(job: ModelJob) -> ModelVersion:
    if job.version is None:
        raise RefusedByRule("There is no version to ask.")
    return job.version
