"""Which model servers may be sent films: those on this machine, and origins that an operator has named."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from inference.engines.requests import EngineError

_PORTS = {"https": 443, "http": 80}


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
        raise EngineError(f"{error} Name where its API begins, such as http://127.0.0.1:8000/v1.") from None
    if origin not in named and not (this_machine and _is_on_this_machine(origin[1])):
        allowed = ", ".join(sorted(origins)) or "none yet"
        raise EngineError(
            f"Nothing may be sent to {_place(origin)}. Whoever runs this installation names where films and "
            f"reports may go, in INFERENCE_ENDPOINTS: {allowed}."
        )
    return url.rstrip("/")


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError for what has none, with a sentence that holds no password."""
    parts = urlsplit(url)
    none_such = f"{parts.hostname or 'This'} is no address of a model server."
    try:
        port = parts.port
    except ValueError:
        raise ValueError(none_such) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(none_such)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError(
            "No user name, password, query (?) or fragment (#) may be in the address of a model server; a "
            "key lies in a file."
        )
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme]


def _place(origin: tuple[str, str, int]) -> str:
    """The host as people write it, and its port."""
    _, host, port = origin
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
