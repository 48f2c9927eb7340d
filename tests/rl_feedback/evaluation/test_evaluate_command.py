"""`python -m rl_feedback evaluate` writes one JSON and from it a page and tables, whole or not at all."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rl_feedback.__main__ import main
from rl_feedback.evaluation.printing import writing
from rl_feedback.evaluation.printing.page import draw_page
from rl_feedback.evaluation.printing.radars import radar_of
from rl_feedback.evaluation.printing.tables import latex
from rl_feedback.evaluation.results import from_json, to_json
from tests.rl_feedback.evaluation.evaluated import QUICK, lines, result_of, two_reports
from tests.rl_feedback.evaluation.made_up import REPORTS, rows

FILES = {
    *("results.json", "report.html", "figures.csv", "differences.csv", "tables.tex", "model-card.md"),
}


def predicted(made: list[dict[str, Any]], *, left_out: float) -> list[dict[str, Any]]:
    """Each answer with so many of its words left out."""
    dice = random.Random(3)
    return [
        {
            "id": row["id"],
            "text": " ".join(word for word in row["answer"].split() if dice.random() > left_out),
            "prompt": row["question"],
        }
        for row in made
    ]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XrayBench's shape, a good model beside a worse one."""
    folder = tmp_path_factory.mktemp("tried")
    made = list(rows(divided_by=200))
    (folder / "bench").mkdir()
    lines(folder / "bench" / "test.jsonl", made)
    good = lines(folder / "good.jsonl", predicted(made, left_out=0.1))
    worse = lines(folder / "worse.jsonl", predicted(made, left_out=0.6))
    arguments = ["--predictions", good, "--references", str(folder / "bench"), "--beside", worse]
    status = main(["evaluate", *arguments, "--out", str(folder / "out"), *QUICK])
    assert status == 0
    return folder


def test_every_file_is_there_and_the_page_is_drawn_from_the_json_alone(tried: Path) -> None:
    out = tried / "out"
    assert {path.name for path in out.iterdir()} == FILES
    report = result_of(out)
    assert to_json(report) == (out / "results.json").read_text("utf-8")
    assert draw_page(report) == (out / "report.html").read_text("utf-8")
    assert latex(report) == (out / "tables.tex").read_text("utf-8")


def test_the_better_model_is_better_by_every_measure_that_says_so(tried: Path) -> None:
    report = result_of(tried / "out")
    for task, measure in (("report", "bleu_4"), ("report", "rule_chexpert_f1_micro_14"), ("vqa", "score")):
        first, second = (report.figure(task, measure, system) for system in ("good", "worse"))
        assert first is not None
        assert second is not None
        assert None not in (first.value, first.low, second.value)
        assert (first.low or 0) <= (first.value or 0) > (second.value or 0)
        (found,) = [one for one in report.compared if (one.task, one.measure) == (task, measure)]
        assert found.value == pytest.approx((first.value or 0) - (second.value or 0))
        assert found.wins > found.losses
        assert found.p
        assert found.p_holm
        assert found.p <= found.p_holm
    assert sum(one.num for one in report.failed if one.system == "worse") > 0


def test_a_difference_says_where_less_is_better(tried: Path) -> None:
    page = (tried / "out" / "report.html").read_text("utf-8")
    (plot,) = [one for one in page.split("<svg")[1:] if "Reports: good less worse (↓ less is better)" in one]
    assert ">made up, of findings said ↓</text>" in plot
    assert ">BLEU-4</text>" in plot
    assert '<th scope="row">made up, of findings said ↓</th>' in page


def test_a_model_that_writes_little_is_said_to_be_cut_by_bleu(tried: Path, tmp_path: Path) -> None:
    assert not any("words for each word" in note for note in result_of(tried / "out").notes)
    right = [{"id": str(n), "task": "report", "answer": text} for n, text in enumerate(REPORTS)]
    short = [{"id": row["id"], "text": "No pneumothorax."} for row in right]
    files = [lines(tmp_path / "short.jsonl", short), "--references", lines(tmp_path / "right.jsonl", right)]
    assert main(["evaluate", "--predictions", *files, "--out", str(tmp_path / "out"), *QUICK]) == 0
    (note,) = [one for one in result_of(tmp_path / "out").notes if "words for each word" in one]
    # 6 of 33 words: e to the 1 - 33 / 6.
    assert note.startswith("short writes 0.18 words for each word of the references.")
    assert "of what its words match 0.01 is left" in note


def test_published_values_stand_apart_with_their_errata(tried: Path) -> None:
    page = (tried / "out" / "report.html").read_text("utf-8")
    assert "This is not the whole published XrayBench." in page
    assert "DeepMedix-R1 (published)" in page
    assert "swapped for LLaVA-Rad" in page
    box = page[page.index('<section class="published">') : page.index("</section>")]
    assert "good (measured here)" in box
    assert "DeepMedix-R1 (published)" not in page.replace(box, "")


def test_what_could_not_be_computed_is_told_and_has_no_figure(tried: Path) -> None:
    report = result_of(tried / "out")
    absent = {one.measure for one in report.absent}
    assert {"bert_score", "f1_radgraph", "ratescore", "green", "radcliq_v1", "meteor_1_5"} <= absent
    assert not absent & {one.measure for one in report.figures}
    card = (tried / "out" / "model-card.md").read_text("utf-8")
    assert "BERTScore: unavailable, because the package bert_score is not installed." in card


def test_where_it_comes_from_is_in_every_file(tried: Path) -> None:
    report = result_of(tried / "out")
    data = report.provenance["references"].rsplit(" ", 1)[1]
    assert report.provenance["seed"] == "7"
    assert "different, sha256" in report.provenance["prompts of good"]
    for name in FILES:
        assert data in (tried / "out" / name).read_text("utf-8"), name


def test_tables_hold_the_figures_of_the_json(tried: Path) -> None:
    report = result_of(tried / "out")
    with (tried / "out" / "figures.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert len(told) == len(report.figures)
    assert [float(one["value"]) if one["value"] else None for one in told] == [
        one.value for one in report.figures
    ]


def test_the_same_files_give_the_same_json(tried: Path, tmp_path: Path) -> None:
    arguments = ["--predictions", str(tried / "good.jsonl"), "--beside", str(tried / "worse.jsonl")]
    arguments += ["--references", str(tried / "bench"), "--out", str(tmp_path / "again"), *QUICK]
    assert main(["evaluate", *arguments]) == 0
    first, again = ((folder / "results.json").read_bytes() for folder in (tried / "out", tmp_path / "again"))
    assert first == again


def own_benchmark(folder: Path) -> tuple[str, str]:
    """Reports with boxes on two films of one study, asked on blank films too; one is read from its film."""
    Image.fromarray(np.zeros((64, 32), dtype=np.uint8)).save(folder / "film.png")
    made = [
        {
            "id": f"film {place}",
            "task": "report",
            "answer": report,
            "boxes": [[4, 4, 20, 40]],
            "image_size": [32, 64],
            "image": "film.png",
            "study": str(place // 2),
        }
        for place, report in enumerate(REPORTS * 2)
    ]
    told = []
    for row in made:
        text = f"<think> A <script>finding [4, 4, 20, 40] </think> \\boxed{{{row['answer']}}}"
        told += [
            {"id": row["id"], "text": text},
            {"id": row["id"], "film": "blank", "text": "\\boxed{<script>Clear lungs.}"},
            {"id": row["id"], "film": "shuffled", "text": text},
        ]
    elsewhere = [
        {"id": row["id"], "text": f"<think> A finding [20, 50, 30, 60] </think> \\boxed{{{row['answer']}}}"}
        for row in made
    ]
    lines(folder / "elsewhere.jsonl", elsewhere)
    return lines(folder / "references.jsonl", made), lines(folder / "model.jsonl", told)


def test_regions_films_and_image_dependence_of_ones_own_benchmark(tmp_path: Path) -> None:
    references, predictions = own_benchmark(tmp_path)
    arguments = ["--predictions", predictions, "--references", references, "--out", str(tmp_path / "out")]
    beside = ["--beside", str(tmp_path / "elsewhere.jsonl")]
    assert main(["evaluate", *arguments, *beside, "--with-films", *QUICK]) == 0
    report = result_of(tmp_path / "out")
    found = report.figure("grounding", "f1_50", "model")
    assert found
    assert (found.value, report.deviations) == (1.0, None)
    blank, shuffled = (
        next(one for one in report.dependence if (one.film, one.measure) == (film, "rouge_l"))
        for film in ("blank", "shuffled")
    )
    assert (blank.share_same, shuffled.share_same, shuffled.difference) == (0.0, 1.0, 0.0)
    assert blank.difference
    assert blank.difference > 0.5
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "data:image/jpeg;base64," in page
    # The model is perfect, so its films are those on which the other one differs.
    assert {one.kind for one in report.cases} == {"changed"}
    assert "Reports: no case lost anything by rule CheXpert F1 micro, 14." in page
    assert "Regions: no case lost anything by matched IoU." in page
    film = page[page.index('<svg viewBox="0 0 32 64"') :]
    assert film.count("<rect", 0, film.index("</svg>")) == 4
    assert [film.count(f'stroke-dasharray="{dash}"', 0, film.index("</svg>")) for dash in ("7 4", "2 3")] == [
        1,
        1,
    ]
    assert "Published figures" not in page
    assert "A &lt;script&gt;finding" in page
    assert "<script>" not in page
    blind = {one.measure: one for one in report.blind_spots}
    swapped = blind["rule_chexpert_f1_micro_14"].swapped
    assert swapped == 1.0
    assert blind["swapped"].swapped == 1.0
    assert blind["rule_chexpert_f1_micro_14"].flipped == 0.0


def test_the_worst_are_those_that_lost_something(tmp_path: Path) -> None:
    references, _ = own_benchmark(tmp_path)
    told = [{"id": f"film {place}", "text": text} for place, text in enumerate(REPORTS * 2)]
    told[3]["text"] = "Clear lungs."
    predictions = lines(tmp_path / "one.jsonl", told)
    arguments = ["--predictions", predictions, "--references", references, "--out", str(tmp_path / "out")]
    assert main(["evaluate", *arguments, "--weight-free", *QUICK]) == 0
    worst = [(one.task, one.uid) for one in result_of(tmp_path / "out").cases]
    assert [uid for task, uid in worst if task == "report"] == ["film 3"]
    assert len([uid for task, uid in worst if task == "grounding"]) == 6
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "no case lost anything" not in page


def test_a_radar_has_an_axis_for_each_measure_that_all_models_have(tried: Path) -> None:
    report = result_of(tried / "out")
    (drawn,) = radar_of(report, "report", words="Reports")
    assert drawn.count("fill-opacity") == len(report.systems) * 2
    assert "ROUGE-L" in drawn
    without = replace(
        report,
        figures=tuple(
            replace(one, value=None) if (one.measure, one.system) == ("rouge_l", report.systems[1]) else one
            for one in report.figures
        ),
    )
    (drawn,) = radar_of(without, "report", words="Reports")
    assert "ROUGE-L" not in drawn
    assert "METEOR" in drawn
    few = tuple(one for one in report.figures if one.measure in ("rouge_l", "bleu_4"))
    assert not list(radar_of(replace(report, figures=few), "report", words="Reports"))


def test_texts_stay_at_home_where_that_is_asked(tmp_path: Path) -> None:
    references, predictions = own_benchmark(tmp_path)
    arguments = ["--predictions", predictions, "--references", references, "--out", str(tmp_path / "out")]
    assert main(["evaluate", *arguments, "--without-texts", "--weight-free", *QUICK]) == 0
    for name in FILES:
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert not any(report in text for report in REPORTS)
        assert "data:image" not in text


def test_a_failure_leaves_nothing_behind(tried: Path, tmp_path: Path, monkeypatch) -> None:
    report = result_of(tried / "out")

    def broken(_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "model_card", broken)
    with pytest.raises(OSError, match="No space left"):
        writing.write_report(report, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--column", "answer"], "--column is written answer=NAME"),
        (["--green", "http://127.0.0.1:1/v1"], "GREEN needs both"),
        (["--green", "https://other.example/v1", "--green-model", "j"], "INFERENCE_ENDPOINTS"),
        (["--num-draws", "0"], "are at least 1 each"),
        (["--beside", "PREDICTIONS"], "Two files of predictions are called good"),
        (["--out", "FULL"], "is not empty. Name a new folder."),
        (["--predictions", "PART"], "has no prediction for 1 sample of"),
        (["--predictions", "nowhere.jsonl"], "nowhere.jsonl: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tried: Path, tmp_path: Path, capsys, arguments: list[str], sentence: str
) -> None:
    part = tmp_path / "part.jsonl"
    part.write_text("\n".join((tried / "good.jsonl").read_text("utf-8").splitlines()[1:]), "utf-8")
    named = {"PREDICTIONS": tried / "good.jsonl", "FULL": tried / "out", "PART": part}
    given = ["--predictions", str(tried / "good.jsonl"), "--references", str(tried / "bench")]
    given += ["--out", str(tmp_path / "new"), *QUICK, *(str(named.get(one, one)) for one in arguments)]
    assert main(["evaluate", *given]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_missing_predictions_are_wrong_where_that_is_asked(tried: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.jsonl"
    kept = [line for line in (tried / "good.jsonl").read_text("utf-8").splitlines() if "VQA-view" not in line]
    part.write_text("\n".join(kept), "utf-8")
    arguments = ["--predictions", str(part), "--references", str(tried / "bench"), "--missing-is-wrong"]
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "out"), *QUICK]) == 0
    report = result_of(tmp_path / "out")
    (missing,) = [one for one in report.failed if one.reason == "no prediction"]
    view = report.figure("vqa", "score", "part", "CXR-VQA view")
    assert view
    assert (missing.num, view.value, view.num) == (3, 0.0, 3)


def test_a_json_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no result of an evaluation"):
        from_json('{"format": "other"}')
    with pytest.raises(ValueError, match="lacks or has too much of"):
        from_json('{"format": "deepmedix-evaluation/1", "title": "a"}')


def test_a_share_of_findings_is_told_with_of_how_many_it_is_one(tmp_path: Path) -> None:
    assert main(["evaluate", *two_reports(tmp_path), "--out", str(tmp_path / "out")]) == 0
    report = result_of(tmp_path / "out")
    # It says edema twice, which is wrong once; of four true findings it leaves three out.
    made_up, left_out, flipped, bleu = (
        report.figure("report", name, "worse") for name in ("made_up", "left_out", "flipped", "bleu_1")
    )
    assert [(one and one.value, one and one.num_of) for one in (made_up, left_out)] == [(0.5, 2), (0.75, 4)]
    assert flipped is not None
    assert flipped.num_of == 1
    assert bleu is not None
    assert bleu.num_of is None
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "made up, of findings said" in page
    assert ") of 4" in page
    assert ") of 4" in (tmp_path / "out" / "tables.tex").read_text("utf-8")
    assert ") of 4" in (tmp_path / "out" / "model-card.md").read_text("utf-8")
    with (tmp_path / "out" / "figures.csv").open(encoding="utf-8") as file:
        told = [
            one for one in csv.DictReader(file) if (one["measure"], one["system"]) == ("left_out", "worse")
        ]
    assert {one["num_of"] for one in told} == {"4"}


def test_a_result_that_was_written_before_shares_told_their_number_is_read(tried: Path) -> None:
    told = json.loads((tried / "out" / "results.json").read_text("utf-8"))
    for one in told["figures"]:
        del one["num_of"]
    report = from_json(json.dumps(told))
    assert {one.num_of for one in report.figures} == {None}
    assert "made up, of findings said" in draw_page(report)


def test_latex_escapes_names_and_brings_several_systems_to_the_width_of_the_text(tried: Path) -> None:
    report = result_of(tried / "out")
    text = latex(report)
    assert text.startswith("% Needs \\usepackage[T1]{fontenc}, \\usepackage{booktabs} and ")
    assert text.count("\\resizebox{\\textwidth}{!}{%\n\\begin{tabular}{lll}") == len(report.sizes)
    assert text.count("\\end{tabular}\n}\n\\end{table}") == len(report.sizes)
    alone = latex(replace(report, systems=("50 % κ & <x_y>",)))
    assert "measure & 50 \\% $\\kappa$ \\& \\textless{}x\\_y\\textgreater{} \\\\\n" in alone
    assert "resizebox" not in alone.partition("\n")[2]
