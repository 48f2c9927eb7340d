"""What tests of an installation share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home folder, open to no other account but outside pytest's own, whose permissions other runs
    reset while a server of another account works in it."""
    with tempfile.TemporaryDirectory(prefix="dm-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
