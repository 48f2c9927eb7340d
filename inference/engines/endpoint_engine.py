"""Asks a model that another server runs: vLLM, SGLang or a hosted one, by the OpenAI chat protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from PIL import Image

from inference.engines.chat_protocol import Answer, body_of
from inference.engines.endpoint_connection import EndpointConnection
from inference.engines.endpoint_flight import Flight, Refused, TakenBack, TryAgain
from inference.engines.requests import (
    Done,
    EndpointSettings,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    SoFar,
    Stopped,
    Token,
    every_one,
)
from inference.engines.retries import wait_seconds
from inference.engines.text_so_far import TextClock
from inference.images import prepare_image

# What a flight tells: tokens, and last of all how it ended.
Told = SimpleQueue[tuple[Flight, Event | BaseException]]

# How often it is asked whether answers are wanted while no server says anything.
WANTED_SECONDS = 0.2


class EndpointEngine:
    """Many requests in flight, each streamed; the server batches them."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._connection = EndpointConnection(settings)

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        """See `requests.ServingEngine.generate`. After a lost connection a text begins anew, and its tokens
        are counted from 1 again."""
        told: Told = SimpleQueue()
        waiting, flights = iter(requests), list[Flight]()
        try:
            while self._fill_up(flights, waiting, told):
                for flight in [one for one in flights if not is_wanted(one.request.key)]:
                    # A server that says nothing yet can't be broken off: nobody waits until it does.
                    flight.stop()
                    flights.remove(flight)
                    yield Stopped(flight.request.key)
                try:
                    flight, event = told.get(timeout=WANTED_SECONDS)
                except Empty:
                    continue
                if flight.stopped.is_set():
                    continue
                if isinstance(event, BaseException):
                    raise event
                if not isinstance(event, Token):
                    flights.remove(flight)
                yield event
        finally:
            for flight in flights:
                flight.stop()

    def _fill_up(self, flights: list[Flight], waiting: Iterator[GenerationRequest], told: Told) -> bool:
        """Whether any is on its way then."""
        while len(flights) < self._settings.num_in_flight:
            request = next(waiting, None)
            if request is None:
                break
            flight = Flight(request)
            flights.append(flight)
            # Daemons: one that waits for a silent server must not keep the process from ending.
            threading.Thread(target=self._fly, args=(flight, told), name="endpoint", daemon=True).start()
        return bool(flights)

    def _fly(self, flight: Flight, told: Told) -> None:
        flight.started = time.monotonic()
        try:
            with flight.within_its_time():
                told.put((flight, self._answer(flight, told)))
        except TakenBack:
            pass
        except Refused as refusal:
            told.put((flight, Failed(flight.request.key, str(refusal))))
        except BaseException as error:  # handed to the thread that waits for it
            told.put((flight, error))

    def _answer(self, flight: Flight, told: Told) -> Done:
        request, settings = flight.request, self._settings
        picture = self._picture(request)
        freely = body_of(request, picture, model=settings.served_model)
        clock, size = TextClock(request), (0, 0) if picture is None else picture.size

        def tell(answer: Answer) -> None:
            is_due = clock.is_due(answer.num_tokens)
            so_far = SoFar(answer.text_so_far, size) if is_due else None
            told.put((flight, Token(request.key, answer.num_tokens, so_far)))

        answer, is_shaped = self._tried(flight, freely, tell), False
        if settings.shape is not None and answer.ended == "stop" and not settings.shape.fits(answer.text):
            again = body_of(request, picture, model=settings.served_model, regex=settings.shape.regex)
            try:
                answer, is_shaped = self._tried(flight, again, tell), True
            except Refused:
                pass  # it holds no text to a shape, or no time is left: what it wrote freely is kept
        if answer.ended == "filtered":
            raise Refused(
                "The server's filter kept its answer back. Ask otherwise, or serve the model yourself."
            )
        return Done(
            key=request.key,
            text=answer.text,
            prompt=request.prompt,
            num_tokens=answer.num_tokens,
            seconds=time.monotonic() - flight.started,
            model_size=size,
            ended="length" if answer.ended == "length" else "stop",
            num_prompt_tokens=answer.num_prompt_tokens,
            is_shaped=is_shaped,
        )

    def _picture(self, request: GenerationRequest) -> Image.Image | None:
        """None where the question comes alone."""
        if request.film is None:
            return None
        settings = self._settings
        try:
            return prepare_image(
                request.film,
                preparation=settings.preparation,
                min_pixels=settings.min_pixels,
                max_pixels=settings.max_pixels,
                factor=settings.size_multiple,
            )
        except ValueError as error:
            raise Refused(str(error)) from error

    def _tried(self, flight: Flight, body: dict[str, Any], tell: Callable[[Answer], None]) -> Answer:
        """Asked until it is answered, at most `most_tries` times, with waits that double."""
        num_tries = 0
        while True:
            num_tries += 1
            try:
                return self._connection.ask(flight, body, tell)
            except TryAgain as failure:
                flight.require_wanted()
                if num_tries >= self._settings.most_tries:
                    raise Refused(
                        f"{failure} It was asked {num_tries} times. See whether the server runs, then retry."
                    ) from None
                wait = wait_seconds(num_tries, failure.headers, first=self._settings.first_wait_seconds)
                left = flight.seconds_left()
                if left is not None and wait >= left:
                    raise flight.late() from None
                if flight.stopped.wait(wait):
                    raise TakenBack from None
