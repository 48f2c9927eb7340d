"""The page on de-identification says what the code does."""

from pathlib import Path

from deepmedix_review.studies.intake.profiles import PROFILES
from deepmedix_review.studies.intake.profiles_said import said_attributes, said_codes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "de-identification.md"


def test_the_tables_of_profiles_are_those_that_the_code_makes():
    page = PAGE.read_text("utf-8")
    assert said_codes() in page
    assert said_attributes() in page
    assert all(f"`{name}`" in page for name in PROFILES)
