"""How a worker has a model answer many jobs at once, each of which ends by itself."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.held_jobs import HeldJobs
from deepmedix_review.reasoning import claiming, services, unfinished
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import num_at_once, prompt_of, takes_more
from deepmedix_review.studies.storage import film_path
from inference.engines import (
    CannotGenerate,
    Done,
    EngineError,
    Event,
    Failed,
    GenerationRequest,
    ServingEngine,
    SoFar,
    Stopped,
    Token,
)
from inference.images import render_reference

Load = Callable[[ModelVersion], ServingEngine]
logger = logging.getLogger(__name__)

# How often running jobs tell their tokens; a person sees no more, and each time costs a statement.
SECONDS_BETWEEN_BEATS = 0.2
# A model that was read into memory is asked for so long before a batch of another version has it read anew.
KEPT_SECONDS = 60.0
# A version that this worker can't run is left to others for so long, then tried again.
UNFIT_SECONDS = 60.0


@dataclass
class Drain:
    """The end of a worker: once asked for, it takes nothing more; what it has begun may go on for a while.

    Asked by a signal, whose handler stands in the middle of anything: it sets a number, no more.
    """

    asked_at: float | None = None

    def ask(self) -> None:
        if self.asked_at is None:
            self.asked_at = time.monotonic()

    @property
    def is_asked(self) -> bool:
        return self.asked_at is not None

    @property
    def is_over(self) -> bool:
        return self.asked_at is not None and time.monotonic() - self.asked_at >= settings.DRAIN_SECONDS


@dataclass
class Answering:
    """What a worker process remembers between its rounds: which version it has in memory, and since when.

    `load` gives a version's engine. From `until` on (monotonic seconds) nothing more is taken in a round, so
    that what else waits for the worker has its turn.
    """

    load: Load
    until: float = float("inf")
    version: int | None = None
    since: float = field(default=float("-inf"))
    drain: Drain = field(default_factory=Drain)
    num_held: int = 0
    num_answered: int = 0
    num_remembered: int = 0
    unfit: dict[int, "Unfit"] = field(default_factory=dict)

    def answer_next(self) -> bool:
        """One round; False where nothing waits for this worker."""
        if self.drain.is_asked:
            return False
        is_new = time.monotonic() - self.since > KEPT_SECONDS
        keeps = None if is_new else self.version
        claimed = claiming.claim_next(num_at_once, keeps=keeps, leaves=self.leaves())
        if not claimed:
            return False
        if claimed[0].model_version_id != self.version or is_new:
            self.version, self.since = claimed[0].model_version_id, time.monotonic()
        with HeldJobs(
            InferenceJob, progress="num_tokens", at_most_silent_seconds=2 * settings.INFERENCE_SECONDS
        ) as held:
            held.add(claimed)
            self.num_held = len(claimed)
            try:
                _Round(claimed, held, self, self.until).answer()
            finally:
                self.num_held = 0
        return True

    def leaves(self) -> list[int]:
        """Versions that it can't run, as it found lately."""
        now = time.monotonic()
        self.unfit = {pk: one for pk, one in self.unfit.items() if now - one.since < UNFIT_SECONDS}
        return list(self.unfit)

    def is_unfit_for(self, version: ModelVersion, error: CannotGenerate) -> None:
        self.unfit[version.pk] = Unfit(
            f"{version} is in memory and can't generate. {error}", time.monotonic()
        )


@dataclass(frozen=True)
class Unfit:
    """Why a worker can't run a version, in a sentence, and when it found so (monotonic seconds)."""

    why: str
    since: float


class _Round:
    """Jobs of one version that are answered together, and those that come to them as there is room."""

    def __init__(
        self,
        claimed: Sequence[InferenceJob],
        held: HeldJobs[InferenceJob],
        answering: Answering,
        until: float,
    ) -> None:
        self._version = claimed[0].model_version
        self._waiting = deque(claimed)
        self._asked: dict[str, InferenceJob] = {}
        self._held, self._answering, self._until = held, answering, until
        self._drain = answering.drain
        self._takes_more = takes_more(self._version) and not any(job.attempt > 1 for job in claimed)
        self._beat_at = 0.0
        self._so_far: dict[int, tuple[InferenceJob, SoFar]] = {}

    def answer(self) -> None:
        self._turn_unready_away()
        if not self._waiting:
            return
        try:
            engine = self._answering.load(self._version)
        except CannotGenerate as error:
            logger.error("%s can't generate here: %s", self._version, error)
            self._answering.is_unfit_for(self._version, error)
            self._hand_back_waiting()
            return
        except Exception as error:
            for job in self._waiting:
                self._end(job, error)
            return
        try:
            with closing(engine.generate(self._requests(), is_wanted=self._is_wanted)) as events:
                for event in events:
                    self._take(event)
            self._hand_back_waiting()
            for job in list(self._asked.values()):
                self._end(job, EngineError("The model ended without an answer. Retry it."))
        except Exception as error:
            self._take_apart(error)

    def _turn_unready_away(self) -> None:
        for job in list(self._waiting):
            try:
                services.require_ready(job.study)
            except RefusedByRule as refusal:
                self._waiting.remove(job)
                self._end(job, refusal)

    def _take_apart(self, error: Exception) -> None:
        """What stopped all may be the fault of one: each is asked alone, and ends by its own error."""
        left = [*self._asked.values(), *self._waiting]
        if not left:
            raise error
        if len(left) == 1:
            self._end(left[0], error)
            return
        for job in left:
            _Round([job], self._held, self._answering, until=0.0).answer()

    def _requests(self) -> Iterator[GenerationRequest]:
        """Drawn by the engine as it has room for them."""
        while True:
            if self._drain.is_asked:
                return
            if not self._waiting and self._takes_more and time.monotonic() < self._until:
                more = claiming.claim_more(self._version, number=1)
                self._held.add(more)
                self._answering.num_held += len(more)
                self._waiting.extend(more)
            if not self._waiting:
                return
            job = self._waiting[0]
            try:
                request = _request(job)
            except Exception as error:
                self._waiting.popleft()
                self._end(job, error)
                continue
            self._asked[request.key] = self._waiting.popleft()
            yield request

    def _is_wanted(self, key: str) -> bool:
        job = self._asked.get(key)
        return job is not None and self._held.why_to_stop(job) is None and not self._drain.is_over

    def _take(self, event: Event) -> None:
        job = self._asked.get(event.key)
        if job is None:
            return
        match event:
            case Token(num_tokens=num_tokens, so_far=so_far):
                self._held.heard(job, num_tokens)
                if so_far is not None:
                    self._so_far[job.pk] = (job, so_far)
                if time.monotonic() - self._beat_at >= SECONDS_BETWEEN_BEATS:
                    self._beat()
            case Done(is_film_remembered=is_film_remembered):
                try:
                    services.record_completion(job=job, output=event)
                except Exception as error:
                    self._end(job, error)
                else:
                    self._answering.num_answered += 1
                    self._answering.num_remembered += is_film_remembered
                    self._leave(job)
            case Failed(reason=reason):
                self._end(job, EngineError(reason))
            case Stopped():
                why = self._held.why_to_stop(job)
                if why is None and self._drain.is_over:
                    self._hand_back(job)
                else:
                    self._end(job, why or jobs.LeaseLost(f"inference job {job.pk}"))

    def _beat(self) -> None:
        self._held.beat()
        if self._so_far:
            unfinished.keep(list(self._so_far.values()))
            self._so_far.clear()
        self._beat_at = time.monotonic()

    def _end(self, job: InferenceJob, error: Exception) -> None:
        jobs.end_by(job, error, says=(EngineError,))
        self._leave(job)

    def _hand_back_waiting(self) -> None:
        """What is not begun."""
        while self._waiting:
            self._hand_back(self._waiting.popleft())

    def _hand_back(self, job: InferenceJob) -> None:
        """For another worker. Its lease is left first: the next attempt bears the same number."""
        self._leave(job)
        try:
            jobs.hand_back(job)
        except jobs.LeaseLost as reason:
            logger.warning("left to another worker: %s", reason)

    def _leave(self, job: InferenceJob) -> None:
        self._answering.num_held -= 1
        self._held.drop(job)
        self._so_far.pop(job.pk, None)
        self._asked.pop(str(job.uid), None)


def _request(job: InferenceJob) -> GenerationRequest:
    services.require_ready(job.study)
    return GenerationRequest(
        key=str(job.uid),
        film=_film(job),
        prompt=prompt_of(job.model_version).render(job.query),
        temperature=job.temperature,
        seed=job.seed,
        max_new_tokens=job.max_new_tokens,
        deadline_seconds=settings.INFERENCE_SECONDS,
        tells_text=unfinished.is_looked_on(job),
    )


def _film(job: InferenceJob) -> NDArray[np.uint8]:
    path = film_path(job.instance)
    try:
        return render_reference(path)
    except OSError as error:
        raise EngineError(
            "The film's file is missing from the film folder, or can't be read. Restore it, then retry."
        ) from error
