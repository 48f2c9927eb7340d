"""A reference holds what readers said, nothing that they did not, and nobody is outvoted."""

from dataclasses import replace

from inference.regions import Box
from rl_feedback.readings import FindingWord, JudgedAnswer, MissedFinding, SignedReading
from rl_feedback.sealed_patients import Finding, Reference, reference_of, references_of
from tests.rl_feedback.sealed_patients.sealed_readings import PROMPT, reading

EFFUSION, NODULE = Finding("Pleural Effusion", "left"), Finding("Nodule", "right")
PNEUMOTHORAX = Finding("Pneumothorax")
ON_EFFUSION, ON_NODULE = Box(60, 60, 100, 100), Box(10, 10, 30, 30)


def known(*readings: SignedReading) -> Reference:
    return reference_of(readings, prompt=PROMPT)


def confirmed(reference: Reference) -> dict[Finding, tuple[Box, ...]]:
    return {one.finding: one.boxes for one in reference.confirmed}


def test_what_fits_is_confirmed_with_its_region_and_what_is_wrong_is_struck() -> None:
    found = known(reading(["fits", "wrong"]))
    assert confirmed(found) == {EFFUSION: (ON_EFFUSION,)}
    assert (found.struck, found.denied, found.disputed) == ((NODULE,), (), ())
    assert (found.num_readings, found.readers, found.answers) == (1, ("R1",), ())


def test_a_region_that_was_moved_is_where_the_reader_put_it() -> None:
    moved = Box(70, 70, 110, 110)
    assert confirmed(known(reading(["adjusted", "wrong"], moved=moved)))[EFFUSION] == (moved,)


def test_a_denial_that_readers_let_stand_rules_its_finding_out() -> None:
    assert known(reading(["fits", "fits"], plausible={2: 5})).denied == (PNEUMOTHORAX,)
    assert known(reading(["fits", "fits"], plausible={2: 1})).denied == ()
    assert known(reading(["fits", "fits"])).denied == ()


def test_what_nobody_said_anything_of_is_not_in_it() -> None:
    found = known(reading(["", ""]))
    assert not found.tells
    assert found.num_readings == 1


def test_what_readers_add_and_reword_is_confirmed_as_added() -> None:
    drawn = Box(1, 1, 9, 9)
    found = known(
        reading(
            ["fits", "fits"],
            edited={1: "A right cavity"},
            missed=[MissedFinding("Cardiomegaly", (drawn,)), MissedFinding("That thing there")],
        )
    )
    added = {one.finding: one.boxes for one in found.confirmed if one.is_added}
    assert added == {Finding("Cardiomegaly"): (drawn,), Finding("Cavity", "right"): ()}
    assert found.struck == (NODULE,)
    assert found.num_unread == 1


def test_readers_who_contradict_each_other_leave_it_in_dispute_until_a_judge_says_it() -> None:
    two = (reading(["fits", "wrong"]), reading(["fits", "fits"], reader="R2"))
    found = known(*two)
    assert confirmed(found) == {EFFUSION: (ON_EFFUSION,)}
    assert (found.struck, found.disputed) == ((), (NODULE,))
    for word, struck in (("wrong", (NODULE,)), ("fits", ())):
        settled = known(*two, reading(["", word], reader="R3", kind="adjudication"))
        assert (settled.struck, settled.disputed) == (struck, ())
        assert (NODULE in confirmed(settled)) is (word == "fits")


def test_readers_regions_meet_in_the_middle_and_one_that_nobody_else_drew_goes() -> None:
    found = known(
        reading(["fits", "fits"]),
        reading(["adjusted", "fits"], reader="R2", moved=Box(64, 60, 100, 100)),
    )
    assert confirmed(found)[EFFUSION] == (Box(62, 60, 100, 100),)


def test_what_one_reader_denies_and_another_confirms_is_in_dispute() -> None:
    no_effusion = "<think> No effusion </think> The answer is: \\boxed{no acute finding}"
    found = known(
        reading(["fits", "fits"]), reading([], reader="R2", text=no_effusion, uid="c2", plausible={0: 5})
    )
    assert EFFUSION not in confirmed(found)
    assert found.disputed == (Finding("Pleural Effusion"), EFFUSION)
    alone = known(reading(["fits", "fits"]), reading([], text=no_effusion, uid="c2", plausible={0: 5}))
    assert EFFUSION in confirmed(alone)
    assert (alone.denied, alone.disputed) == ((), ())


def test_right_answers_are_those_that_all_call_right_and_those_that_readers_wrote() -> None:
    right, wrong = JudgedAnswer(correctness=5), JudgedAnswer(correctness=2)
    rewrite = JudgedAnswer(correctness=2, rewrite="left effusion")
    both = ["fits", "fits"]
    assert known(reading(both, answer=right)).answers == ("left effusion, right nodule",)
    assert known(reading(both, answer=wrong)).answers == ()
    assert known(reading(both, answer=right), reading(both, reader="R2", answer=wrong)).answers == ()
    two = (reading(both, answer=right), reading(both, reader="R2", answer=rewrite))
    assert known(*two).answers == ("left effusion",)
    assert reference_of(two, prompt="Another question?").answers == ()


def test_a_lone_strike_of_a_kind_that_is_seldom_made_up_is_no_word() -> None:
    def of(number: int, verdict: str) -> SignedReading:
        return reading(["fits", verdict], uid=f"c{number}", patient=f"P{number}")

    films = {str(number): [of(number, "wrong" if number == 30 else "fits")] for number in range(31)}
    alone = references_of(films, prompt=PROMPT)["30"]
    assert (alone.struck, alone.disputed) == ((), (NODULE,))
    films["30"].append(reading(["", "wrong"], uid="c30", reader="R2", kind="adjudication"))
    settled = references_of(films, prompt=PROMPT)["30"]
    assert (settled.struck, settled.disputed) == ((NODULE,), ())


def test_a_judge_who_was_asked_outright_has_said_it_whatever_else_was_marked() -> None:
    two = (reading(["fits", "wrong"]), reading(["fits", "fits"], reader="R2"))
    judge = reading(["", ""], reader="R3", kind="adjudication", plausible={1: 5})
    for said, place in ((True, "confirmed"), (False, "struck"), (None, "disputed")):
        found = known(*two, replace(judge, findings=(FindingWord("Nodule", said),)))
        of_nodule = {
            "confirmed": NODULE in confirmed(found),
            "struck": NODULE in found.struck,
            "disputed": NODULE in found.disputed,
        }
        assert [name for name, is_so in of_nodule.items() if is_so] == [place]


def test_a_reference_comes_back_from_json_as_it_was_without_its_readers() -> None:
    found = known(reading(["fits", "wrong"], plausible={2: 5}, answer=JudgedAnswer(correctness=5)))
    row = found.as_json()
    assert "R1" not in str(row)
    again = Reference.from_json(row)
    assert again.as_json() == row
    assert (again.confirmed, again.struck, again.denied) == (found.confirmed, found.struck, found.denied)
