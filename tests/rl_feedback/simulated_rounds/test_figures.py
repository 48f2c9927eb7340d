"""What a report of simulated rounds says, and that its plots show it."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback.__main__ import main
from rl_feedback.simulated_rounds.figures import (
    SHOWN,
    LoopReport,
    Measured,
    Preferred,
    Round,
    ceiling,
    measured_of,
    perfect_preferred,
    preferred,
)
from rl_feedback.simulated_rounds.plots import Line, draw_lines
from rl_feedback.simulated_rounds.report import write_report

SEEDS = range(1_009_000, 1_009_030)


def ideal(seed: int) -> str:
    return ideal_reasoning(draw_phantom(seed=seed, width=56, height=56, site="second").truth)


def measured(mean: float) -> dict[str, dict[str, Measured]]:
    found = {"mean": mean, "low": mean - 0.02, "high": mean + 0.02, "weight": 47.0}
    figures = dict.fromkeys([*SHOWN, "nodule_recall"], found)
    return {
        "first": measured_of(figures),
        "second": measured_of({**figures, "cavity_recall": {**found, "weight": 71.0}}),
    }


def a_report() -> LoopReport:
    halfway = (0.5 + ceiling()["exact_answer"]) / 2
    return LoopReport(
        title="What 10 SIMULATED readings <gained>",
        seed=1,
        kind="all",
        site="second",
        num_held_out=200,
        rounds=(
            Round(0, "v1", 0, 0.0, 0.0, True, "", measured(0.5)),
            Round(1, "v2", 5, 7.0, 1.0, True, "Passed.", measured(halfway)),
            Round(2, "v3", 10, 14.0, 1.0, False, "Held. Heart & lungs.", measured(0.1)),
        ),
        recipe={"stages": []},
        load=(1.0, 1.0, 1.0),
        perfect_preferred=Preferred(0.748, 0.705, 0.79, 300),
    )


def test_a_better_model_is_preferred_whichever_side_it_stands_on() -> None:
    right, wrong = [ideal(seed) for seed in SEEDS], [ideal(seed + 100) for seed in SEEDS]
    better = preferred(site="second", seeds=SEEDS, before=wrong, after=right, seed=1)
    worse = preferred(site="second", seeds=SEEDS, before=right, after=wrong, seed=1)
    assert better.low > 0.5 > worse.high
    assert better.num_films == len(SEEDS)


def test_readers_who_err_do_not_always_prefer_a_perfect_text() -> None:
    wrong, right = [ideal(seed + 100) for seed in SEEDS], [ideal(seed) for seed in SEEDS]
    found = perfect_preferred(site="second", seeds=SEEDS, before=wrong, seed=1)
    assert found == preferred(site="second", seeds=SEEDS, before=wrong, after=right, seed=1)
    assert 0.5 < found.share < 1


def test_a_model_is_not_preferred_to_itself() -> None:
    same = [ideal(seed) for seed in SEEDS]
    found = preferred(site="second", seeds=SEEDS, before=same, after=same, seed=1)
    assert found.low <= 0.5 <= found.high
    assert 0.4 < found.share < 0.6


def test_the_report_says_how_far_a_preference_can_go(tmp_path: Path) -> None:
    report, last = a_report(), Preferred(0.625, 0.563, 0.685, 200)
    report = replace(report, rounds=(*report.rounds[:-1], replace(report.rounds[-1], preferred=last)))
    page = write_report(report, tmp_path).read_text("utf-8")
    assert "first by 0.625 (0.563 to 0.685" in page
    assert "a perfect text they would prefer by 0.748 (0.705 to 0.790)" in page


def test_the_gap_is_closed_by_what_was_promoted_alone() -> None:
    assert round(a_report().gap_closed("exact_answer"), 6) == 0.5


def test_the_report_says_that_its_readers_are_simulated_and_holds_every_figure(tmp_path: Path) -> None:
    page = write_report(a_report(), tmp_path)
    text = page.read_text("utf-8")
    assert "SIMULATED readers." in text
    assert "&lt;gained&gt;" in text
    assert "Held. Heart &amp; lungs." in text
    assert text.count("Nodule recall <small>of 47</small></td><td>0.500 (0.480 to 0.520)</td>") == 2
    assert text.count("Cavity recall <small>of 71</small>") == 1
    second = text.split("<h2>Second site</h2>")[1]
    assert second.index("Lesion recall") < second.index("Cavity recall") < second.index("Lesion region IoU")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["gap_closed"]["exact_answer"] == 0.5
    for name in SHOWN:
        ElementTree.parse(tmp_path / f"{name}.svg")


def test_several_runs_are_compared_by_their_minutes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(a_report(), tmp_path)
    report = str(tmp_path / "report.json")
    assert main(["compare-rounds", report, report, "--out", str(tmp_path / "plots")]) == 0
    assert capsys.readouterr().out.count("| all, 10 | 14 | 0.100 |") == 2
    drawing = ElementTree.parse(tmp_path / "plots" / "exact_answer.svg")
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"0", "7", "14", "all, 10"} <= set(words)


def test_runs_of_one_round_of_the_same_kind_are_one_line_through_more_and_more_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, reports = a_report(), []
    for name, minutes in (("more", 40.0), ("few", 14.0)):
        folder = tmp_path / name
        rounds = (whole.rounds[0], replace(whole.rounds[-1], reading_minutes=minutes))
        write_report(replace(whole, rounds=rounds), folder)
        reports.append(str(folder / "report.json"))
    assert main(["compare-rounds", *reports, "--out", str(tmp_path / "plots")]) == 0
    svg = "{http://www.w3.org/2000/svg}"
    drawing = ElementTree.parse(tmp_path / "plots" / "exact_answer.svg")
    assert [float(dot.get("cx", 0)) for dot in drawing.iter(f"{svg}circle")] == [62.0, 154.4, 326.0]
    assert [text.text for text in drawing.iter(f"{svg}text")].count(whole.kind) == 1


def test_a_plot_puts_more_above_less_and_what_comes_later_to_the_right() -> None:
    points = ((0.0, 0.2, 0.1, 0.3), (1.0, 0.6, 0.5, 0.7))
    drawing = ElementTree.fromstring(
        draw_lines("Recall", [Line("second site", points)], along="rounds", ceiling=0.8, start=0.2)
    )
    dots = [
        (float(dot.get("cx", 0)), float(dot.get("cy", 0)))
        for dot in drawing.iter("{http://www.w3.org/2000/svg}circle")
    ]
    assert dots[0][0] < dots[1][0]
    assert dots[0][1] > dots[1][1]
    words = {text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Recall", "second site", "truth-trained", "start", "rounds"} <= words
    assert {"0.2", "0.4", "0.6", "0.8"} <= words
