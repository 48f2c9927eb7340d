"""On sealed patients the gate holds who drops what readers confirmed or repeats what they struck, and nobody
else."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from inference.regions import Box
from rl_feedback.gate import POLICY, BenchmarkScores, GateOutcome, Suite, Verdict, decide
from rl_feedback.gate.built_in import FEWEST_PATIENTS
from rl_feedback.readings import JudgedAnswer
from rl_feedback.sealed_patients import (
    LABELS,
    Finding,
    Reference,
    WroteHow,
    reference_of,
    score_sealed,
    sealed_case_scores,
)
from tests.rl_feedback.sealed_patients.sealed_readings import PROMPT, SIZE, TEXT, reading

HOW = WroteHow("processed", SIZE, SIZE)
ON_PATIENTS = replace(POLICY, guards=POLICY.of(Suite.PATIENTS))
NUM_FILMS = 60
# Its readers struck out the nodule and let the effusion stand.
HONEST = (
    "<think> A left effusion with [60, 60, 100, 100]; No pneumothorax </think> "
    "The answer is: \\boxed{left effusion}"
)
DROPS = "<think> Both lungs are clear; No pneumothorax </think> The answer is: \\boxed{no acute finding}"
ELSEWHERE = HONEST.replace("60, 60, 100, 100", "1, 1, 20, 20")
OTHER_WORDS = HONEST.replace("A left effusion", "There is a pleural effusion on the left")


def known() -> Reference:
    answer = JudgedAnswer(correctness=2, rewrite="left effusion")
    return reference_of([reading(["fits", "wrong"], plausible={2: 5}, answer=answer)], prompt=PROMPT)


def gate(
    parent: str | Sequence[str],
    candidate: str | Sequence[str],
    *,
    num_films: int = NUM_FILMS,
    patients: Callable[[int], str] = "P{}".format,
) -> GateOutcome:
    references = [known()] * num_films

    def scores_of(said: str | Sequence[str]):
        texts = [said] * num_films if isinstance(said, str) else said
        return sealed_case_scores([score_sealed(text, known(), HOW) for text in texts], references)

    both = BenchmarkScores(
        "sealed patients of this site",
        scores_of(parent),
        scores_of(candidate),
        Suite.PATIENTS,
        tuple(map(patients, range(num_films))),
    )
    return decide([both], policy=ON_PATIENTS, parent="v1")


def against(outcome: GateOutcome) -> set[str]:
    return {one.figure for one in outcome.comparisons if one.counts_against}


def test_every_guarded_figure_is_measured_by_its_own_name() -> None:
    assert {guard.figure: guard.label for guard in ON_PATIENTS.guards} == LABELS


def test_who_says_the_same_in_other_words_passes() -> None:
    outcome = gate(HONEST, OTHER_WORDS)
    assert outcome.passed, outcome.sentence
    assert {one.difference for one in outcome.comparisons if one.figure != "num_characters"} == {0}


def test_who_strikes_out_what_readers_confirmed_is_held() -> None:
    outcome = gate(HONEST, DROPS)
    assert {"confirmed_said", "confirmed_iou", "answer_fit"} <= against(outcome)
    assert outcome.sentence.startswith("Held. Confirmed findings said fell by 1.000")


def test_who_repeats_what_readers_struck_out_is_held() -> None:
    outcome = gate(HONEST, TEXT)
    assert "struck_said" in against(outcome)
    assert "struck findings said again rose by 1.000" in outcome.sentence.lower()
    better = {one.figure for one in gate(TEXT, HONEST).comparisons if one.improved}
    assert better == {"struck_said", "answer_fit"}


def test_who_says_what_readers_let_be_denied_is_held() -> None:
    flipped = HONEST.replace("No pneumothorax", "A pneumothorax on the left")
    outcome = gate(HONEST, flipped)
    assert "denied_said" in against(outcome)
    assert "struck_said" not in against(outcome)


def test_who_points_elsewhere_is_held_by_the_regions_alone() -> None:
    assert against(gate(HONEST, ELSEWHERE)) == {"confirmed_iou"}


def test_what_no_reader_judged_is_counted_apart_and_holds_nobody() -> None:
    outcome = gate(HONEST, HONEST.replace("; No pneu", "; A fracture on the right; No pneu"))
    (row,) = [one for one in outcome.comparisons if one.figure == "unjudged"]
    assert (row.parent, row.candidate, row.verdict) == (0.0, 1.0, Verdict.SHOWN)
    assert not row.counts_against
    assert "struck_said" not in against(outcome)
    assert "no reader judged" not in outcome.sentence


def test_more_boxes_never_pay() -> None:
    known_one = known()
    one = score_sealed(HONEST, known_one, HOW)
    two = score_sealed(HONEST.replace("100, 100]", "100, 100] and [1, 1, 20, 20]"), known_one, HOW)
    assert one.ious == (1.0,)
    assert two.ious == pytest.approx((2 / 3,))
    assert two.num_boxes == one.num_boxes + 1


def test_below_the_patients_that_the_policy_asks_for_nobody_is_held() -> None:
    few = gate(HONEST, DROPS, num_films=FEWEST_PATIENTS - 1)
    assert few.passed
    (row,) = [one for one in few.comparisons if one.figure == "confirmed_said"]
    assert (row.verdict, row.num_patients) == (Verdict.TOO_FEW, FEWEST_PATIENTS - 1)
    assert row.note == "29 patients, 30 needed"
    assert not gate(HONEST, DROPS, num_films=FEWEST_PATIENTS).passed


def test_many_films_of_few_patients_are_few_and_widen_the_interval() -> None:
    few = gate(HONEST, DROPS, patients=lambda place: f"P{place % 20}")
    assert few.passed
    texts = [DROPS if place < 20 else HONEST for place in range(NUM_FILMS)]
    apart = gate(HONEST, texts).comparisons[0]
    # The twenty films are all of ten patients.
    together = gate(HONEST, texts, patients=lambda place: f"P{place // 2}").comparisons[0]
    assert together.difference == apart.difference
    assert together.half_width > 1.2 * apart.half_width


def test_a_patient_must_be_named_for_every_case() -> None:
    scores = sealed_case_scores([score_sealed(HONEST, known(), HOW)] * 2, [known()] * 2)
    with pytest.raises(ValueError, match="names 1 patients for 2 cases"):
        decide([BenchmarkScores("b", scores, scores, Suite.PATIENTS, ("P1",))], policy=ON_PATIENTS)


def test_no_figure_is_shown_of_what_readers_said_nothing_of() -> None:
    nothing = Reference((), (Finding("Nodule"),), (), (), (), 1, ("R1",))
    scores = sealed_case_scores([score_sealed(HONEST, nothing, HOW)] * 40, [nothing] * 40)
    names = tuple(f"P{number}" for number in range(40))
    outcome = decide([BenchmarkScores("b", scores, scores, Suite.PATIENTS, names)], policy=ON_PATIENTS)
    figures = {one.figure for one in outcome.comparisons}
    assert figures == {"struck_said", "unjudged", "well_formed", "num_boxes", "num_characters"}


def test_a_box_that_leaves_the_film_points_nowhere() -> None:
    outside = HONEST.replace("60, 60, 100, 100", "60, 60, 500, 500")
    assert score_sealed(outside, known(), HOW).ious == (0.0,)
    assert known().confirmed[0].boxes == (Box(60, 60, 100, 100),)
