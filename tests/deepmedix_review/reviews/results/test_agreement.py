"""How far readers agree: held against hand counts and against readers whose truth is known."""

import numpy as np
import pytest

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.plots import interval_plot
from deepmedix_review.reviews.results.readings import Said, as_slots, as_table, load_readings, load_these
from deepmedix_review.reviews.results.regions import GRID, coverage
from deepmedix_review.reviews.services import amend_reading
from rl_feedback.agreement import krippendorff_alpha
from tests.deepmedix_review.reviews.results.the_figures import figure, rows_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import complete, reader_study, sign
from tests.factories.simulated_readers import SimulatedReader, simulated_reader_study

pytestmark = pytest.mark.django_db


def test_alpha_of_the_page_is_the_librarys_on_a_table_made_by_hand() -> None:
    readers = [SimulatedReader(ExpertFactory.create(), noise=0.4) for _ in range(3)]
    study = simulated_reader_study(num_cases=6, readers=readers, seed=3)
    ratings = StepRating.objects.filter(reading__assignment__case__reader_study=study)
    people, steps = (
        set(ratings.values_list(path, flat=True)) for path in ("reading__assignment__reader", "step")
    )
    table = np.full((len(people), len(steps)), np.nan)
    row, column = ({key: place for place, key in enumerate(sorted(keys))} for keys in (people, steps))
    for reader, step, value in ratings.values_list("reading__assignment__reader", "step", "plausibility"):
        table[row[reader], column[step]] = value
    expected = krippendorff_alpha(table, "ordinal")

    shown = rows_of(figure(compute(study), "alpha"))["Plausibility"]
    assert shown["value"] == pytest.approx(expected.value, abs=1e-4)
    assert (shown["items"], shown["ratings"]) == (len(steps), ratings.count())
    readings = load_readings(study)
    ratings_columns = Said(readings).plausibility
    assert np.array_equal(as_table(readings, ratings_columns), table, equal_nan=True)
    assert np.array_equal(np.sort(as_slots(ratings_columns), axis=0), np.sort(table, axis=0), equal_nan=True)


def test_readings_of_another_reader_study_whose_keys_lie_between_are_not_loaded() -> None:
    readers = [SimulatedReader(ExpertFactory.create()) for _ in range(2)]
    study = simulated_reader_study(num_cases=3, readers=readers, seed=1)
    other = simulated_reader_study(num_cases=1, readers=readers, seed=2)
    between = Case.objects.get(reader_study=study, position=2)
    Case.objects.filter(pk=between.pk).update(reader_study=other, position=2)

    readings = load_readings(study)
    signed = Reading.objects.filter(assignment__case__reader_study=study)
    assert readings.key.tolist() == sorted(signed.values_list("pk", flat=True))
    assert between.pk not in readings.case
    assert set(readings.reader_study.tolist()) == {study.pk}
    these = load_these(readings.key)
    assert all(np.array_equal(column, vars(these)[name]) for name, column in vars(readings).items())


def test_ratings_whose_keys_fit_no_single_number_are_loaded_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = [SimulatedReader(ExpertFactory.create(), noise=0.4) for _ in range(2)]
    readings = load_readings(simulated_reader_study(num_cases=3, readers=readers, seed=6))

    def loaded() -> dict[str, set[tuple[int, int, float]]]:
        said = Said(readings)
        every = {"plausibility": said.plausibility, "verdicts": said.verdicts, **said.answers, **said.votes}
        return {
            name: set(zip(*(column.tolist() for column in (one.reading, one.item, one.value)), strict=True))
            for name, one in every.items()
        }

    in_one_number = loaded()
    monkeypatch.setattr("deepmedix_review.reviews.results.readings.BITS_OF_A_NUMBER", 0)
    assert loaded() == in_one_number
    assert all(in_one_number[name] for name in ("plausibility", "verdicts", "correctness", "harm"))


def test_what_one_reader_alone_rated_is_not_counted_as_compared() -> None:
    one, other = (ExpertFactory.create() for _ in range(2))
    study = reader_study(num_cases=3, readers=[one, other], asked=["plausibility", "better-overall"])
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        if reading.assignment.reader == one or reading.assignment.case.position == 1:
            complete(reading, plausibility=1 + reading.assignment.case.position, side=Vote.Side.TIE)
            marks = StepRating.objects.filter(reading=reading)
            marks.filter(step=min(marks.values_list("step", flat=True))).update(plausibility=5)
            sign(reading)
    dashboard = compute(study)
    shown = rows_of(figure(dashboard, "alpha"))["Plausibility"]
    of_first = StepRating.objects.filter(reading__assignment__case__position=1)
    num_steps = of_first.values("step").distinct().count()
    assert (shown["cases"], shown["items"], shown["ratings"]) == (1, num_steps, 2 * num_steps)
    assert (shown["low"], shown["high"]) == (None, None)
    [said] = [line.said for line in dashboard.head if line.key == "alpha"]
    assert said == (
        "Of agreement on plausibility nothing can be told from 1 case; alpha is told here from 10 cases on "
        "that 2 readers rated."
    )
    assert figure(dashboard, "alpha").note.startswith("Nothing can be told from 1 case.")
    assert figure(dashboard, "votes-overall").value == "tie 1.00"


def test_where_all_ratings_are_alike_it_is_said_why_there_is_no_alpha_and_what_ac2_says() -> None:
    study = reader_study(
        num_cases=2, readers=[ExpertFactory.create() for _ in range(2)], asked=["plausibility"]
    )
    first, *others = Reading.objects.filter(assignment__case__reader_study=study).order_by("pk")
    for reading in others:
        # What one reader alone has rated is compared with nothing.
        alone = reading.assignment.case_id == first.assignment.case_id
        complete(reading, plausibility=2 if alone else 4)
        sign(reading)
    dashboard = compute(study)
    shown = rows_of(figure(dashboard, "alpha"))["Plausibility"]
    assert shown["value"] is None
    assert str(shown["note"]).startswith("All 8 ratings of plausibility are 4: alpha weighs how far")
    assert "which goes by all 5 values that could have been given, is 1.00" in str(shown["note"])
    [said] = [line.said for line in dashboard.head if line.key == "alpha"]
    assert said == shown["note"]


def test_of_items_with_more_ratings_than_most_as_many_count_as_the_intraclass_correlation_takes() -> None:
    *most, third = (ExpertFactory.create() for _ in range(3))
    study = reader_study(num_cases=3, readers=[*most, third], asked=["plausibility"])
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        if reading.assignment.reader != third or reading.assignment.case.position == 1:
            complete(reading, plausibility=1 + reading.assignment.case.position)
            sign(reading)
    dashboard = compute(study)
    num_steps = StepRating.objects.values("step").distinct().count()
    num_ratings = {
        key: rows_of(figure(dashboard, key))["Plausibility"]["ratings"] for key in ("alpha", "icc")
    }
    assert num_ratings == {"alpha": StepRating.objects.count(), "icc": 2 * num_steps}


def test_readers_who_never_err_agree_wholly_and_careless_ones_do_not() -> None:
    sure = [SimulatedReader(ExpertFactory.create(), noise=0.0) for _ in range(3)]
    careless = [SimulatedReader(ExpertFactory.create(), noise=1.0) for _ in range(3)]
    of_sure = rows_of(figure(compute(simulated_reader_study(num_cases=12, readers=sure)), "alpha"))
    of_careless = rows_of(figure(compute(simulated_reader_study(num_cases=12, readers=careless)), "alpha"))
    assert of_sure["Plausibility"]["value"] == 1.0
    assert of_careless["Plausibility"]["high"] < 0.5


def test_controls_repeats_and_training_count_under_reliability_alone() -> None:
    design = ReaderStudyDesign(control_share=0.25, repeat_share=0.25, washout_cases=2)
    readers = [SimulatedReader(ExpertFactory.create(), noise=0.0) for _ in range(2)]
    study = simulated_reader_study(num_cases=8, readers=readers, design=design)
    dashboard = compute(study)
    of_data = StepRating.objects.filter(
        reading__assignment__case__reader_study=study,
        reading__assignment__case__role=Case.Role.DATA,
        reading__assignment__kind=Assignment.Kind.FIRST,
    )
    assert rows_of(figure(dashboard, "alpha"))["Plausibility"]["ratings"] == of_data.count()
    repeats = rows_of(figure(dashboard, "repeats"))["Plausibility"]
    assert repeats["equal share"] == 1.0
    assert "seen through" in figure(dashboard, "controls").value
    shown = figure(dashboard, "controls").table.rows
    num_controls = Assignment.objects.filter(case__reader_study=study, case__role=Case.Role.CONTROL).count()
    assert num_controls
    # Counted by alteration, and again by reader.
    assert sum(int(row[2] or 0) for row in shown) == 2 * num_controls


def test_a_vote_is_for_a_completion_whichever_side_it_stood_on() -> None:
    study = reader_study(num_cases=4, readers=[ExpertFactory.create() for _ in range(4)])
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        first_is_a = reading.completion_a_id < (reading.completion_b_id or 0)
        complete(reading, side=Vote.Side.A if first_is_a else Vote.Side.B)
        sign(reading)
    dashboard = compute(study)
    overall = rows_of(figure(dashboard, "ac1"))
    assert overall["Better overall"]["value"] == 1.0
    sides = rows_of(figure(dashboard, "sides-overall"))["all readers"]
    assert sides["A"] + sides["B"] == 16
    assert abs(sides["A"] - sides["B"]) <= 4


def test_the_map_of_disagreement_is_brightest_where_the_disputed_region_lies() -> None:
    edges = np.array([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]])
    grid = coverage(edges, np.array([0.25, 1.0, 0.0]))
    half = GRID // 2
    assert np.allclose(grid[:half, :half], 0.25)
    assert np.allclose(grid[half:, half:], 0.5)
    assert np.allclose(grid[:half, half:], 0.0)


def test_matched_regions_agree_wholly_where_every_reader_lets_them_stand() -> None:
    study = reader_study(num_cases=2, readers=[ExpertFactory.create() for _ in range(3)])
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        sign(reading)
    assert not RegionAnnotation.objects.exclude(verdict="fits").exists()
    found = figure(compute(study), "regions")
    assert found.value == "mean IoU 1.00"
    # Each reader's regions count once, with however many others they are compared.
    number = RegionAnnotation.objects.count()
    assert found.n == f"4 outputs that 2 readers or more saw, 2 cases, {number} regions of all readers"


def test_readings_and_their_repeats_are_compared_item_by_item() -> None:
    design = ReaderStudyDesign(repeat_share=0.5, washout_cases=2)
    readers = [SimulatedReader(ExpertFactory.create(), noise=0.5) for _ in range(2)]
    study = simulated_reader_study(num_cases=8, readers=readers, design=design)
    repeats = StepRating.objects.filter(
        reading__assignment__case__reader_study=study, reading__assignment__kind=Assignment.Kind.REPEAT
    )
    num_equal = sum(
        StepRating.objects.filter(
            reading__assignment=again.reading.assignment.repeat_of,
            step=again.step,
            plausibility=again.plausibility,
        ).exists()
        for again in repeats.select_related("reading__assignment__repeat_of", "step")
    )
    assert 0 < num_equal < repeats.count()
    shown = rows_of(figure(compute(study), "repeats"))["Plausibility"]
    assert shown["items rated twice"] == repeats.count()
    assert shown["equal share"] == pytest.approx(num_equal / repeats.count(), abs=1e-4)


def test_a_mind_is_changed_where_the_word_after_the_reveal_differs() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=4, readers=[reader])
    said_after = ({"findings": ["Edema"]}, {"findings": ["Edema", "Fracture"]}, {"choice": "yes"}, None)
    for reading, after in zip(
        Reading.objects.filter(assignment__case__reader_study=study), said_after, strict=True
    ):
        reading.first_reads.create(findings=["Edema"])
        if after:
            reading.first_reads.create(is_after_reveal=True, **{"findings": ["Edema"], **after})
        complete(reading)
        sign(reading)
    found = figure(compute(study), "first-reads")
    assert found.table.rows == ((reader.pseudonym, 2, 4, 0.5),)
    # An amendment counts in place of what it amends, and whoever settles a dispute has seen others' words.
    sign(amend_reading(reading=reading, reader=reader, reason="Looked again."))
    assert figure(compute(study), "first-reads").table.rows == ((reader.pseudonym, 2, 4, 0.5),)
    Assignment.objects.filter(pk=reading.assignment_id).update(kind=Assignment.Kind.ADJUDICATION)
    assert figure(compute(study), "first-reads").table.rows == ((reader.pseudonym, 2, 3, 0.6667),)


def test_a_row_of_a_plot_without_a_value_leads_to_its_reason() -> None:
    plot = interval_plot(
        [("Plausibility", None, None), ("Harm", 0.4, (0.2, 0.6))], low=0, high=1, unit="alpha", said=""
    )
    assert "none: the table says why" in [label.text for label in plot.labels]
    assert len(plot.dots) == 1
