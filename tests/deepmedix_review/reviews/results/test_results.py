"""What a reader study found: figures held against hand counts and against readers whose truth is known."""

import csv
import io
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.results.dashboard import Dashboard, compute
from deepmedix_review.reviews.results.figures import Figure, wilson
from deepmedix_review.reviews.results.plots import ROW_PX, interval_plot, matrix_plot, share_plot
from deepmedix_review.reviews.results.progress import overview
from deepmedix_review.reviews.results.readings import as_slots, as_table, load_readings, load_said
from deepmedix_review.reviews.results.regions import GRID, coverage
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.reviews.study_services import StudyDraft, lock_reader_study, start_adjudication
from rl_feedback.agreement import krippendorff_alpha
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import HEART, complete, reader_study, sign
from tests.factories.simulated_readers import SimulatedReader, eight_readers, simulated_reader_study
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def figure(dashboard: Dashboard, key: str) -> Figure:
    found = dashboard.figure(key)
    assert found is not None, [each.key for each in dashboard.figures()]
    return found


def rows_of(found: Figure) -> dict[str, dict[str, Any]]:
    return {str(row[0]): dict(zip(found.table.columns, row, strict=True)) for row in found.table.rows}


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
    ratings_columns = load_said(readings).plausibility
    assert np.array_equal(as_table(readings, ratings_columns), table, equal_nan=True)
    assert np.array_equal(np.sort(as_slots(ratings_columns), axis=0), np.sort(table, axis=0), equal_nan=True)


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


def test_means_and_votes_have_intervals_over_cases_and_the_head_says_them_in_words() -> None:
    readers = [ExpertFactory.create() for _ in range(2)]
    asked = ["plausibility", "correctness", "better-overall"]
    study = reader_study(num_cases=3, readers=readers, asked=asked)
    readings = Reading.objects.filter(assignment__case__reader_study=study).select_related("assignment__case")
    for reading in readings:
        complete(reading, plausibility=1 + reading.assignment.case.position, side=Vote.Side.A)
        sign(reading)
    dashboard = compute(study)
    # Cases of mean 2, 3 and 4, each rating of a case alike: as sure as three ratings.
    plausibility = rows_of(figure(dashboard, "means"))["Plausibility"]
    assert (plausibility["mean"], plausibility["cases"], plausibility["ratings"]) == (3.0, 3, 24)
    assert plausibility["half width"] == pytest.approx(1.96 / 3**0.5, abs=1e-3)
    votes = rows_of(figure(dashboard, "votes-overall"))
    # Everybody chose A: each case counts once, Wilson of 3 of 3.
    assert (votes["A"]["share"], votes["A"]["votes"]) == (1.0, 6)
    assert (votes["A"]["low"], votes["A"]["high"]) == pytest.approx(wilson(3, 3), abs=1e-3)
    head = {line.key: line.said for line in dashboard.head}
    assert head["means"] == "Plausibility 3.00 ± 1.13; Correctness 4.00 ± 0.00"
    # A share of A says nothing of the model, so it doesn't lead.
    assert "votes-overall" not in head
    assert head["sides-overall"] == (
        "6 votes on 3 cases. Both outputs are one version's, dealt to the sides at random. See side bias."
    )
    assert head["alpha"].startswith(
        "On plausibility readers agree well enough for firm conclusions: alpha 1.00"
    )
    assert dashboard.figure("votes-grounded") is None is dashboard.figure("sides-grounded")


def test_votes_and_means_of_two_versions_go_to_the_version_whichever_side_it_stood_on() -> None:
    instance = InstanceFactory.create()
    older, newer = ServingModelFactory.create(), ModelVersionFactory.create()
    # Read in the other order than the versions have.
    for version in (newer, older):
        say(instance, steps=[HEART], answer="cardiomegaly", model_version=version)
    study = running(
        StudyDraft(
            title="Two versions",
            design=ReaderStudyDesign(shows="two_versions"),
            studies=[instance.study],
            readers=[ExpertFactory.create() for _ in range(4)],
            model_version=older,
            other_version=newer,
        )
    )
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        is_newer = reading.completion_a.model_version_id == newer.pk
        complete(reading, plausibility=2, side=Vote.Side.A if is_newer else Vote.Side.B)
        step = newer.completions.get().steps.get()
        StepRating.objects.filter(reading=reading, step=step).update(plausibility=5)
        sign(reading)
    dashboard = compute(study)
    assert rows_of(figure(dashboard, "votes-overall"))[str(newer)]["share"] == 1.0
    means = {row[:2]: row[2] for row in figure(dashboard, "means").table.rows}
    assert means["Plausibility", "every output"] == 3.5
    assert (means["Plausibility", str(older)], means["Plausibility", str(newer)]) == (2.0, 5.0)


def test_what_adjudication_settled_is_told_item_by_item_and_counted_like_everywhere() -> None:
    design = ReaderStudyDesign(shows="one")
    study = running(a_draft(num_cases=3, num_readers=2, design=design, adjudication="consensus"))
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        is_first = reading.assignment.reader == study.invitations.order_by("pk")[0].reader
        apart = reading.assignment.case.position < 3 and is_first
        complete(reading, plausibility=1 if apart else 4)
        sign(reading)
    case = study.cases.get(position=1)
    admin = AdminFactory.create()
    assignment = start_adjudication(case=case, reader=ExpertFactory.create(), actor=admin)
    reading = Reading.objects.get(assignment=assignment)
    complete(reading, plausibility=3)
    sign(reading)
    dashboard = compute(study)
    settled = figure(dashboard, "settled")
    assert settled.value == "1 of 2 disputed cases settled"
    assert settled.table.rows[:2] == (
        (1, "settled", "Plausibility", "step 1", "1, 4", "3"),
        (1, "settled", "Plausibility", "step 2", "1, 4", "3"),
    )
    assert settled.table.rows[2][:2] == (2, "waits")
    seen = overview(study)
    assert (seen.num_signed, seen.num_assigned, dashboard.num_readings) == (7, 7, 7)
    client = client_of(admin)
    for name, args in (("reader-study-detail", [study.uid]), ("reader-study-list", [])):
        assert "7 of 7 signed" in client.get(reverse(name, args=args)).content.decode()
    lock_reader_study(reader_study=study, actor=None)
    page = client.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert "nothing changes any more" in page
    assert "1 case was left unsettled" in page
    assert all(f'href="#{key}"' in page for key in ("means", "settled", "part-findings", "part-time"))


def test_no_label_of_a_plot_is_cut_off_or_covers_another() -> None:
    names = ["foreign sentence", "A criterion with a name that goes on and on for sixty letters"]
    drawn = interval_plot(
        [(name, 0.5, None) for name in names],
        low=-1.0,
        high=1.0,
        marks=(0.0, 0.667, 0.8),
        unit="alpha",
        said="",
    )
    # 12 px letters are up to 7 px wide.
    assert all(label.x >= 7 * len(label.text) for label in drawn.labels if label.anchor == "end")
    marks = [label for label in drawn.labels if label.anchor == "middle"]
    for one, other in combinations(marks, 2):
        reach = 7 * (len(one.text) + len(other.text)) / 2
        assert one.y != other.y or abs(one.x - other.x) >= reach, (one, other)
    unit = next(label for label in drawn.labels if label.text == "alpha")
    assert unit.x > max(label.x + 7 * len(label.text) / 2 for label in marks)
    assert unit.x + 7 * len(unit.text) < drawn.width
    assert max(label.y for label in drawn.labels) < drawn.height
    short = share_plot([("all", (98, 1, 1))], names=("A", "tie", "both bad"), said="")
    below = [label.text for label in short.labels if label.y > ROW_PX]
    assert below == ["A", "tie", "both bad"]
    assert max(label.y for label in short.labels) < short.height
    pairs = matrix_plot(["E-GAMMA", "E-ALPHA"], [[None, None], [None, None]], said="")
    assert [label.text for label in pairs.labels if label.y < 20] == ["GAMMA", "ALPHA"]


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
    study = reader_study(num_cases=2, readers=[ExpertFactory.create() for _ in range(2)])
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        sign(reading)
    assert not RegionAnnotation.objects.exclude(verdict="fits").exists()
    found = figure(compute(study), "regions")
    assert found.value == "mean IoU 1.00"


def test_a_study_without_readings_says_of_every_figure_what_it_needs() -> None:
    dashboard = compute(reader_study(num_cases=2))
    for found in dashboard.figures():
        assert found.value or found.note or found.table.rows, found.key
        assert found.method
    assert figure(dashboard, "repeats").note == "This design hides no repeats."


def test_a_signed_amendment_takes_the_place_of_what_it_amends() -> None:
    reader = ExpertFactory.create()
    study = reader_study(readers=[reader])
    reading = Reading.objects.get(assignment__case__reader_study=study)
    complete(reading, plausibility=1)
    sign(reading)
    amendment = amend_reading(reading=reading, reader=reader, reason="looked again")
    assert rows_of_distribution(compute(study), "1") == 4
    complete(amendment, plausibility=5)
    sign(amendment)
    assert rows_of_distribution(compute(study), "5") == 4
    assert rows_of_distribution(compute(study), "1") == 0


def test_a_reading_of_another_study_that_lies_between_counts_for_its_own_alone() -> None:
    reader = ExpertFactory.create()
    mine, between = (reader_study(readers=[reader]) for _ in range(2))
    reading = Reading.objects.get(assignment__case__reader_study=mine)
    other = Reading.objects.get(assignment__case__reader_study=between)
    for each, plausibility in ((reading, 1), (other, 3)):
        complete(each, plausibility=plausibility)
        sign(each)
    amendment = amend_reading(reading=reading, reader=reader, reason="looked again")
    complete(amendment, plausibility=2)
    sign(amendment)
    assert reading.pk < other.pk < amendment.pk
    for study, value in ((mine, "2"), (between, "3")):
        dashboard = compute(study)
        assert [rows_of_distribution(dashboard, str(n)) for n in range(1, 6)] == [
            4 * (str(n) == value) for n in range(1, 6)
        ]


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


def test_progress_counts_each_case_of_a_reader_once_and_what_was_withdrawn_not_at_all() -> None:
    first, second = sorted((ExpertFactory.create() for _ in range(2)), key=lambda user: user.pseudonym)
    study = reader_study(num_cases=3, readers=[first, second])
    reading = Reading.objects.get(
        assignment__case__reader_study=study, assignment__reader=first, assignment__case__position=2
    )
    complete(reading)
    sign(reading)
    amendment = amend_reading(reading=reading, reader=first, reason="looked again")
    complete(amendment)
    sign(amendment)
    Assignment.objects.filter(case__reader_study=study, case__position=3, reader=second).update(
        withdrawn_at=timezone.now()
    )
    dashboard = compute(study)
    assert figure(dashboard, "progress-readers").table.rows == (
        (first.pseudonym, 3, 1),
        (second.pseudonym, 2, 0),
    )
    assert figure(dashboard, "progress-cases").table.rows == ((1, 2, 0), (2, 2, 1), (3, 1, 0))
    seen = overview(study)
    assert (seen.num_assigned, seen.num_signed) == (5, 1)
    amendment.refresh_from_db()
    assert seen.last_signed_at == amendment.signed_at


def rows_of_distribution(dashboard: Dashboard, value: str) -> int:
    rows = figure(dashboard, "distributions").table.rows
    return next(int(row[2] or 0) for row in rows if row[:2] == ("Plausibility", value))


def test_staff_see_the_page_its_csv_and_leave_a_trace_and_experts_see_nothing() -> None:
    study = simulated_reader_study(num_cases=3, readers=eight_readers()[:2])
    page = reverse("reader-study-results", args=[study.uid])
    table = reverse("reader-study-results-csv", args=[study.uid, "alpha"])
    strip = reverse("reader-study-results-strip", args=[study.uid])
    for user in (AdminFactory.create(), ResearcherFactory.create()):
        client = client_of(user)
        answer = client.get(page)
        assert answer.status_code == 200
        assert "Agreement on the scales" in answer.content.decode()
        rows = list(csv.reader(io.StringIO(b"".join(client.get(table)).decode())))
        assert rows[0][:2] == ["criterion", "value"]
        assert "signed" in client.get(f"{strip}?shown=1").content.decode()
    assert AuditEvent.objects.filter(action="view_results", subject_uid=str(study.uid)).count() == 2
    every = reverse("reader-study-results-all", args=[study.uid])
    for address in (page, table, strip, every):
        assert client_of(ExpertFactory.create()).get(address).status_code == 403


def test_results_stay_hidden_until_the_lock_where_the_design_says_so() -> None:
    study = reader_study()
    ReaderStudy.objects.filter(pk=study.pk).update(hides_results=True)
    client = client_of(AdminFactory.create())
    page = reverse("reader-study-results", args=[study.uid])
    answer = client.get(page)
    assert answer.status_code == 409
    assert "hides its results until it is locked" in answer.content.decode()
    ReaderStudy.objects.filter(pk=study.pk).update(state=ReaderStudy.State.LOCKED)
    assert client.get(page).status_code == 200


def test_the_interval_of_wilson_holds_at_the_ends() -> None:
    assert wilson(0, 5)[0] == pytest.approx(0.0, abs=1e-9)
    assert wilson(5, 5)[1] == pytest.approx(1.0, abs=1e-9)
