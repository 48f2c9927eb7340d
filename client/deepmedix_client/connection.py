"""One connection: who asks, what is asked again, and what a refusal becomes."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from deepmedix_client.errors import OF_STATUS, ApiError, DeepMedixError

VARIABLE = "DEEPMEDIX_TOKEN"
# Connecting and waiting for the first byte, in seconds.
TIMEOUT = (10.0, 120.0)
_MOST_WORDS = 500


class Connection:
    """Speaks JSON with the platform. Raises ApiError by status, DeepMedixError where nothing answers."""

    def __init__(self, url: str, *, token: str | None, insecure: bool) -> None:
        self._url = url.rstrip("/")
        _require_safe(self._url, insecure=insecure)
        token = token or os.environ.get(VARIABLE, "")
        if not token:
            raise DeepMedixError(
                f"No token. Make one on the page API tokens, and give it as token=… or in {VARIABLE}."
            )
        self._requests = requests.Session()
        self._requests.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        # What only reads may be asked again; what changes something is sent once.
        again = Retry(
            total=4, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods=("GET", "HEAD")
        )
        for scheme in ("http://", "https://"):
            self._requests.mount(scheme, HTTPAdapter(max_retries=again))

    def get(self, path: str, **parameters: Any) -> Any:
        told = {name: value for name, value in parameters.items() if value not in (None, "")}
        return self._said("GET", path, params=told)

    def post(self, path: str, said: Mapping[str, Any] | None = None) -> Any:
        return self._said("POST", path, json=said or {})

    def delete(self, path: str) -> Any:
        return self._said("DELETE", path)

    def send_files(self, path: str, *, files: Any, said: Mapping[str, str]) -> Any:
        return self._said("POST", path, files=files, data=said)

    def fetch(self, path: str, *, first: int, etag: str) -> requests.Response:
        """The bytes from `first` on, as a stream; whole where the file is another one by now."""
        headers = {"Accept": "*/*"}
        if first:
            headers |= {"Range": f"bytes={first}-", "If-Range": f'"{etag}"'}
        return self._asked("GET", path, headers=headers, stream=True)

    def pages(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Rows of every page, newest first; a page is asked for when it is needed."""
        before: int | None = None
        while True:
            page = self.get(path, before=before, **parameters)
            yield from page["results"]
            before = page["next_before"]
            if before is None:
                return

    def _said(self, method: str, path: str, **told: Any) -> Any:
        answer = self._asked(method, path, **told)
        if answer.status_code == requests.codes.no_content:
            return None
        try:
            return answer.json()
        except requests.JSONDecodeError as error:
            raise DeepMedixError(
                f"{self._url} answers, but not as the platform does. Is the address right?"
            ) from error

    def _asked(self, method: str, path: str, **told: Any) -> requests.Response:
        try:
            # A redirect would be asked of another address than the one that was named.
            answer = self._requests.request(
                method, self._url + path, timeout=TIMEOUT, allow_redirects=False, **told
            )
        except requests.RequestException as error:
            raise DeepMedixError(
                f"{self._url} does not answer ({type(error).__name__}). Is the address right, and does the "
                "platform run?"
            ) from error
        if 300 <= answer.status_code < 400:
            raise DeepMedixError(
                f"{self._url} answers from another address. Give the one that the browser shows, with https "
                "where it has it."
            )
        if answer.status_code >= 400:
            raise OF_STATUS.get(answer.status_code, ApiError)(answer.status_code, _sentence(answer))
        return answer


def _require_safe(url: str, *, insecure: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise DeepMedixError(f"{url!r} is no address. Give one like https://review.example.org.")
    if parts.scheme == "http" and not insecure and not _is_this_machine(parts.hostname):
        raise DeepMedixError(
            "Over http:// everybody on the way can read the token and the data. Use https://, or say "
            "insecure=True where the way is safe."
        )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sentence(answer: requests.Response) -> str:
    """What the platform said, whatever shape it has; of an error page only that there is one."""
    try:
        said = answer.json()
    except ValueError:
        return f"The platform answered {answer.status_code} without a word ({answer.reason})."
    return "; ".join(_words(said))[:_MOST_WORDS] or f"The platform answered {answer.status_code}."


def _words(said: Any, name: str = "") -> Iterator[str]:
    if isinstance(said, Mapping):
        for key, value in said.items():
            yield from _words(value, "" if key in ("detail", "non_field_errors") else str(key))
    elif isinstance(said, list):
        for one in said:
            yield from _words(one, name)
    else:
        yield f"{name}: {said}" if name else str(said)
