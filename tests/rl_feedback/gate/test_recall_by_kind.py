"""A candidate that names more findings than its parent and lost one kind is held for that kind, by name."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from rl_feedback.gate import POLICIES, BenchmarkScores, GateOutcome, Policy, Suite, Verdict, decide
from rl_feedback.gate.built_in import FEWEST_OF_A_KIND
from rl_feedback.gate.policy import (
    KIND_RECALL,
)
from rl_feedback.phantom_figures import aggregate, both_case_scores
from tests.factories.kinds import COMMON, NUM_FILMS, drawn, films_with, read

# Sealed films alone: canaries, twins and steps are not of the kinds.
POLICY = replace(POLICIES[-1], guards=POLICIES[-1].of(Suite.SEALED))
BEFORE = replace(POLICIES[2], guards=POLICIES[2].of(Suite.SEALED))


def gate(parent: Collection[int], candidate: Collection[int], policy: Policy = POLICY) -> GateOutcome:
    scores = both_case_scores(read(parent), read(candidate))
    return decide([BenchmarkScores("the second site", *scores)], policy=policy)


# The parent misses eight in ten cavities and one in ten nodules.
PARENT = drawn("cavity", 0.8, 1) | drawn("nodule", 0.1, 2)
LOST_NODULES = drawn("nodule", 0.4, 2)


def test_one_that_gained_cavities_and_lost_nodules_is_held_for_nodules_alone() -> None:
    outcome = gate(PARENT, LOST_NODULES)
    assert not outcome.passed
    assert {row.figure for row in outcome.comparisons if row.counts_against} == {"nodule_recall"}
    assert outcome.sentence.startswith("Held. Nodule recall fell by 0.300 (")
    assert "more than the margin of 0.15" in outcome.sentence
    found = {row.figure: row for row in outcome.comparisons}
    assert found["lesion_recall"].improved
    assert found["cavity_recall"].improved
    nodules = found["nodule_recall"]
    assert (round(nodules.parent, 3), round(nodules.candidate, 3)) == (0.9, 0.6)
    assert (nodules.num_findings, nodules.num_cases) == (40, NUM_FILMS)
    assert nodules.low < nodules.difference < nodules.high < 0
    assert gate(PARENT, LOST_NODULES, BEFORE).passed


@pytest.mark.parametrize("kind", COMMON)
def test_a_loss_of_any_kind_holds_by_the_figure_of_that_kind(kind: str) -> None:
    outcome = gate((), drawn(kind, 0.3, 4))
    against = [row.figure for row in outcome.comparisons if row.counts_against and row.num_findings]
    assert against == [KIND_RECALL[kind]]


def test_an_honest_one_that_misses_other_films_of_the_same_kinds_passes() -> None:
    outcome = gate(PARENT, drawn("cavity", 0.4, 3) | drawn("nodule", 0.1, 5))
    assert outcome.passed, outcome.sentence


def test_too_few_of_a_kind_are_shown_and_decide_nothing() -> None:
    outcome = gate((), films_with("pneumothorax"), replace(POLICY, guards=POLICY.guards[:7]))
    lost = next(row for row in outcome.comparisons if row.figure == "pneumothorax_recall")
    assert lost.num_findings == 10 < FEWEST_OF_A_KIND
    assert (lost.parent, lost.candidate, lost.verdict) == (1.0, 0.0, Verdict.TOO_FEW)
    assert not lost.counts_against
    assert (lost.num_findings, lost.note) == (10, "10 findings, 30 needed")
    assert "pneumothorax" not in outcome.sentence.lower()
    back = gate(films_with("pneumothorax"), (), replace(POLICY, guards=POLICY.guards[:7]))
    assert not next(row for row in back.comparisons if row.figure == "pneumothorax_recall").improved


def test_a_kind_that_no_film_shows_is_not_compared_and_one_that_was_not_counted_opens_no_gate() -> None:
    none = [replace(score, found_by_kind=()) for score in read(())]
    scores = both_case_scores(none, none)
    outcome = decide([BenchmarkScores("the first site", *scores)], policy=POLICY)
    assert not any(row.num_findings for row in outcome.comparisons)
    assert not set(KIND_RECALL.values()) & set(aggregate(none))
    before, after = scores
    lacking = {name: one for name, one in after.items() if name != "nodule_recall"}
    with pytest.raises(ValueError, match="lacks the guarded figure nodule_recall"):
        decide([BenchmarkScores("the first site", before, lacking)], policy=POLICY)
    with pytest.raises(ValueError, match="counted on other findings"):
        decide([BenchmarkScores("b", both_case_scores(read(()), none)[0], after)], policy=POLICY)
