"""Registers a model that another server runs: its address, its name there, and how it is asked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import key_names
from deepmedix_review.registry.services import asked_as, lock_registry, next_number
from deepmedix_review.registry.wanted import WantedVersion
from inference.engines import EngineError
from inference.engines.addresses import require_allowed

LONGEST_URL, LONGEST_SERVED_MODEL = 500, 200


@dataclass(frozen=True)
class RegisteredServer:
    """`has_other_key`: it was here before, with another key file."""

    version: ModelVersion
    is_new: bool
    has_other_key: bool = False

    @property
    def sentence(self) -> str:
        version = self.version
        if self.is_new:
            return f"{version} is registered. Ask it once to see whether it answers."
        if not self.has_other_key:
            return f"That is {version} already."
        if not version.key_name:
            return f"That is {version} already; it has no key file now."
        return f"That is {version} already; its key file is now {version.key_name}."


def register_endpoint(
    *, url: str, served_model: str, key_name: str, wanted: WantedVersion, actor: User | None
) -> RegisteredServer:
    """A version whose model another server runs. The same server, name, revision at Hugging Face and way of
    asking give the version that there is, with this key from now on. Raises RefusedByRule where films may
    not be sent there."""
    if actor is not None:
        require(actor, Capability.REGISTER_MODELS)
    preset = wanted.settings()
    url, served_model = require_endpoint(url.strip()), served_model.strip()
    if not 1 <= len(served_model) <= LONGEST_SERVED_MODEL or not served_model.isprintable():
        raise RefusedByRule("Name the model as its server names it: its /v1/models lists them.")
    require_key_of(url, key_name)
    weights = wanted.fetched_from()
    named = {
        "source": ModelVersion.Source.ENDPOINT,
        "endpoint_url": url,
        "served_model": served_model,
        **weights,
    }
    with transaction.atomic():
        lock_registry()
        known = ModelVersion.objects.filter(**named, **asked_as(preset)).first()
        if known is not None:
            return RegisteredServer(
                known, is_new=False, has_other_key=_change_key(known, key_name, actor=actor)
            )
        version = ModelVersion.objects.create(
            name=preset.name,
            number=next_number(),
            sha256=_name_sha256(named),
            licence=preset.licence,
            limits=preset.limits,
            key_name=key_name,
            **named,
            **asked_as(preset),
        )
        record_event(
            actor=actor,
            action="register_model",
            subject=version,
            details={
                "number": version.number,
                "source": "endpoint",
                **{name: said for name, said in weights.items() if said},
            },
        )
    return RegisteredServer(version, is_new=True)


def require_endpoint(url: str) -> str:
    """The address as it is kept. Raises RefusedByRule for one that no operator has named."""
    if len(url) > LONGEST_URL:
        raise RefusedByRule(f"An address has at most {LONGEST_URL} characters.")
    try:
        return require_allowed(url, origins=settings.INFERENCE_ENDPOINTS, this_machine=False)
    except EngineError as error:
        raise RefusedByRule(str(error)) from error


def require_key_of(url: str, key_name: str) -> None:
    """A key goes to the server that its operator laid it down for: whoever registers a model could else have
    it sent to another."""
    if not key_name:
        return
    server = urlsplit(url).netloc.lower()
    if key_name not in key_names():
        raise RefusedByRule(
            f"There is no key file {key_name}. Whoever runs this installation lays it into "
            f"ENDPOINT_KEY_FOLDER, into a folder {server}; here only its name is said."
        )
    if key_name.partition("/")[0].lower() != server:
        raise RefusedByRule(f"The key file {key_name} was laid down for another server than {server}.")


def _change_key(version: ModelVersion, key_name: str, *, actor: User | None) -> bool:
    """Whether it had another one."""
    if version.key_name == key_name:
        return False
    version.key_name = key_name
    version.save(update_fields=["key_name"])
    record_event(actor=actor, action="change_model_key", subject=version, details={"number": version.number})
    return True


def _name_sha256(named: Mapping[str, Any]) -> str:
    told = json.dumps({name: str(value) for name, value in named.items() if value}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
