"""Which readings count in the results, and how far a study is."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Reading,
)
from deepmedix_review.reviews.results.dashboard import Dashboard, compute, dashboard_of
from deepmedix_review.reviews.results.progress import overview
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.studies.holding import decide_held, hold_study
from tests.deepmedix_review.reviews.results.the_figures import figure
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import complete, reader_study, sign

pytestmark = pytest.mark.django_db


def rows_of_distribution(dashboard: Dashboard, value: str) -> int:
    rows = figure(dashboard, "distributions").table.rows
    return next(int(row[2] or 0) for row in rows if row[:2] == ("Plausibility", value))


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


def test_a_signed_practice_case_is_no_reading_that_counts_and_the_page_says_both(admin: Client) -> None:
    study = reader_study(num_cases=2)
    study.cases.filter(position=1).update(role=Case.Role.TRAINING)
    reading = Reading.objects.get(assignment__case__reader_study=study, assignment__case__position=1)
    complete(reading)
    sign(reading)
    page = admin.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    signed = 'from <span class="mono">1</span> signed reading, of which <span class="mono">0</span> count '
    assert f"{signed}as first readings of data." in page
    assert "No reading has been signed yet" not in page
    assert "No reading that counts has been signed yet." in page


def test_what_is_taken_out_of_use_leaves_the_results_at_once_and_comes_back_with_its_film() -> None:
    study, admin = reader_study(num_cases=2), AdminFactory.create()
    for reading in Reading.objects.filter(assignment__case__reader_study=study):
        complete(reading)
        sign(reading)
    film = study.cases.get(position=1).study

    def num_readings() -> int:
        return dashboard_of(study, seen=overview(study)).num_readings

    assert num_readings() == 2
    hold_study(film, reason="A name is written on it.", actor=admin)
    assert num_readings() == 1
    decide_held(film, accept=True, has_looked=True, actor=admin)
    assert num_readings() == 2


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
