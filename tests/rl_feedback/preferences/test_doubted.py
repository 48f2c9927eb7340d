"""What a reader struck out and likely overlooked is not taught: it waits for another look."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rl_feedback.preferences import Preferences, gather_preferences
from rl_feedback.preferences.kinds import kinds_named
from rl_feedback.preferences.settling import settled_kinds
from rl_feedback.readings import JudgedAnswer, JudgedCompletion, SignedReading
from tests.rl_feedback.preferences.cases import judged, of_step, reading, saying

HEART = "The heart size is normal with [30, 50, 80, 90]"
EFFUSION = "There is a left effusion with [60, 70, 100, 90]"
NODULE = "There is a left nodule with [70, 20, 80, 30]"


def struck(uid: str, step: str, answer: str) -> JudgedCompletion:
    """A reader takes the finding out of step and answer."""
    made = of_step(judged(saying(uid, HEART, step, answer=answer), 1, 0, "wrong"), 1, plausibility=1)
    return replace(made, answer=JudgedAnswer(4, 1, 4, rewrite="no acute finding"))


def a_study(*, effusions_struck: int = 2) -> list[SignedReading]:
    """Forty films by one reader each: effusions are struck out seldom, nodules mostly."""
    readings = []
    for number in range(20):
        uid = f"effusion-{number:02}"
        made = saying(uid, HEART, EFFUSION, answer="left effusion", rating=5)
        if number < effusions_struck:
            made = struck(uid, EFFUSION, "left effusion")
        readings.append(reading(f"r-{uid}", made, patient=uid))
        uid = f"nodule-{number:02}"
        made = saying(uid, HEART, NODULE, answer="left nodule", rating=5)
        if number < 12:
            made = struck(uid, NODULE, "left nodule")
        readings.append(reading(f"r-{uid}", made, patient=uid))
    return readings


def origins_of(found: Preferences, completion: str) -> set[str]:
    return {pair.origin for pair in found.pairs if completion in (pair.completion, pair.rejected_completion)}


def labelled(found: Preferences) -> set[str]:
    return {label.completion for label in found.labels}


def test_a_text_without_what_was_likely_overlooked_is_left_out_and_sent_to_adjudication() -> None:
    found = gather_preferences(a_study())
    assert origins_of(found, "effusion-00") == set()
    assert "effusion-00" not in labelled(found)
    # With its regions moved alone it would still say what was struck out.
    assert origins_of(found, "nodule-00") == {"rewrite"}
    assert {"nodule-00", "effusion-05"} <= labelled(found)
    doubts = [row for row in found.disputes if row.criterion == "finding"]
    assert [(row.completion, row.readings) for row in doubts] == [
        ("effusion-00", ("r-effusion-00",)),
        ("effusion-01", ("r-effusion-01",)),
    ]
    assert doubts[0].reason.startswith("Pleural Effusion: struck out, but its reader may have overlooked")
    left_out = {row.origin: row.reason for row in found.left_out if row.completion == "effusion-00"}
    assert left_out["rewrite"] == "It rests on what was likely overlooked: Pleural Effusion."
    assert left_out["region"].startswith("A reader took a step out")


def test_what_the_card_tells_of_strikes_names_kinds_shares_and_what_was_assumed() -> None:
    told = gather_preferences(a_study()).struck.as_json()
    assert (told["num_doubtful"], told["num_cases"], told["num_words"]) == (2, 2, 40)
    assert "assumption" in told["note"]
    assert [(row["kind"], row["num_struck"]) for row in told["kinds"]] == [
        ("Nodule", 12),
        ("Pleural Effusion", 2),
    ]
    assert told["kinds"][1]["if_struck"] < told["believed_from"] < told["kinds"][0]["if_struck"]


def _another(kind: str, made: JudgedCompletion) -> list[SignedReading]:
    """The film of effusion-00, read once more."""
    return [*a_study(), reading("r-more", made, reader="Bob", patient="effusion-00", kind=kind)]


@pytest.mark.parametrize(
    ("says", "followed"), [(struck("effusion-00", EFFUSION, "left effusion"), True), (None, False)]
)
def test_an_adjudication_settles_whether_it_was_overlooked(
    says: JudgedCompletion | None, followed: bool
) -> None:
    made = says or saying("effusion-00", HEART, EFFUSION, answer="left effusion", rating=5)
    found = gather_preferences(_another("adjudication", made))
    assert ("rewrite" in origins_of(found, "effusion-00")) is followed
    assert ("effusion-00" in {row.completion for row in found.disputes}) is False


def silent() -> JudgedCompletion:
    """Effusion-00 before a judge who says nothing of it yet."""
    made = saying("effusion-00", HEART, EFFUSION, answer="left effusion", rating=None)
    for number in range(len(made.steps)):
        made = judged(made, number, 0, None)
    return made


def of_effusion(verdict: str | None, plausibility: int | None, **more: Any) -> JudgedCompletion:
    return of_step(judged(silent(), 1, 0, verdict), 1, plausibility=plausibility, **more)


OF_HEART = of_step(judged(silent(), 0, 0, "fits"), 0, plausibility=5)


@pytest.mark.parametrize(
    ("says", "is_there"),
    [
        (of_effusion("fits", 5), True),
        (of_effusion(None, 4), True),
        (of_effusion("adjusted", None), True),
        (of_effusion("wrong", 1), False),
        (of_effusion(None, 2), False),
        (of_effusion("wrong", 3, edited_text="No effusion is seen"), False),
        (of_effusion(None, None, edited_text="A small left effusion"), True),
        (replace(silent(), answer=JudgedAnswer(rewrite="no acute finding")), False),
        (replace(silent(), answer=JudgedAnswer(5, 5, 5)), True),
        # Nothing on the finding, or words that speak against each other: the doubt stays.
        (silent(), None),
        (OF_HEART, None),
        (replace(OF_HEART, answer=JudgedAnswer(1, 1, 1)), None),
        (of_effusion("wrong", 5), None),
        (of_effusion("fits", 1), None),
        (of_effusion(None, 3), None),
    ],
)
def test_only_a_judge_s_own_words_on_the_finding_settle_a_doubt(
    says: JudgedCompletion, is_there: bool | None
) -> None:
    judge = reading("r-more", says, reader="Bob", patient="effusion-00", kind="adjudication")
    assert settled_kinds(judge).get("Pleural Effusion") == (None if is_there is None else not is_there)
    found = gather_preferences([*a_study(), judge])
    doubted = {row.completion for row in found.disputes if row.criterion == "finding"}
    assert ("effusion-00" in doubted) is (is_there is None)
    if is_there is None:
        assert "rewrite" not in origins_of(found, "effusion-00")


def test_judges_who_contradict_each_other_leave_it_in_doubt() -> None:
    judges = [
        reading(f"r-{name}", says, reader=name, patient="effusion-00", kind="adjudication")
        for name, says in (("Bob", of_effusion("fits", 5)), ("Eve", of_effusion("wrong", 1)))
    ]
    found = gather_preferences([*a_study(), *judges])
    assert "effusion-00" in {row.completion for row in found.disputes if row.criterion == "finding"}


def test_the_second_text_of_a_film_is_not_taught_either_where_it_lacks_what_was_likely_overlooked() -> None:
    without = saying("effusion-00-b", HEART, answer="no acute finding", rating=5)
    both = [
        replace(one, completion_b=without, vote="b") if one.uid == "r-effusion-00" else one
        for one in a_study()
    ]
    found = gather_preferences(both)
    assert origins_of(found, "effusion-00-b") == set()
    assert "effusion-00-b" not in labelled(found)
    with_another_heart = replace(without, steps=judged(without, 0, 0, "wrong").steps)
    kept = [replace(one, completion_b=with_another_heart) for one in both if one.uid == "r-effusion-00"]
    others = [one for one in both if one.uid != "r-effusion-00"]
    assert origins_of(gather_preferences([*others, *kept]), "effusion-00-b") == set()


def test_votes_on_texts_that_both_name_it_stay() -> None:
    second = struck("effusion-00-b", EFFUSION.replace("60, 70", "62, 71"), "left effusion")
    both = [
        replace(one, completion_b=second, vote="b") if one.uid == "r-effusion-00" else one
        for one in a_study()
    ]
    assert origins_of(gather_preferences(both), "effusion-00") == {"vote"}


def test_where_no_text_was_corrected_nothing_is_told() -> None:
    voted = reading("r", _unjudged("a"), _unjudged("b"), "a")
    found = gather_preferences([voted])
    assert found.struck.model is None
    assert found.struck.as_json()["kinds"] == []
    assert "nothing can be told" in found.struck.as_json()["note"]


def _unjudged(uid: str) -> JudgedCompletion:
    made = saying(uid, HEART, EFFUSION, answer="left effusion", rating=None)
    steps = [
        replace(step, regions=tuple(replace(one, verdict=None) for one in step.regions))
        for step in made.steps
    ]
    return replace(made, steps=tuple(steps))


@pytest.mark.parametrize(
    ("steps", "answer", "kinds"),
    [
        ([HEART, EFFUSION], "left effusion", {"Pleural Effusion"}),
        ([HEART, "There is no pneumothorax"], "no acute finding", set()),
        (
            ["The heart is enlarged with [1, 2, 30, 40]"],
            "cardiomegaly, right nodule",
            {"Cardiomegaly", "Nodule"},
        ),
    ],
)
def test_kinds_are_read_from_steps_and_answer(steps: Sequence[str], answer: str, kinds: set[str]) -> None:
    assert kinds_named(saying("a", *steps, answer=answer).text) == kinds
