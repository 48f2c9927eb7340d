"""No way round reading the film earns what reading it earns, and the reference tells by how much."""

import re

import pytest

from inference.phantoms import SITES
from tests.home import ROOT
from tests.rl_feedback.rewards.shortcuts import means

PAGE = ROOT / "docs" / "reference" / "rewards.md"


@pytest.mark.parametrize("site", sorted(SITES))
def test_every_way_round_reading_earns_far_less_than_reading(site: str) -> None:
    (_, perfect), *others = means(site, num_films=30).values()
    assert perfect > 0.95
    assert max(ours for _, ours in others) < perfect - 0.2


def test_the_reference_tells_what_each_way_earns() -> None:
    row = r"^\| ([a-z][^|]+) \|" + r" ([\d.]+) \|" * 4 + "$"
    told = re.findall(row, PAGE.read_text("utf-8"), re.MULTILINE)
    measured = [means(site, num_films=100) for site in sorted(SITES)]
    assert [row[0] for row in told] == list(measured[0])
    for way, *figures in told:
        paid = [value for site in measured for value in site[way]]
        assert [float(figure) for figure in figures] == pytest.approx(paid, abs=0.002)
