"""How fast versions answer is added up by the hour, told right, and read as fast of a million as of a few."""

import doctest
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.evaluation import answer_times
from deepmedix_review.evaluation.answer_times import Span, add_up_answer_times, answered
from deepmedix_review.evaluation.models import AnswerTimes
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ModelVersionFactory

NOW = datetime(2026, 11, 30, 12, 34, tzinfo=UTC)


def answer(version: ModelVersion, *, seconds: float, tokens: int, at: datetime) -> Completion:
    job = InferenceJobFactory.create(model_version=version)
    made = CompletionFactory.create(model_version=version, job=job, seconds=seconds, num_tokens=tokens)
    Completion.objects.filter(pk=made.pk).update(created_at=at)
    return made


def test_the_examples_hold() -> None:
    assert doctest.testmod(answer_times).failed == 0


@pytest.mark.parametrize("spread", [0.2, 1.0])
def test_percentiles_are_within_six_per_cent(spread: float) -> None:
    times = np.random.default_rng(7).lognormal(1.0, spread, 5000)
    places = np.ceil(np.log(times / answer_times.SHORTEST_SECONDS) / np.log(answer_times.GROWTH))
    counts = [(int(place), int((places == place).sum())) for place in np.unique(places)]
    for share in (0.5, 0.95):
        told = answer_times.quantile(counts, share)
        assert told == pytest.approx(float(np.quantile(times, share)), rel=0.065)


@pytest.mark.django_db
def test_what_was_written_here_is_added_up_by_hour_and_day_and_nothing_else_is() -> None:
    version, other = ModelVersionFactory.create(), ModelVersionFactory.create()
    for seconds in (1.0, 1.0, 1.0, 8.0):
        answer(version, seconds=seconds, tokens=80, at=NOW - timedelta(minutes=10))
    answer(version, seconds=2.0, tokens=100, at=NOW - timedelta(hours=3))
    answer(other, seconds=5.0, tokens=10, at=NOW)
    CompletionFactory.create(model_version=version, job=None, seconds=0.0, num_tokens=0)
    add_up_answer_times()
    early, late = answered([version], span=Span.HOUR, now=NOW)
    assert (early.at, early.num_completions) == (datetime(2026, 11, 30, 9, tzinfo=UTC), 1)
    assert (late.at, late.num_completions, late.tokens) == (datetime(2026, 11, 30, 12, tzinfo=UTC), 4, 320)
    assert late.median_seconds == pytest.approx(1.0, rel=0.06)
    assert late.slow_seconds == pytest.approx(8.0, rel=0.06)
    assert late.tokens_per_second == pytest.approx(320 / 11)
    (day,) = answered([version, other], span=Span.DAY, now=NOW)
    assert (day.num_completions, day.tokens) == (6, 430)


@pytest.mark.django_db
def test_adding_up_again_changes_nothing_and_takes_in_what_came() -> None:
    version = ModelVersionFactory.create()
    answer(version, seconds=1.0, tokens=10, at=NOW - timedelta(hours=5))
    answer(version, seconds=1.0, tokens=10, at=NOW)
    assert add_up_answer_times() == 2
    assert add_up_answer_times() == 0
    answer(version, seconds=1.0, tokens=10, at=NOW)
    assert add_up_answer_times() == 1
    assert sum(one.num_completions for one in answered([version], span=Span.HOUR, now=NOW)) == 3


@pytest.mark.django_db
def test_a_page_reads_no_completion_whatever_their_number() -> None:
    version = ModelVersionFactory.create()
    AnswerTimes.objects.bulk_create(
        AnswerTimes(
            model_version=version,
            hour=datetime(2026, 11, 30, tzinfo=UTC) - timedelta(hours=hour),
            bucket=bucket,
            num_completions=50,
            num_tokens=20_000,
            seconds=500,
        )
        for hour in range(720)
        for bucket in range(30, 58)
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        days = answered([version], span=Span.DAY, now=NOW)
    assert sum(one.num_completions for one in days) > 970_000
    assert len(queries) == 1
    assert "reasoning_completion" not in queries[0]["sql"]


@pytest.mark.django_db
def test_what_is_added_up_is_found_by_its_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'completions_written_here'")
        (definition,) = cursor.fetchone()
    assert definition.endswith("(created_at) WHERE (job_id IS NOT NULL)")


@pytest.mark.django_db
def test_the_pages_plot_it_by_hour_and_day_and_say_where_there_is_nothing() -> None:
    version, other = ModelVersionFactory.create(), ModelVersionFactory.create()
    client = Client()
    client.force_login(ResearcherFactory.create())
    own, every = reverse("model-speeds", args=[version.uid]), reverse("inference-speeds")
    assert "No completion was written here in the last 48 hours" in client.get(own).content.decode()
    assert "No model has answered here yet" in client.get(every).content.decode()
    for hours in (0, 1, 2):
        answer(version, seconds=1.5, tokens=90, at=timezone.now() - timedelta(hours=hours))
    answer(other, seconds=3.0, tokens=90, at=timezone.now())
    add_up_answer_times()
    page = client.get(own).content.decode()
    assert page.count('role="img"') == 4
    assert page.count("<polyline") == 5
    assert "median: lowest 1.5" in page
    assert "the last 30 days" in page
    both = client.get(every, {"by": "day"}).content.decode()
    assert "Engine transformers" in both
    assert all(f"<h3>{one} " in both for one in (version, other))
    assert "4 completions" in both
    client.force_login(ExpertFactory.create())
    assert client.get(every).status_code == 403
    client.force_login(AdminFactory.create())
    assert client.get(own).status_code == 403
    assert client.get(every).status_code == 200
