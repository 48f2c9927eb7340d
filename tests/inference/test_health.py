"""A model is trusted once it has written two tokens."""

from collections.abc import Generator, Iterable

import pytest

from inference.engines import (
    CannotGenerate,
    Done,
    EngineError,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    Token,
    every_one,
    require_generates,
)


class Says:
    """SIMULATED: it says what a test tells it to."""

    def __init__(self, *events: Event | Exception) -> None:
        self.events = events

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        assert [request.max_new_tokens for request in requests] == [2]
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def test_one_that_writes_is_sound() -> None:
    require_generates(Says(Token("health", 1), Done("health", "a", "", 2, 0.1, (56, 56), "length")))


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        (Says(), "it wrote nothing"),
        (Says(Token("health", 1)), "it wrote nothing"),
        (Says(Failed("health", "It took too long.")), "It took too long"),
        (Says(EngineError("Its weights are broken.")), "weights are broken"),
        (Says(RuntimeError("device-side assert")), "device-side assert"),
    ],
)
def test_one_that_does_not_says_why(engine: Says, why: str) -> None:
    with pytest.raises(CannotGenerate, match=why):
        require_generates(engine)
