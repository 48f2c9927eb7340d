"""A patient's side of the split: the same by Python and by SQL, in every collection, and by the shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.collecting.split import Shares, patient_draw, side_of, side_of_patient
from deepmedix_review.studies.models import Split, Study
from tests.factories.studies import StudyFactory

pseudonyms = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=1, max_size=14)
shares = st.integers(0, 100).flatmap(
    lambda train: st.integers(0, 100 - train).map(lambda tune: Shares(train, tune, 100 - train - tune))
)


@given(pseudonyms, shares)
def test_a_side_is_decided_by_where_the_draw_lies_between_the_borders(pseudonym: str, dealt: Shares) -> None:
    draw = patient_draw(pseudonym)
    sides = [Split.TRAIN] * dealt.train + [Split.TUNE] * dealt.tune + [Split.TEST] * dealt.test
    assert side_of(pseudonym, shares=dealt) == sides[draw]


@given(pseudonyms, shares)
def test_a_patient_moves_only_where_a_border_moved(pseudonym: str, dealt: Shares) -> None:
    """Who is tested by the usual shares is trained on by no collection that keeps as much for the test."""
    usual = side_of(pseudonym, shares=Shares())
    if usual == Split.TEST and dealt.test >= Shares().test:
        assert side_of(pseudonym, shares=dealt) == Split.TEST
    if usual == Split.TRAIN and dealt.train >= Shares().train:
        assert side_of(pseudonym, shares=dealt) == Split.TRAIN


def test_shares_that_do_not_come_to_a_hundred_are_refused() -> None:
    for wrong in ((70, 10, 10), (110, -10, 0), (0, 0, 0)):
        with pytest.raises(RefusedByRule, match="Make train, tune and test 100 %"):
            Shares(*wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("dealt", [Shares(), Shares(0, 0, 100), Shares(50, 0, 50), Shares(0, 100, 0)])
def test_the_database_deals_as_python_does(dealt: Shares) -> None:
    for number in range(60):
        StudyFactory.create(patient_pseudonym=f"P-{number:010d}", study_instance_uid=f"1.{number}")
    found = Study.objects.annotate(side=side_of_patient(dealt)).values_list("patient_pseudonym", "side")
    expected = [(name, str(side_of(name, shares=dealt))) for name, _ in found]
    assert list(found) == expected


def test_sides_are_close_to_the_shares_and_differ_between_installations(settings: Settings) -> None:
    names = [f"P-{number:06d}" for number in range(20_000)]
    settings.DEIDENTIFICATION_KEY = "one key of a fixed installation"
    one = [side_of(name, shares=Shares()) for name in names]
    for side, share in ((Split.TRAIN, 0.7), (Split.TUNE, 0.1), (Split.TEST, 0.2)):
        assert abs(one.count(side) / len(names) - share) < 0.015
    settings.DEIDENTIFICATION_KEY = "another key"
    other = [side_of(name, shares=Shares()) for name in names]
    agree = sum(a == b for a, b in zip(one, other, strict=True)) / len(names)
    # By chance alone: 0.7² + 0.1² + 0.2².
    assert abs(agree - 0.54) < 0.02
