"""Which clusters may be sent films and code: those on this machine, and hosts that an operator has named."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def require_allowed(address: str, *, hosts: Collection[str] = ()) -> str:
    """The address of Ray's job API, checked. Raises ValueError, saying what to do, for any other.

    >>> require_allowed("http://127.0.0.1:8265")
    'http://127.0.0.1:8265'
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError(
            f"{parts.hostname or address} is no address of a Ray cluster. "
            "Name its job API, such as http://127.0.0.1:8265."
        )
    if parts.hostname not in hosts and not _is_on_this_machine(parts.hostname):
        raise ValueError(
            f"{parts.hostname} is not among the hosts that films may be sent to. "
            "Name it in RAY_HOSTS if it is yours."
        )
    return address


def _is_on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
