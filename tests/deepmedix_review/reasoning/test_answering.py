"""Many films are answered together, and each ends by itself: done, failed, cancelled, or left to another.

The engine is SIMULATED: it says what a test tells it to.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import answering, services
from deepmedix_review.reasoning.answering import Answering
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.registry.models import ModelVersion
from inference.engines import (
    CannotGenerate,
    Done,
    EngineError,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    Stopped,
    Token,
    every_one,
)
from tests.factories.accounts import AdminFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db

Says = Callable[[str, IsWanted], Iterable[Event]]


def well(key: str, is_wanted: IsWanted) -> Iterable[Event]:
    yield Token(key, 1)
    yield Done(key, "<think> Clear. </think>\\boxed{none}", "", 1, 0.1, (112, 112), "stop")


@dataclass
class Simulated:
    """`says` by key; the others are answered well. `rounds`: the keys that it was asked together."""

    says: dict[str, Says] = field(default_factory=dict)
    rounds: list[list[str]] = field(default_factory=list)
    is_lazy: bool = False

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        self.rounds.append([])
        for request in requests if self.is_lazy else list(requests):
            self.rounds[-1].append(request.key)
            yield from self.says.get(request.key, well)(request.key, is_wanted)


@pytest.fixture(autouse=True)
def _blank_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_film", lambda job: np.zeros((8, 8), np.uint8))
    # Each token tells on.
    monkeypatch.setattr(answering, "SECONDS_BETWEEN_BEATS", 0.0)


def asked(number: int, **fields: Any) -> list[InferenceJob]:
    version = ServingModelFactory.create(**fields)
    return InferenceJobFactory.create_batch(number, model_version=version)


def keys(found: list[InferenceJob]) -> list[str]:
    return [str(job.uid) for job in found]


def states() -> list[str]:
    return list(InferenceJob.objects.order_by("pk").values_list("state", flat=True))


def answer_all(engine: Simulated) -> None:
    worker = Answering(lambda version: engine)
    while worker.answer_next():
        pass


def test_as_many_as_the_setting_says_are_asked_together(settings: Settings) -> None:
    settings.INFERENCE_MICRO_BATCH = 3
    wanted, engine = asked(5), Simulated()
    answer_all(engine)
    assert engine.rounds == [keys(wanted[:3]), keys(wanted[3:])]
    assert states() == [JobState.DONE] * 5
    assert Completion.objects.count() == 5


def test_each_is_kept_the_moment_it_is_there() -> None:
    first, second = asked(2)

    def look(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        assert Completion.objects.filter(job=first).exists()
        assert not Completion.objects.filter(job=second).exists()
        yield from well(key, is_wanted)

    answer_all(Simulated({str(second.uid): look}))
    assert states() == [JobState.DONE, JobState.DONE]


def test_one_cancel_one_lost_lease_and_one_failure_touch_nobody_else() -> None:
    well_before, cancelled, lost, failing, well_after = asked(5)
    admin = AdminFactory.create()

    def stops(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        assert is_wanted(key)
        if key == str(cancelled.uid):
            services.cancel_inference(InferenceJob.objects.get(pk=cancelled.pk), actor=admin)
        else:
            InferenceJob.objects.filter(pk=lost.pk).update(attempt=2)
        yield Token(key, 1)
        assert not is_wanted(key)
        assert is_wanted(str(well_after.uid))
        yield Stopped(key)

    def fails(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        yield Failed(key, "Too long a question.")

    engine = Simulated({str(cancelled.uid): stops, str(lost.uid): stops, str(failing.uid): fails})
    answer_all(engine)
    assert states() == [
        JobState.DONE,
        JobState.CANCELLED,
        JobState.RUNNING,
        JobState.FAILED,
        JobState.DONE,
    ]
    assert InferenceJob.objects.get(pk=failing.pk).error == "Too long a question."
    assert set(Completion.objects.values_list("job", flat=True)) == {well_before.pk, well_after.pk}


def test_what_stops_a_whole_round_is_blamed_on_the_one_that_does_it_alone() -> None:
    first, poison, last = asked(3)

    def stops_all(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        raise EngineError("The model computes no numbers any more.")

    engine = Simulated({str(poison.uid): stops_all})
    answer_all(engine)
    assert states() == [JobState.DONE, JobState.FAILED, JobState.DONE]
    assert engine.rounds == [keys([first, poison]), keys([poison]), keys([last])]
    assert list(InferenceJob.objects.values_list("attempt", flat=True)) == [1, 1, 1]


def test_a_model_that_cannot_be_read_fails_each_with_the_sentence_and_is_read_once() -> None:
    asked(3)
    num_read = []

    def load(version: ModelVersion) -> Simulated:
        num_read.append(version)
        raise EngineError("There is no model in the folder.")

    worker = Answering(load)
    assert worker.answer_next()
    assert not worker.answer_next()
    assert len(num_read) == 1
    assert set(InferenceJob.objects.values_list("state", "error")) == {
        (JobState.FAILED, "There is no model in the folder.")
    }


def test_an_engine_with_room_is_given_more_until_the_workers_turn_is_over(settings: Settings) -> None:
    settings.INFERENCE_IN_FLIGHT = 2
    wanted = asked(
        5,
        source=ModelVersion.Source.ENDPOINT,
        folder="",
        sha256="",
        endpoint_url="http://127.0.0.1:9/v1",
        served_model="a model",
    )
    engine = Simulated(is_lazy=True)
    assert Answering(lambda version: engine).answer_next()
    assert engine.rounds == [keys(wanted)]
    more = InferenceJobFactory.create_batch(3, model_version=wanted[0].model_version)
    assert Answering(lambda version: engine, until=0.0).answer_next()
    assert engine.rounds[1:] == [keys(more[:2])]


def test_a_model_that_says_nothing_of_a_film_fails_that_one() -> None:
    silent, _ = asked(2)
    answer_all(Simulated({str(silent.uid): lambda key, is_wanted: ()}))
    assert states() == [JobState.FAILED, JobState.DONE]


def test_three_deaths_set_the_one_that_kills_aside_and_take_no_other_with_it(settings: Settings) -> None:
    settings.INFERENCE_MICRO_BATCH = 4
    wanted = asked(4)
    poison = wanted[1]

    class Killed(BaseException):
        """As kill -9 leaves the rows."""

    def kills(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        raise Killed

    engine, num_deaths = Simulated({str(poison.uid): kills}), 0
    worker = Answering(lambda version: engine)
    while True:
        try:
            if not worker.answer_next():
                break
        except Killed:
            num_deaths += 1
            InferenceJob.objects.filter(state=JobState.RUNNING).update(lease_expires_at="2020-01-01T00:00Z")
            jobs.requeue_lost(InferenceJob)
    assert num_deaths == 3
    assert states() == [JobState.DONE, JobState.FAILED, JobState.DONE, JobState.DONE]
    assert "stopped without an answer 3 times" in InferenceJob.objects.get(pk=poison.pk).error
    assert max(InferenceJob.objects.exclude(pk=poison.pk).values_list("attempt", flat=True)) == 2


def test_a_worker_that_is_told_to_end_answers_what_it_has_begun_and_takes_nothing_more(
    settings: Settings,
) -> None:
    settings.INFERENCE_MICRO_BATCH = 2
    wanted = asked(4)
    worker = Answering(lambda version: engine)

    def told_to_end(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        worker.drain.ask()
        yield from well(key, is_wanted)

    engine = Simulated({str(wanted[0].uid): told_to_end})
    assert worker.answer_next()
    assert not worker.answer_next()
    assert states() == [JobState.DONE] * 2 + [JobState.QUEUED] * 2
    assert worker.num_answered == 2
    assert worker.num_held == 0


def test_what_is_not_answered_in_the_time_of_a_drain_goes_back_as_if_it_had_not_been_tried(
    settings: Settings,
) -> None:
    settings.DRAIN_SECONDS = 0
    begun, not_begun, cancelled = asked(3)
    worker = Answering(lambda version: engine)

    def stops(key: str, is_wanted: IsWanted) -> Iterable[Event]:
        worker.drain.ask()
        InferenceJob.objects.filter(pk=cancelled.pk).update(cancel_requested=True)
        assert not is_wanted(key)
        yield Stopped(key)

    engine = Simulated({str(begun.uid): stops}, is_lazy=True)
    assert worker.answer_next()
    assert states() == [JobState.QUEUED, JobState.QUEUED, JobState.CANCELLED]
    assert not InferenceJob.objects.filter(state=JobState.QUEUED).exclude(attempt=0).exists()
    # Another worker takes it as new, in company.
    other = Simulated()
    answer_all(other)
    assert other.rounds == [keys([begun, not_begun])]


def test_a_version_that_can_not_generate_here_is_left_to_other_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = asked(2)
    sound = InferenceJobFactory.create(model_version=ModelVersionFactory.create())
    engine = Simulated()

    def load(version: ModelVersion) -> Simulated:
        if version == broken[0].model_version:
            raise CannotGenerate("Asked for 2 tokens, it wrote nothing.")
        return engine

    worker = Answering(load)
    while worker.answer_next():
        pass
    assert states() == [JobState.QUEUED, JobState.QUEUED, JobState.DONE]
    assert worker.leaves() == [broken[0].model_version_id]
    assert InferenceJob.objects.get(pk=broken[0].pk).attempt == 0
    assert engine.rounds == [keys([sound])]
    # After a while it tries again.
    monkeypatch.setattr(answering, "UNFIT_SECONDS", 0.0)
    assert worker.answer_next()
