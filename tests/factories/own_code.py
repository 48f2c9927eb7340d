"""A tiny model folder whose class is Python of its own, which leaves a mark wherever it runs."""

import json
from pathlib import Path

from tests.factories.families import write_tiny_model

CONFIGURATION = """
from transformers import LlavaConfig

with open({mark!r}, "a") as mark:
    mark.write("ran\\n")


class OwnConfig(LlavaConfig):
    model_type = "own_code"
"""
MODELING = """
from transformers import LlavaForConditionalGeneration

from .configuration_own import OwnConfig


class OwnModel(LlavaForConditionalGeneration):
    config_class = OwnConfig
"""


def write_model_with_own_code(folder: Path, *, mark: Path) -> Path:
    """`mark` is written wherever its code runs."""
    write_tiny_model("llava", folder)
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config |= {
        "model_type": "own_code",
        "architectures": ["OwnModel"],
        "auto_map": {
            "AutoConfig": "configuration_own.OwnConfig",
            "AutoModelForImageTextToText": "modeling_own.OwnModel",
        },
    }
    path.write_text(json.dumps(config))
    (folder / "configuration_own.py").write_text(CONFIGURATION.format(mark=str(mark)))
    (folder / "modeling_own.py").write_text(MODELING)
    return folder
