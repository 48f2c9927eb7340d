"""Measures that need weights run by their own packages, or say why they can't and how they could."""

import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from rl_feedback.evaluation.reports.green import green
from rl_feedback.evaluation.reports.radcliq import radcliq_v1
from rl_feedback.evaluation.reports.scoring import score_reports
from rl_feedback.evaluation.reports.weighted import MEASURES, Unavailable
from rl_feedback.labels import CHEXPERT_14

GIVEN, WANTED = ["Left effusion.", "Edema."], ["Left effusion.", "No edema."]


@pytest.mark.parametrize(
    ("bleu_2", "bert", "semb", "radgraph", "value"),
    [
        # ReXrank's board on MIMIC-CXR: MedVersa, RaDialog, RGRG, CheXagent, GPT-4V.
        (0.193, 0.430, 0.315, 0.273, 1.088),
        (0.112, 0.322, 0.381, 0.168, 1.330),
        (0.125, 0.323, 0.337, 0.176, 1.363),
        (0.094, 0.304, 0.331, 0.146, 1.437),
        (0.065, 0.204, 0.190, 0.085, 1.819),
    ],
)
def test_radcliq_has_the_values_of_the_public_board(bleu_2, bert, semb, radgraph, value) -> None:
    found = float(radcliq_v1(np.array([radgraph, bert, semb, bleu_2])))
    assert found == pytest.approx(value, abs=0.0025)


def test_what_is_not_installed_says_so_and_how_to_get_it() -> None:
    found = score_reports(GIVEN, WANTED)
    names = {"bert_score", "f1_radgraph", "chexbert_f1_micro_14", "ratescore", "green", "radcliq_v1"}
    assert names <= set(found.unavailable)
    assert not names & set(found.scored.measures)
    reason, way_out = found.unavailable["bert_score"]
    assert reason == "the package bert_score is not installed"
    assert way_out.startswith("pip install bert-score")
    assert found.unavailable["radcliq_v1"][0] == "its parts are given for 0 of 2 reports"


def test_labels_of_chexbert_are_counted_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*CHEXPERT_14[1:], CHEXPERT_14[0]]

    class F1CheXbert:
        target_names = names

        def get_label(self, text: str) -> list[int]:
            return [int(name.split()[-1] in text.title()) for name in names]

    package = ModuleType("f1chexbert")
    package.F1CheXbert = F1CheXbert  # type: ignore[attr-defined]
    package.__spec__ = SimpleNamespace(name="f1chexbert")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "f1chexbert", package)
    found = score_reports(GIVEN, ["Left effusion.", "Clear."])
    value_of = found.scored.measures["chexbert_f1_micro_14"]
    # The effusion is right, the edema made up: 2 / (2 + 1).
    assert float(value_of(found.scored.counts.sum(axis=0))) == pytest.approx(2 / 3)
    assert "chexbert_f1_micro_14" not in found.unavailable
    without = score_reports(GIVEN, WANTED, with_weights=False)
    assert "chexbert_f1_micro_14" not in without.scored.measures
    assert without.unavailable["chexbert_f1_micro_14"][1] == "leave out --weight-free"


def test_a_package_that_breaks_leaves_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("radgraph")
    package.__spec__ = SimpleNamespace(name="radgraph")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "radgraph", package)
    (measure,) = [one for one in MEASURES if one.name == "f1_radgraph"]
    with pytest.raises(Unavailable, match="unavailable, because radgraph could not be run"):
        measure.scores(GIVEN, WANTED)


def said(matched: int, **errors: int) -> str:
    return json.dumps({"matched": matched, "errors": {kind: errors.get(kind, 0) for kind in "abcdef"}})


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ([said(3, a=1)], 0.75),
        ([said(0)], 0.0),
        (["Sure! " + said(1) + " That is all."], 1.0),
        (["rubbish", '{"matched": 1}', said(1, b=1, c=2)], 0.25),
        (["rubbish", said(-1), '{"matched": 1e999, "errors": {}}'], None),
    ],
)
def test_green_asks_again_and_leaves_out_what_cannot_be_read(answers, value) -> None:
    asked = iter(answers)
    (found,) = green(["Effusion."], ["Effusion. Edema."], lambda _: next(asked))
    assert np.isnan(found) if value is None else found == pytest.approx(value)
