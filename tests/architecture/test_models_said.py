"""The page on models says what the code does."""

from pathlib import Path

import pytest

from inference.presets_said import said_dialects, said_presets, said_sources

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "models.md"


@pytest.mark.parametrize("said", [said_presets, said_sources, said_dialects])
def test_the_tables_of_models_are_those_that_the_code_makes(said):
    assert said() in PAGE.read_text("utf-8")
