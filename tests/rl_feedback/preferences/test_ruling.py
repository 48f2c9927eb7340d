"""A judge is asked outright whether a finding is there, and the answer decides: kept, struck, or left out."""

from dataclasses import replace
from pathlib import Path

from rl_feedback.preferences import Preferences, gather_preferences
from rl_feedback.preferences.ruling import rulings_of
from rl_feedback.readings import FindingWord, JudgedAnswer, JudgedCompletion, SignedReading
from rl_feedback.readings_file import read_readings, write_readings
from tests.rl_feedback.preferences.cases import judged, of_step, reading
from tests.rl_feedback.preferences.test_doubted import (
    EFFUSION,
    a_study,
    labelled,
    origins_of,
    silent,
    struck,
)

UID, CASE, KIND = "effusion-00", ("effusion-00",), "Pleural Effusion"


def by_judge(made: JudgedCompletion, *words: bool | None, uid: str = "r-judge") -> SignedReading:
    findings = tuple(FindingWord(KIND, word) for word in words)
    return reading(uid, made, reader=uid, patient=UID, kind="adjudication", findings=findings)


def gathered(*judges: SignedReading) -> Preferences:
    return gather_preferences([*a_study(effusions_struck=1), *judges])


def doubted(found: Preferences) -> set[str]:
    return {row.completion for row in found.disputes if row.criterion == "finding"}


def test_what_a_judge_was_not_asked_settles_nothing() -> None:
    on_the_heart = judged(silent(), 0, 0, "fits")
    found = gathered(by_judge(on_the_heart))
    assert doubted(found) == {UID}
    assert origins_of(found, UID) == set()
    assert rulings_of([by_judge(on_the_heart)]).keys() == set()


def test_yes_keeps_the_finding_and_its_readers_strike_teaches_nothing() -> None:
    found = gathered(by_judge(silent(), True))
    assert doubted(found) == set()
    assert origins_of(found, UID) == set()
    assert UID not in labelled(found)
    judging = by_judge(of_step(silent(), 1, plausibility=5), True)
    rated = [row for row in gathered(judging).labels if row.completion == UID and row.step]
    assert [(row.step, row.readings) for row in rated] == [(f"{UID}-2", ("r-judge",))]
    assert rated[0].value > 0.9


def test_no_strikes_it_out_as_its_reader_wrote_it() -> None:
    found = gathered(by_judge(silent(), False))
    assert doubted(found) == set()
    (pair,) = [row for row in found.pairs if row.completion == UID and row.origin == "rewrite"]
    assert "effusion" not in pair.chosen
    assert "no acute finding" in pair.chosen


def test_no_is_taught_by_no_text_that_names_it_still() -> None:
    reader = reading("r-other", struck(UID, EFFUSION, "left effusion"), patient=UID)
    without_words = replace(reader.completion_a, answer=JudgedAnswer(4, 1, 4))
    others = [one for one in a_study(effusions_struck=1) if one.uid != f"r-{UID}"]
    found = gather_preferences(
        [*others, replace(reader, completion_a=without_words), by_judge(silent(), False)]
    )
    assert not [row for row in found.pairs if row.completion == UID and "left effusion}" in row.chosen]


def test_who_cannot_tell_leaves_it_out_by_name() -> None:
    found = gathered(by_judge(silent(), None))
    assert doubted(found) == set()
    assert origins_of(found, UID) == set()
    assert UID not in labelled(found)
    reasons = {row.reason: row.readings for row in found.left_out if row.completion == UID}
    assert reasons[
        "Pleural Effusion: struck out, and its judge can't tell whether it is there. Nothing is taught of it."
    ] == ("r-effusion-00", "r-judge")
    assert found.struck.as_json()["num_untold"] == 1


def test_judges_who_contradict_each_other_settle_nothing_and_one_who_can_tell_is_enough() -> None:
    yes, no, unsure = (
        by_judge(silent(), word, uid=f"r-{name}") for word, name in ((True, "y"), (False, "n"), (None, "u"))
    )
    assert rulings_of([yes, no]) == {}
    ruling = rulings_of([yes, unsure])[CASE, KIND]
    assert (ruling.is_there, ruling.readings) == (True, ("r-y",))


def test_what_was_said_outright_outweighs_what_else_the_judge_marked() -> None:
    contrary = by_judge(of_step(silent(), 1, plausibility=1), True)
    assert rulings_of([contrary])[CASE, KIND].is_there is True


def test_a_judges_word_is_kept_in_a_file_of_readings(tmp_path: Path) -> None:
    made = [by_judge(silent(), True), by_judge(silent(), None, uid="r-unsure")]
    write_readings(tmp_path / "readings.jsonl", made)
    assert list(read_readings(tmp_path / "readings.jsonl")) == made
