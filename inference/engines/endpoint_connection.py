"""Sends one request to a model server and reads what it streams back; says whether another try may help."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests
import urllib3

from inference.engines.addresses import require_allowed
from inference.engines.chat_protocol import (
    CHARACTERS_PER_TOKEN,
    Answer,
    BrokenOff,
    NotTheProtocol,
    ToldByServer,
    TooLong,
    data_of,
)
from inference.engines.endpoint_flight import Flight, Refused, TryAgain
from inference.engines.requests import EndpointSettings, EngineError
from inference.engines.retries import WORTH_ANOTHER_TRY

# To connect, and at most between two pieces of an answer where a request names no deadline; its wait in the
# server's queue counts too.
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 600.0
_PIECE_BYTES = 64 * 1024
_LONGEST_REASON = 300


class EndpointConnection:
    """Raises EngineError where films may not be sent to the address, or no model is named."""

    def __init__(self, settings: EndpointSettings) -> None:
        allowed = require_allowed(
            settings.url, origins=settings.origins, this_machine=settings.allows_this_machine
        )
        self._url = f"{allowed}/chat/completions"
        if not settings.served_model:
            raise EngineError("Name the model as its server names it: its /v1/models lists them.")
        self._settings = settings

    def ask(self, flight: Flight, body: dict[str, Any], tell: Callable[[Answer], None]) -> Answer:
        """`tell` is given what has come so far, at each token. Raises Refused, TryAgain, TakenBack."""
        flight.require_wanted()
        left = flight.seconds_left()
        silence = SILENCE_SECONDS if left is None else max(left, 0.001)
        with requests.Session() as session:
            # No proxy and no password of the account that this runs under.
            session.trust_env = False
            session.verify = self._settings.ca_file or True
            try:
                response = session.post(
                    self._url,
                    json=body,
                    headers=self._headers(),
                    timeout=(min(CONNECT_SECONDS, silence), silence),
                    stream=True,
                    allow_redirects=False,
                )
            # Its errors may quote the address or what was sent: none of them goes on.
            except requests.exceptions.SSLError:
                raise Refused(
                    "The certificate of the model server is not trusted. Name its authority's file."
                ) from None
            except (requests.exceptions.RequestException, OSError):
                raise TryAgain("The model server can't be reached.") from None
            with response:
                flight.response = response
                try:
                    flight.require_wanted()
                    self._check(response)
                    return _read(flight, response, tell)
                finally:
                    flight.response = None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "text/event-stream"}
        if self._settings.key:
            headers["Authorization"] = f"Bearer {self._settings.key}"
        return headers

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status == 200:
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise _not_the_protocol()
            return
        if status == 429:
            raise TryAgain("The model server has too much to do (429).", response.headers)
        if status in WORTH_ANOTHER_TRY:
            raise TryAgain(f"The model server answered with an error ({status}).", response.headers)
        if 300 <= status < 400:
            raise Refused(
                "The model server sends on to another address, which is not followed. Name that one itself."
            )
        if status in (401, 403):
            raise Refused(f"The model server refuses the key ({status}). Look at {self._settings.key_name}.")
        if status == 404:
            raise Refused(
                f"The model server has no model named {self._settings.served_model}, or its API begins "
                "elsewhere (404). Look at its /v1/models."
            )
        raise Refused(f"The model server refuses the request ({status}){self._words_of(response)}.")

    def _words_of(self, response: requests.Response) -> str:
        """What it says of why, cut short and without the key."""
        try:
            told = json.loads(response.raw.read(_PIECE_BYTES, decode_content=True))
            words = str(told["error"]["message"])
        except (ValueError, KeyError, TypeError, RecursionError, OSError, urllib3.exceptions.HTTPError):
            return ""
        if self._settings.key:
            words = words.replace(self._settings.key, "…")
        words = "".join(sign if sign.isprintable() else " " for sign in words)[:_LONGEST_REASON]
        return f": {words}" if words.strip() else ""


def _read(flight: Flight, response: requests.Response, tell: Callable[[Answer], None]) -> Answer:
    answer = Answer(most_characters=(flight.request.max_new_tokens + 100) * CHARACTERS_PER_TOKEN)

    def read() -> bytes:
        try:
            return bytes(response.raw.read1(_PIECE_BYTES, decode_content=True))
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            raise BrokenOff from None

    try:
        for data in data_of(read):
            flight.require_wanted()
            if answer.take(data):
                tell(answer)
            if answer.is_whole:
                break
    except BrokenOff:
        pass
    except NotTheProtocol:
        raise _not_the_protocol() from None
    except TooLong:
        raise Refused(
            f"The model server wrote on past the {flight.request.max_new_tokens} tokens that it was asked "
            "for, so it was stopped. Its model or its settings are at fault: see that it heeds max_tokens."
        ) from None
    except ToldByServer:
        raise TryAgain("The model server broke off with an error of its own.") from None
    flight.require_wanted()
    if not answer.ended:
        raise TryAgain("The connection to the model server was lost in the middle.")
    return answer


def _not_the_protocol() -> Refused:
    return Refused(
        "What answers at the model server's address does not speak the OpenAI chat protocol. Look at the "
        "address: it mostly ends in /v1."
    )
