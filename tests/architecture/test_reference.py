"""The reference names every setting, command, task, address and benchmark that the code has, and no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from benchmarks.__main__ import names
from rl_feedback.engines.placement import Placement
from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.training.config import CONFIGS
from rl_feedback.training.examples import (
    JudgedText,
    KeptText,
    RatedStep,
    RewardedCase,
    SampledFilm,
    TaughtText,
    TrainingPair,
    ValidationCase,
)
from rl_feedback.training.stages import STAGES

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def named_in(page: str) -> set[str]:
    """The names in the first column of a page's tables."""
    rows = (REFERENCE / page).read_text("utf-8").splitlines()
    return {found[1] for row in rows if (found := re.match(r"\| `([^`]+)`", row))}


def settings_read() -> set[str]:
    config = ROOT / "platform" / "deepmedix_review" / "config"
    sources = "".join((config / name).read_text("utf-8") for name in ("settings.py", "home.py"))
    return set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", sources)) | {"DATABASE_URL"}


def own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if app.startswith("deepmedix_review")}


def own_tasks() -> set[str]:
    current_app.loader.import_default_modules()
    return {name for name in current_app.tasks if name.startswith("deepmedix_review")}


def own_addresses(resolver: URLResolver | None = None, before: str = "/") -> set[str]:
    found: set[str] = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            found.add(re.sub(r"<\w+:(\w+)>", r"<\1>", address))
        else:
            found |= own_addresses(pattern, address)
    return found


def benchmarks() -> set[str]:
    return set(names())


def of_training() -> set[str]:
    """Stages, files of a data folder, and every choice of every stage and engine."""
    kinds = (
        *(TaughtText, KeptText, TrainingPair, JudgedText, RatedStep),
        *(RewardedCase, ValidationCase, SampledFilm),
    )
    choices = {name for config in CONFIGS.values() for name in config.explained()}
    choices |= {field.name for field in fields(Placement)}
    return choices | set(STAGES) | {kind.file for kind in kinds}


def measures() -> set[str]:
    return {name for of_task in MEASURES.values() for name in of_task}


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("settings.md", settings_read),
        ("commands.md", own_commands),
        ("tasks.md", own_tasks),
        ("addresses.md", own_addresses),
        ("benchmarks.md", benchmarks),
        ("training.md", of_training),
        ("metrics.md", measures),
    ],
)
def test_the_reference_names_what_the_code_has_and_nothing_else(page, code):
    assert named_in(page) == code()
