"""Who sees the page of results, its plots and its tables."""

import csv
import io
import re
from collections.abc import Sequence
from itertools import combinations

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.models import ReaderStudy, Reading
from deepmedix_review.reviews.results.maps import matrix_plot
from deepmedix_review.reviews.results.plots import ROW_PX, interval_plot, share_plot
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reviews import complete, reader_study, sign
from tests.factories.simulated_readers import eight_readers, simulated_reader_study

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


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


def test_rows_of_one_version_have_one_colour_and_of_no_groups_each_its_own() -> None:
    rows = [
        (name, 0.5, (0.4, 0.6)) for name in ("Location, v1", "Location, v2", "Severity, v1", "Severity, v2")
    ]

    def colours(groups: Sequence[str]) -> list[int]:
        drawn = interval_plot(rows, low=0.0, high=1.0, unit="share", said="", groups=groups)
        return [dot.colour for dot in drawn.dots]

    assert colours(["v1", "v2", "v1", "v2"]) == [1, 2, 1, 2]
    assert colours([]) == [1, 2, 3, 4]


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


def test_a_sentence_in_a_table_is_set_as_text_and_not_as_a_figure() -> None:
    study = reader_study(num_cases=2, readers=[ExpertFactory.create() for _ in range(2)])
    for reading in Reading.objects.all():
        complete(reading)
        sign(reading)
    page = reverse("reader-study-results", args=[study.uid])
    table = client_of(AdminFactory.create()).get(page).content.decode()
    assert re.search(
        r'<td class="mono name">Plausibility</td>.*<td class="words">All \d+ ratings of plausib', table
    )


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
