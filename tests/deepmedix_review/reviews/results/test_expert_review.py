"""The tables that papers print, held against hand counts."""

import numpy as np
import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.models import ReaderStudy, Reading, Vote
from deepmedix_review.reviews.reading.changes import RateStep
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.figures import Figure, Table, rounded_p
from deepmedix_review.reviews.results.latex import latex_lines
from rl_feedback.agreement import mean_covariances, mrmc_or
from tests.deepmedix_review.reviews.results.the_figures import figure, rows_of
from tests.factories.reader_studies import two_versions_running
from tests.factories.reviews import change, complete, sign

pytestmark = pytest.mark.django_db

NUM_CASES, NUM_READERS = 6, 3


def test_each_dimension_is_told_of_both_versions_as_papers_do() -> None:
    study, older, newer = two_versions_running(num_cases=NUM_CASES, num_readers=NUM_READERS)
    empty = figure(compute(study), "expert-review")
    assert empty.note.startswith("No scale has been rated and no vote signed yet")
    given = {older.pk: np.zeros((NUM_READERS, NUM_CASES)), newer.pk: np.zeros((NUM_READERS, NUM_CASES))}
    readers = sorted({one.assignment.reader_id for one in _readings(study)})
    for reading in _readings(study):
        reader, case = readers.index(reading.assignment.reader_id), reading.assignment.case.position - 1
        # The newer one is voted for on 4 of 6 cases; one case is a tie.
        side = Vote.Side.TIE if case == 0 else _side_of(reading, newer.pk if case < 5 else older.pk)
        complete(reading, side=side)
        for completion in (reading.completion_a, reading.completion_b):
            assert completion is not None
            [step] = completion.steps.all()
            is_newer = completion.model_version_id == newer.pk
            points = 1 + (2 * case + reader + (2 if is_newer else 0)) % 5
            change(reading, RateStep(step.uid, points, False, ""))
            given[completion.model_version_id][reader, case] = points
        sign(reading)
    dashboard = compute(study)
    rows = rows_of(figure(dashboard, "expert-review"))
    assert list(rows)[:3] == ["Relevance", "Correctness", "Completeness"]
    assert [row["kind"] for row in rows.values()][3] == "forced choice, share"
    assert (rows["Relevance"][f"{older}"], rows["Relevance"]["kind"]) == (1.0, "absolute, 0 to 1")
    assert rows["Completeness"][f"{newer}"] == 0.5
    [plausible] = [row for name, row in rows.items() if "lausib" in name]
    for version in (older, newer):
        mean = (given[version.pk].mean() - 1) / 4
        assert plausible[f"{version}"] == pytest.approx(mean, abs=1e-4)
        assert plausible[f"{version} low"] < mean < plausible[f"{version} high"]
    assert (plausible["cases"], plausible["ratings"], plausible["readers"]) == (6, 36, 3)
    assert plausible["agreement by"] == "alpha"
    [overall] = [row for row in rows.values() if row["kind"] == "forced choice, share"][-1:]
    # Half of the tie, and 4 of 6.
    assert (overall[f"{older}"], overall[f"{newer}"]) == pytest.approx((1.5 / 6, 4.5 / 6), abs=1e-4)
    assert (overall["ratings"], overall["agreement by"]) == (18, "AC1")

    [tested] = [row for name, row in rows_of(figure(dashboard, "mrmc")).items() if "lausib" in name]
    covariances = mean_covariances([given[newer.pk], given[older.pk]])
    assert covariances.cov2 is not None
    assert covariances.cov3 is not None
    expected = mrmc_or(covariances.scores, covariances.cov2, covariances.cov3)
    assert expected.interval is not None
    assert (tested["difference"], tested["low"], tested["high"], tested["p"]) == pytest.approx(
        (expected.difference, *expected.interval, expected.p), abs=1e-4
    )
    assert (tested["readers"], tested["cases"]) == (3, 6)
    rows_of_readers = figure(dashboard, "reader-scores").table.rows
    by_reader = np.array([row[2:5] for row in rows_of_readers if "lausib" in str(row[0])], dtype=float)
    assert sorted(by_reader[:, 0]) == pytest.approx(sorted(given[older.pk].mean(axis=1)), abs=1e-4)
    assert by_reader[:, 2] == pytest.approx(by_reader[:, 1] - by_reader[:, 0], abs=1e-3)


def test_readers_who_saw_one_version_of_each_case_can_not_be_compared_so() -> None:
    study, older, newer = two_versions_running(num_cases=4, num_readers=2, shows="one_of_two")
    for reading in _readings(study):
        complete(reading)
        sign(reading)
    dashboard = compute(study)
    assert figure(dashboard, "mrmc").note == (
        "It needs 2 readers who rated the same 2 cases or more, each under both versions."
    )
    rows = rows_of(figure(dashboard, "expert-review"))
    assert {f"{older}", f"{newer}"} <= set(rows["Relevance"])
    assert "forced choice, share" not in {row["kind"] for row in rows.values()}


def test_a_figure_leaves_as_latex_and_is_recorded(admin: Client) -> None:
    study, *_ = two_versions_running(num_cases=2, num_readers=1)
    for reading in _readings(study):
        sign_completed(reading)
    answer = admin.get(reverse("reader-study-results-tex", args=[study.uid, "expert-review"]))
    assert answer.headers["Content-Disposition"].endswith('-expert-review.tex"')
    text = b"".join(answer).decode()
    needs, _, table = text.partition("\n")
    assert needs == ("% Needs \\usepackage[T1]{fontenc}, \\usepackage{booktabs} and \\usepackage{graphicx}.")
    assert table.startswith("\\begin{table}\n")
    assert "\n\\caption{Each dimension, as papers print it. n: " in text
    assert "\\resizebox{\\textwidth}{!}{%\n\\begin{tabular}{ll" in text
    assert "\nRelevance & absolute, 0 to 1 & 1.000 & " in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n}\n\\end{table}\n")
    event = AuditEvent.objects.filter(action="download_results").latest("sequence")
    assert event.details == {"figure": "expert-review", "form": "tex"}
    page = admin.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert "expert-review.tex" in page


def test_what_latex_would_take_for_a_command_is_written_as_words() -> None:
    table = Table(("who_said", "points"), (("50 % & \\input{x}\n$1$ #2 ~^", -0.5), ("plain", None)))
    found = Figure(key="k", title="T_1", table=table, method="m", n="")
    text = "".join(latex_lines(found))
    assert "who\\_said & points \\\\" in text
    words = "50 \\% \\& \\textbackslash{}input\\{x\\} \\$1\\$ \\#2 \\textasciitilde{}\\textasciicircum{}"
    assert f"{words} & $-0.500$ \\\\" in text
    assert "\nplain &  \\\\\n" in text
    assert "\\begin{tabular}{lr}" in text
    assert "resizebox" not in text


def test_what_is_hardly_a_chance_is_not_written_as_none() -> None:
    table = Table(("question", "p"), (("Correctness", rounded_p(1.23e-9)), ("Relevance", rounded_p(0.53021))))
    lines = "".join(latex_lines(Figure(key="k", title="T", table=table, n="", method="")))
    assert "Correctness & $<0.001$" in lines
    assert "Relevance & 0.530" in lines
    assert table.rows[0][1] == 1.2e-9
    page = Template("{% load plans %}{% for cell in row %}{{ cell|told_cell }};{% endfor %}")
    assert page.render(Context({"row": (*table.rows[0], None, 0.5302)})) == "Correctness;1.2e-09;;0.5302;"


def test_a_figure_without_a_column_is_a_caption_since_latex_knows_no_such_table() -> None:
    found = Figure(key="k", title="Repeats", table=Table((), ()), method="m", n="", note="None yet ± κ.")
    lines = "".join(latex_lines(found)).splitlines()
    assert lines[1:] == [
        *("\\begin{table}", "\\centering", "\\caption{Repeats. Method: m. None yet ± $\\kappa$.}"),
        *("\\label{tab:k}", "\\end{table}"),
    ]


def sign_completed(reading: Reading) -> None:
    complete(reading)
    sign(reading)


def _readings(study: ReaderStudy) -> list[Reading]:
    found = Reading.objects.filter(assignment__case__reader_study=study)
    return list(found.select_related("assignment__case", "completion_a", "completion_b"))


def _side_of(reading: Reading, version: int) -> Vote.Side:
    return Vote.Side.A if reading.completion_a.model_version_id == version else Vote.Side.B
