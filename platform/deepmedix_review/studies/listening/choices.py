"""What a listener is told by the settings: its name, where it listens, and whom it lets in."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.profiles import profile_named

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# PS3.5, table 6.2-1: 16 plain characters, no backslash, not spaces alone.
_AE_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
_RANGES = {
    "DICOM_PORT": (1, 65535),
    "DICOM_MAX_ASSOCIATIONS": (1, 1000),
    "DICOM_MAX_PDU_BYTES": (4096, 1024**2),
    "DICOM_IDLE_SECONDS": (1, 3600),
}


class CannotListen(Exception):
    """A setting is wrong, or the address is taken; the message names the way out."""


@dataclass(frozen=True)
class Choices:
    """`callers`: AE titles of those who may call; empty lets any title call, from `peers` alone. `profiles`:
    of de-identification, by AE title of the caller; who is not in it has the site's own."""

    ae_title: str
    host: str
    port: int
    peers: tuple[Network, ...]
    callers: tuple[str, ...]
    profiles: Mapping[str, str]
    max_associations: int
    max_pdu_bytes: int
    idle_seconds: int

    def lets_in(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return any(peer.version == network.version and peer in network for network in self.peers)


def read_choices(told: Mapping[str, str]) -> Choices:
    """`told`: settings by name, as people write them. Raises CannotListen."""
    numbers = {name: _number(name, told[name]) for name in _RANGES}
    choices = Choices(
        ae_title=_ae_title("DICOM_AE_TITLE", told["DICOM_AE_TITLE"]),
        host=_host(told["DICOM_HOST"]),
        port=numbers["DICOM_PORT"],
        peers=tuple(map(_network, _listed(told["DICOM_PEERS"]))),
        callers=tuple(_ae_title("DICOM_CALLERS", one) for one in _listed(told["DICOM_CALLERS"])),
        profiles=dict(map(_profile, _listed(told["DICOM_PROFILES"]))),
        max_associations=numbers["DICOM_MAX_ASSOCIATIONS"],
        max_pdu_bytes=numbers["DICOM_MAX_PDU_BYTES"],
        idle_seconds=numbers["DICOM_IDLE_SECONDS"],
    )
    if not choices.peers:
        raise CannotListen("DICOM_PEERS names nobody who may send. Name addresses or networks, with commas.")
    if choices.callers and (unheard := set(choices.profiles) - set(choices.callers)):
        raise CannotListen(
            f"DICOM_PROFILES names {sorted(unheard)[0]}, which DICOM_CALLERS does not let call. Mend one of "
            "the two."
        )
    is_open = not ipaddress.ip_address(choices.host).is_loopback
    if is_open and all(network.is_loopback for network in choices.peers):
        raise CannotListen(
            f"DICOM_HOST opens the listener to a network ({choices.host}), and DICOM_PEERS lets this machine "
            "alone in. Name the addresses of the PACS and modalities in DICOM_PEERS."
        )
    return choices


def _listed(told: str) -> Sequence[str]:
    return [one.strip() for one in told.split(",") if one.strip()]


def _ae_title(name: str, told: str) -> str:
    if not _AE_TITLE.fullmatch(told):
        raise CannotListen(
            f"{name} holds what is no AE title: {told!r}. Give 1 to 16 plain characters without a backslash."
        )
    return told.strip()


def _profile(told: str) -> tuple[str, str]:
    title, _, name = told.partition("=")
    try:
        return _ae_title("DICOM_PROFILES", title.strip()), profile_named(name.strip()).name
    except RefusedByRule as refusal:
        raise CannotListen(
            f"DICOM_PROFILES holds {told!r}. Write AE title=profile, with commas between several. {refusal}"
        ) from refusal


def _host(told: str) -> str:
    try:
        return str(ipaddress.ip_address(told.strip()))
    except ValueError as error:
        raise CannotListen(
            f"DICOM_HOST is no address: {told!r}. Give 127.0.0.1, or one of this machine's in the network."
        ) from error


def _network(told: str) -> Any:
    try:
        return ipaddress.ip_network(told)
    except ValueError as error:
        raise CannotListen(
            f"DICOM_PEERS holds what is no address or network: {told!r}. Give 10.1.2.3 or 10.1.2.0/24, with "
            "commas between several."
        ) from error


def _number(name: str, told: str) -> int:
    least, most = _RANGES[name]
    if not re.fullmatch(r"[0-9]{1,9}", told.strip()) or not least <= int(told) <= most:
        raise CannotListen(f"{name} is {told!r}. Give a number from {least} to {most}.")
    return int(told)
