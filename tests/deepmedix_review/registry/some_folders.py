"""Folders as a person lays them down to be registered."""

import json
from pathlib import Path

from inference.presets import PRESETS
from tests.deepmedix_review.registry.test_services import write_files

# As Hugging Face names a revision.
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def a_model(folder: Path, preset: str, content: str = "one") -> Path:
    write_files(folder, content)
    told = {"architectures": [PRESETS[preset].transformers_class]}
    (folder / "config.json").write_text(json.dumps(told))
    return folder
