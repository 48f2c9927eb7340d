"""Which model servers may be sent films: those on this machine, and origins that an operator has named."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from inference.engines.requests import EngineError


def require_allowed(url: str, *, origins: Collection[str] = (), this_machine: bool = True) -> str:
    """The address without a slash at its end. Raises EngineError, saying what to do, for any other. Not
    `this_machine`: what runs here must be named as well, for who gives the address is not who runs it.

    An origin is scheme, host and port, such as `https://models.example.org`.

    >>> require_allowed("http://127.0.0.1:8000/v1/")
    'http://127.0.0.1:8000/v1'
    """
    try:
        origin, named = _origin(url), {_origin(one) for one in origins}
    except ValueError as error:
        raise EngineError(
            f"{error} is no address of a model server. Name where its API begins, such as "
            "http://127.0.0.1:8000/v1."
        ) from None
    if origin not in named and not (this_machine and _is_on_this_machine(origin[1])):
        allowed = ", ".join(sorted(origins)) or "none yet"
        raise EngineError(
            f"Films may not be sent to {origin[1]}. Whoever runs this installation names where they may go, "
            f"in INFERENCE_ENDPOINTS: {allowed}."
        )
    return url.rstrip("/")


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError, with what may be shown of it, for what has none."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise ValueError(parts.hostname or "this") from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        raise ValueError(parts.hostname or "this")
    return parts.scheme, parts.hostname.lower(), port or (443 if parts.scheme == "https" else 80)


def _is_on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
