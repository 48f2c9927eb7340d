"""pandas, where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deepmedix_client.errors import DeepMedixError


def required_pandas() -> Any:
    """Raises DeepMedixError with the way out where it is not installed."""
    try:
        return import_module("pandas")
    except ImportError:
        raise DeepMedixError('Install pandas first: pip install "deepmedix-client[pandas]".') from None
