"""Ratings that cannot be compared are refused in a sentence; figures that do not exist say why."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from math import inf, nan

import numpy as np
import pytest

from rl_feedback.agreement import (
    cohen_kappa,
    dawid_skene,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    icc,
    jackknife_covariances,
    kendall_w,
    krippendorff_alpha,
    mean_covariances,
    mrmc_or,
    region_agreement,
    side_bias,
)
from tests.rl_feedback.agreement_examples import told


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: krippendorff_alpha([[nan, nan], [nan, nan]], "nominal"), "There is no rating"),
        (lambda: krippendorff_alpha([[1, 2, 3]], "nominal"), "at least 2 readers"),
        (lambda: krippendorff_alpha([1, 2, 3], "nominal"), "readers x items"),
        (lambda: krippendorff_alpha([[1, 2], [1]], "nominal"), "all rows equally long"),
        (lambda: krippendorff_alpha([["a", "b"], ["a", "b"]], "nominal"), "number your categories"),
        (lambda: krippendorff_alpha([[1, nan], [nan, 2]], "nominal"), "No item has 2 ratings"),
        (lambda: krippendorff_alpha([[1, 2], [1, inf]], "interval"), "infinite"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], "cardinal"), "level is one of nominal, ordinal"),
        (lambda: krippendorff_alpha([[-1, 2], [1, 2]], "ratio"), "use the interval level"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], "nominal", confidence=95), "between 0 and 1"),
        (lambda: gwet_ac1([[1, nan], [nan, 2]]), "No item has 2 ratings"),
        (lambda: gwet_ac1([[1, 7], [1, 2]], categories=[1, 2, 3]), "rating 7 is not among the categories"),
        (lambda: gwet_ac1(np.arange(4000).reshape(2, 2000)), "use icc"),
        (lambda: gwet_ac2([[1, 2], [1, 2]], "cubic"), "weights are linear, quadratic"),
        (lambda: gwet_ac2([[1, 2], [1, 2]], [[1, 0, 0], [0, 1, 0]]), "must be 2 x 2"),
        (lambda: gwet_ac2([[1, 2], [1, 2]], [[0, 1], [1, 0]]), "1 on the diagonal"),
        (lambda: fleiss_kappa([[1, 0], [0, 1]]), "No item has 2 ratings"),
        (lambda: fleiss_kappa([[0.5, 1.5], [0, 1]]), "whole numbers"),
        (lambda: cohen_kappa([[1, 2, 3], [1, 2, 3]]), "must be square"),
        (lambda: cohen_kappa([[0.4, 0.1], [0.1, 0.4]]), "not shares"),
        (lambda: cohen_kappa([[0, 0], [0, 0]]), "no item was rated by both"),
        (lambda: icc([[1, 2], [2, 3]], "4,1"), "form is one of 1,1"),
        (lambda: icc([[1], [2]], "1,1"), "at least 2 readers"),
        (lambda: icc([[1, nan], [nan, 2], [3, 4]], "1,1"), "Only 1 of 3 items"),
        (lambda: kendall_w([[1, 2, nan], [1, 2, 3]]), "leave out items or readers"),
        (lambda: kendall_w([[1, 2, 3]]), "at least 2 readers"),
        (lambda: dawid_skene([1, 2], ["a"], [1, 2]), "equally long"),
        (lambda: dawid_skene([], [], []), "not empty"),
        (lambda: dawid_skene([1, 2], ["a", "a"], [1.0, nan]), "hold a gap"),
        (lambda: mrmc_or([[0.8, 0.9]], 0.1, 0.1), "at least 2 treatments"),
        (lambda: mrmc_or([[0.8, 0.9], [nan, 0.7]], 0.1, 0.1), "leave out readers"),
        (lambda: mrmc_or([[0.8, 0.9], [0.6, 0.7]], nan, 0.1), "jackknife_covariances"),
        (lambda: jackknife_covariances([1, 0, 0], np.ones((2, 2, 3))), "2 cases with the finding"),
        (lambda: jackknife_covariances([1, 0, 2], np.ones((2, 2, 3))), "True or False"),
        (lambda: jackknife_covariances([1, 1, 0, 0], np.ones((2, 4))), "treatments x readers x 4 cases"),
        (lambda: jackknife_covariances([1, 1, 0, 0], np.full((1, 1, 4), nan)), "a score for every case"),
        (lambda: mean_covariances(np.ones((2, 3))), "treatments x readers x cases; they have 2"),
        (lambda: mean_covariances(np.full((2, 2, 3), nan)), "a rating of every case"),
        (lambda: mean_covariances(np.ones((2, 2, 1))), "At least 2 cases"),
        (lambda: region_agreement([[[(0, 0, 1, 1)], None]]), "read by 2 readers"),
        (lambda: region_agreement([[[(0, 0, 1, nan)], [(0, 0, 1, 1)]]]), "no number"),
        (lambda: side_bias(-1, 2, 0), "counted from 0 up"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(ask, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        ask()


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (krippendorff_alpha([[3, 3, 3], [3, 3, 3]], "ordinal"), "Every rating is the same"),
        (gwet_ac1([[3, 3, 3], [3, 3, 3]]), "list all that readers could choose"),
        (gwet_ac2([[3, 3, 3], [3, 3, 3]], "linear"), "list all that readers could choose"),
        (fleiss_kappa([[2, 0], [2, 0]]), "one category"),
        (cohen_kappa([[9, 0], [0, 0]]), "one category only"),
        (icc([[4, 4], [4, 4]], "2,1"), "do not vary"),
        (kendall_w([[1, 1, 1], [2, 2, 2]]), "no order"),
        (region_agreement([[[], []]]), "No reader marked a region"),
        (side_bias(0, 0, 5), "No vote fell on a side"),
    ],
)
def test_without_variation_the_value_is_none_and_the_note_says_why(found, reason) -> None:
    assert found.value is None
    assert found.interval is None
    assert reason in found.note


def test_one_item_has_a_value_but_no_interval() -> None:
    assert krippendorff_alpha([[1], [2]], "nominal").interval is None
    found = gwet_ac1([[1], [2]])
    assert found.interval is None
    assert "One item only" in found.note


def test_readers_who_do_not_vary_leave_hillis_degrees_of_freedom_infinite_and_no_test_without_cases() -> None:
    steady = [[0.70, 0.80, 0.90], [0.75, 0.85, 0.95]]
    found = mrmc_or(steady, cov2=0.0004, cov3=0.0001)
    assert found.degrees_of_freedom == inf
    assert 0 < told(found.p) < 1
    assert found.p == pytest.approx(found.p_of_f)
    untested = mrmc_or(steady, cov2=0.0001, cov3=0.0004)
    assert untested.difference == pytest.approx(-0.05)
    assert (untested.p, untested.interval, untested.f) == (None, None, None)
    assert "no test" in untested.note


def test_one_reader_or_one_treatment_has_no_covariance_to_share() -> None:
    one_reader = jackknife_covariances([1, 1, 0, 0], [[[4, 2, 3, 1]], [[4, 3, 2, 1]]])
    assert one_reader.cov1 is not None
    assert (one_reader.cov2, one_reader.cov3) == (None, None)


def test_items_with_a_gap_are_left_out_of_the_intraclass_correlation_and_counted() -> None:
    found = icc([[1, 2], [2, 3], [nan, 4], [4, 4]], "2,1")
    assert (found.num_items, found.num_items_left_out) == (3, 1)
    assert "1 items with a gap" in found.note


def test_dawid_and_skene_say_when_they_did_not_settle_or_had_one_class() -> None:
    rushed = dawid_skene([1, 1, 2, 2], ["a", "b", "a", "b"], ["x", "y", "y", "y"], most_rounds=1)
    assert not rushed.converged
    assert "raise most_rounds" in rushed.note
    assert "One class only" in dawid_skene([1, 2], ["a", "a"], ["x", "x"]).note


def test_results_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        side_bias(1, 2, 3).value = 0.9  # type: ignore[misc]


def test_the_library_needs_no_web_framework_and_no_torch() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import rl_feedback.agreement, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"django", "torch", "pandas"} & set(loaded)
