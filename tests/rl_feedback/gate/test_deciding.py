"""The gate holds what got worse, says so by name, and is not fooled by answers that improve as lesions
vanish."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_feedback.gate import (
    POLICIES,
    BenchmarkScores,
    CaseScores,
    Direction,
    Guard,
    Policy,
    Suite,
    Verdict,
    compare_figure,
    decide,
)
from rl_feedback.gate.meanings import meaning
from rl_feedback.gate.sentence import with_place

NUM_CASES = 200
# Figures of sealed films alone.
POLICY = POLICIES[0]


def scores(**changes: CaseScores) -> dict[str, CaseScores]:
    """A version that gets nine in ten of everything right, except for what is given."""
    rng = np.random.default_rng(3)
    figures = {}
    for guard in POLICY.guards:
        values = (rng.random(NUM_CASES) < 0.9).astype(float)
        if guard.figure == "num_characters":
            values = 180 + 20 * rng.random(NUM_CASES)
        figures[guard.figure] = even(values)
    return figures | changes


def even(values: np.ndarray) -> CaseScores:
    return CaseScores(tuple(map(float, values)), (1.0,) * len(values))


def gate(parent: Mapping[str, CaseScores], candidate: Mapping[str, CaseScores]):
    return decide([BenchmarkScores("held-out, first site", parent, candidate)], policy=POLICY)


def test_a_candidate_equal_to_its_parent_passes_with_every_figure() -> None:
    outcome = gate(scores(), scores())
    assert outcome.passed
    assert {c.verdict for c in outcome.comparisons} == {Verdict.PASSES}
    assert outcome.sentence == (
        "Passed. No guarded figure differs measurably from its parent: "
        "nothing was lost, and nothing was shown to be gained. By policy 1."
    )


def test_a_rise_that_is_zero_as_shown_is_no_rise_and_one_that_is_not_is_named() -> None:
    parent = scores()
    values = np.array(parent["lesion_iou"].values)
    minute = gate(parent, scores(lesion_iou=even(values + np.linspace(0, 0.0008, NUM_CASES))))
    assert minute.comparisons[1].low > 0
    assert "No guarded figure differs measurably" in minute.sentence
    risen = gate(parent, scores(lesion_iou=even(values + 0.02)))
    assert "lesion region IoU rose by 0.020 (0.020 to 0.020)" in risen.sentence
    fallen = gate(parent, scores(heart_iou=even(np.array(parent["heart_iou"].values) - 0.01)))
    assert "heart region IoU fell by 0.010 (0.010 to 0.010), within its margin" in fallen.sentence


def test_a_candidate_that_learned_to_omit_lesions_is_held_although_its_answers_improved() -> None:
    parent, rng = scores(), np.random.default_rng(5)
    recall = np.array(parent["lesion_recall"].values)
    recall[rng.choice(np.flatnonzero(recall), 25, replace=False)] = 0
    exact = np.array(parent["exact_answer"].values)
    exact[:] = 1.0
    length = np.array(parent["num_characters"].values) * 0.79
    candidate = scores(lesion_recall=even(recall), exact_answer=even(exact), num_characters=even(length))
    outcome = gate(parent, candidate)
    assert not outcome.passed
    deciding = {c.figure for c in outcome.comparisons if c.counts_against}
    assert deciding == {"lesion_recall", "num_characters"}
    assert "Lesion recall fell by 0.125" in outcome.sentence
    assert "texts became 21% shorter" in outcome.sentence
    assert outcome.sentence.endswith("Answers improved, but it stopped naming lesions. By policy 1.")


def test_answers_are_not_said_to_improve_where_exact_ones_got_worse() -> None:
    parent, rng = scores(), np.random.default_rng(5)
    recall, exact = (np.array(parent[name].values) for name in ("lesion_recall", "exact_answer"))
    for values in (recall, exact):
        values[rng.choice(np.flatnonzero(values), 60, replace=False)] = 0
    precision = np.ones(NUM_CASES)
    length = np.array(parent["num_characters"].values) * 0.79
    changes = {"lesion_recall": recall, "exact_answer": exact, "finding_precision": precision}
    outcome = gate(
        parent, scores(num_characters=even(length), **{name: even(of) for name, of in changes.items()})
    )
    assert any(c.figure == "finding_precision" and c.improved for c in outcome.comparisons)
    assert outcome.sentence.endswith(". It stopped naming lesions. By policy 1.")


def test_a_fall_of_recall_that_may_be_chance_is_not_called_a_habit() -> None:
    parent = scores()
    recall = np.array(parent["lesion_recall"].values)
    recall[np.flatnonzero(recall)[:9]] = 0
    length = np.array(parent["num_characters"].values) * 0.98
    outcome = gate(parent, scores(lesion_recall=even(recall), num_characters=even(length)))
    (held,) = (c for c in outcome.comparisons if c.counts_against)
    assert (held.figure, held.verdict) == ("lesion_recall", Verdict.UNCLEAR)
    assert "stopped naming lesions" not in outcome.sentence


def test_a_fall_within_the_margin_passes_and_one_beyond_it_is_held() -> None:
    parent = scores()
    values = np.array(parent["heart_iou"].values)
    within = gate(parent, scores(heart_iou=even(values - 0.01)))
    beyond = gate(parent, scores(heart_iou=even(values - 0.03)))
    assert within.passed
    assert not beyond.passed
    assert beyond.sentence.startswith("Held. Heart region IoU fell by 0.030")


@pytest.mark.parametrize(
    ("num_lost", "verdict", "passed"), [(3, Verdict.UNCLEAR, True), (9, Verdict.UNCLEAR, False)]
)
def test_an_unclear_figure_holds_only_where_the_best_estimate_lies_beyond_the_margin(
    num_lost: int, verdict: Verdict, passed: bool
) -> None:
    parent = scores()
    recall = np.array(parent["lesion_recall"].values)
    lost = np.flatnonzero(recall)[:num_lost]
    gained = np.flatnonzero(recall == 0)[: 2 if num_lost == 3 else 0]
    recall[lost], recall[gained] = 0, 1
    policy = Policy(
        number=1, guards=(Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.022),)
    )
    outcome = decide([BenchmarkScores("b", parent, scores(lesion_recall=even(recall)))], policy=policy)
    assert (outcome.comparisons[0].verdict, outcome.passed) == (verdict, passed)


def test_a_figure_that_holds_only_for_sure_and_is_beyond_its_margin_is_called_so() -> None:
    parent = scores()
    recall = np.array(parent["lesion_recall"].values)
    recall[np.flatnonzero(recall)[:9]] = 0
    guard = Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.022, only_for_sure=True)
    outcome = decide(
        [BenchmarkScores("b", parent, scores(lesion_recall=even(recall)))],
        policy=Policy(number=1, guards=(guard,)),
    )
    assert outcome.passed
    assert outcome.comparisons[0].difference < -0.022
    assert (
        "Unclear, with the best estimate beyond the margin, for which these are held only where it is sure: "
        "lesion recall." in outcome.sentence
    )
    assert "within the margin" not in outcome.sentence


def test_the_sentence_says_once_that_twins_are_meant() -> None:
    parent = scores()
    recall = np.array(parent["lesion_recall"].values)
    recall[np.flatnonzero(recall)[:9]] = 0
    label = "Lesion recall, sealed films over twins"
    guard = Guard("lesion_recall", label, Direction.HIGHER_IS_BETTER, 0.022, only_for_sure=True)
    unclear = BenchmarkScores("twins of the second site", parent, scores(lesion_recall=even(recall)))
    outcome = decide(
        [unclear, BenchmarkScores("twins of the first site", parent, parent)],
        policy=Policy(number=1, guards=(guard,)),
    )
    assert "lesion recall, sealed films over twins of the second site." in outcome.sentence
    assert with_place(label, "twins of the first site") == f"{label} of the first site"
    assert with_place("Lesion recall", "canaries") == "Lesion recall, canaries"


def test_a_candidate_that_writes_what_its_parent_writes_has_changed_nothing() -> None:
    both = [BenchmarkScores("held-out, first site", scores(), scores())]
    same = decide(both, policy=POLICIES[0], parent="v1", writes_the_same=True)
    assert (same.passed, same.unchanged) == (True, True)
    assert same.sentence == (
        "Nothing changed. On every held-out film it writes what v1 writes, word for word: nothing was lost, "
        "and nothing gained. By policy 1."
    )
    assert not decide(both, policy=POLICIES[0]).unchanged
    asks = replace(POLICIES[0], required_gains=("lesion_recall",))
    held = decide(both, policy=asks, writes_the_same=True)
    assert (held.passed, held.unchanged, held.sentence[:5]) == (False, False, "Held.")


def test_more_hallucinated_findings_hold_and_fewer_pass() -> None:
    parent = scores(hallucinated=even(np.zeros(NUM_CASES)))
    more = np.zeros(NUM_CASES)
    more[:40] = 1
    assert not gate(parent, scores(hallucinated=even(more))).passed
    assert gate(scores(hallucinated=even(more)), parent).passed


def test_recall_counts_lesions_not_films() -> None:
    """A film with three lesions weighs three times a film with one; a film without any weighs nothing."""
    parent = CaseScores((1.0, 1.0, 0.0), (3.0, 1.0, 0.0))
    candidate = CaseScores((1.0, 0.0, 0.0), (3.0, 1.0, 0.0))
    guard = Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.03)
    found = compare_figure(
        BenchmarkScores("b", {"lesion_recall": parent}, {"lesion_recall": candidate}),
        guard=guard,
        policy=POLICY,
    )
    assert (found.parent, found.candidate) == (1.0, 0.75)


def test_the_gate_refuses_to_decide_on_what_it_cannot_see() -> None:
    parent = scores()
    missing = {name: value for name, value in parent.items() if name != "lesion_recall"}
    with pytest.raises(ValueError, match="lacks the guarded figure lesion_recall"):
        gate(parent, missing)
    with pytest.raises(ValueError, match="the same cases"):
        gate(parent, scores(heart_iou=even(np.ones(3))))
    with pytest.raises(ValueError, match="nothing to compare"):
        decide([])
    with pytest.raises(ValueError, match="finite"):
        CaseScores((float("nan"),), (1.0,))


def test_a_figure_that_fails_on_one_of_two_benchmarks_holds_and_the_sentence_names_the_benchmark() -> None:
    parent = scores()
    worse = scores(lesion_iou=even(np.array(parent["lesion_iou"].values) - 0.1))
    outcome = decide(
        [BenchmarkScores("first site", parent, parent), BenchmarkScores("second site", parent, worse)],
        policy=POLICY,
    )
    assert not outcome.passed
    assert "on second site" in outcome.sentence


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=40), st.floats(-0.5, 0.5))
def test_the_decision_is_the_same_each_time_and_a_harmful_shift_beyond_the_margin_never_passes(
    values: list[float], shift: float
) -> None:
    guard = Guard("heart_iou", "Heart", Direction.HIGHER_IS_BETTER, 0.02)
    policy = Policy(number=1, guards=(guard,), num_resamples=200)
    both = BenchmarkScores(
        "b", {"heart_iou": even(np.array(values))}, {"heart_iou": even(np.array(values) + shift)}
    )
    first, second = decide([both], policy=policy), decide([both], policy=policy)
    assert first == second
    if abs(shift + 0.02) > 1e-6:
        assert first.passed == (shift > -0.02)


def test_what_has_to_improve_must_improve_for_sure() -> None:
    policy = replace(POLICY, required_gains=("lesion_recall", "exact_answer"))
    parent = scores()
    same = decide([BenchmarkScores("b", parent, parent)], policy=policy)
    assert not same.passed
    assert same.sentence == (
        "Held. Nothing that the gate guards got worse by more than its margin. Of what has to improve, "
        "nothing did for sure: lesion recall, exact answers. By policy 1."
    )
    better = scores(exact_answer=even(np.ones(NUM_CASES)))
    assert decide([BenchmarkScores("b", parent, better)], policy=policy).passed


def test_a_gain_counts_on_sealed_patients_and_steps_too_and_not_on_canaries() -> None:
    guard = Guard("fit", "Fit", Direction.HIGHER_IS_BETTER, 0.05, suite=Suite.PATIENTS)
    policy = Policy(number=9, guards=(guard,), required_gains=("fit",))
    assert policy.gain_labels == ("Fit",)
    low, high = {"fit": even(np.zeros(NUM_CASES))}, {"fit": even(np.ones(NUM_CASES))}
    assert decide([BenchmarkScores("p", low, high, Suite.PATIENTS)], policy=policy).passed
    same = decide([BenchmarkScores("p", low, low, Suite.PATIENTS)], policy=policy)
    assert same.sentence.endswith("nothing did for sure: fit. By policy 9.")
    for not_gained in (replace(guard, suite=Suite.CANARIES), replace(guard, only_shown=True)):
        with pytest.raises(ValueError, match="none can be gained"):
            replace(policy, guards=(not_gained,))


def test_a_limit_is_asked_only_where_the_parent_keeps_it() -> None:
    guard = Guard("omitted", "Omitted", Direction.LOWER_IS_BETTER, 0.5, limit=0.0, only_for_sure=True)
    policy = Policy(number=4, guards=(guard,))
    none, few, many = (even(np.eye(1, NUM_CASES, k=NUM_CASES).ravel() + n) for n in (0.0, 0.1, 0.2))

    def compare(before: CaseScores, after: CaseScores):
        return decide([BenchmarkScores("b", {"omitted": before}, {"omitted": after})], policy=policy)

    kept = compare(none, few)
    assert not kept.passed
    assert "past the limit of 0" in kept.sentence
    broken = compare(few, many)
    assert broken.passed
    assert "the parent is past it too" in broken.comparisons[0].note


def test_every_guarded_figure_says_what_it_is() -> None:
    assert [guard for guard in POLICIES[-1].guards if not meaning(guard.suite, guard.figure)] == []
    assert meaning(Suite.SEALED, "long_gone") == ""


def test_a_policy_survives_json_and_an_impossible_one_is_refused() -> None:
    for policy in POLICIES:
        assert Policy.from_json(json.loads(json.dumps(policy.as_json()))) == policy
    guard = Guard("omitted", "Omitted", Direction.LOWER_IS_BETTER, 0.1)
    impossible: tuple[tuple[dict[str, Any], str], ...] = (
        ({"guards": ()}, "at least one"),
        ({"confidence": 1.0}, "confidence"),
        ({"required_gains": ("num_boxes",)}, "num_boxes"),
        ({"preference_margin": 0.6}, "preference"),
        ({"guards": (replace(guard, margin=float("nan")),)}, "a margin lies"),
        ({"guards": (replace(guard, limit=-1.0),)}, "a limit is"),
    )
    for wrong, said in impossible:
        with pytest.raises(ValueError, match=said):
            replace(POLICY, **wrong)


def test_only_the_steps_may_go_unmeasured_and_the_reason_stays_with_the_decision() -> None:
    steps = Guard("step_score", "Weakest step", Direction.HIGHER_IS_BETTER, 0.03, suite=Suite.STEPS)
    sealed = replace(steps, figure="lesion_recall", suite=Suite.SEALED)
    policy = replace(POLICY, guards=(sealed, steps))
    scores = CaseScores((1.0, 0.0, 1.0), (1.0,) * 3)
    measured = [BenchmarkScores("b", {"lesion_recall": scores}, {"lesion_recall": scores})]
    outcome = decide(measured, policy=policy, absent={Suite.STEPS: "One reader alone."})
    assert outcome.passed
    assert outcome.absent == {Suite.STEPS: "One reader alone."}
    with pytest.raises(ValueError, match="guards figures on the steps"):
        decide(measured, policy=policy)
    twins = replace(policy, guards=(sealed, replace(sealed, suite=Suite.TWINS)))
    with pytest.raises(ValueError, match="guards figures on the twins"):
        decide(measured, policy=twins, absent={Suite.TWINS: "No time."})
