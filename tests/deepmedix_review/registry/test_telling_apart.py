"""What tells a version from others: of its name, and those that only hold what was recorded."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.evaluation.models import ArenaRun, MetricRun
from deepmedix_review.reasoning.models import InferenceWorker
from deepmedix_review.registry.selectors import Apart, tell_apart
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.jobs import InferenceBatchFactory
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def test_a_name_that_several_bear_is_said_with_the_files_and_the_same_files_with_their_frame() -> None:
    alone = ServingModelFactory.create(name="alone", sha256="a" * 64)
    one = ModelVersionFactory.create(name="twice", sha256="b" * 64)
    other = ModelVersionFactory.create(name="twice", sha256="c" * 64)
    assert tell_apart([alone, one, other]) == {one.pk: Apart("b" * 12), other.pk: Apart("c" * 12)}
    again = ModelVersionFactory.create(name="twice", sha256="c" * 64, box_frame="norm1")
    apart = tell_apart([other, again])
    assert str(apart[other.pk]) == f"{'c' * 12}, frame processed"
    assert str(apart[again.pk]) == f"{'c' * 12}, frame norm1"
    thrice = ModelVersionFactory.create(name="twice", sha256="c" * 64, temperature=0.1)
    assert str(tell_apart([thrice])[thrice.pk]).startswith("c" * 12 + ", registered ")
    # Others of the name count, though they are not among those that are shown.
    assert tell_apart([one]) == {one.pk: Apart("b" * 12)}


def test_lists_pages_and_choices_say_it() -> None:
    serving = ServingModelFactory.create(name="twice", sha256="b" * 64)
    other = ModelVersionFactory.create(name="twice", sha256="c" * 64)
    ModelVersionFactory.create(name="alone", sha256="d" * 64)
    film = InstanceFactory.create()
    for version in (serving, other):
        CompletionFactory.create(instance=film, model_version=version)
    for version in (serving, other):
        InferenceBatchFactory.create(model_version=version, requested_by=AdminFactory.create())
        InferenceWorker.objects.create(name="inference@a", seen_at=timezone.now(), model_version=version)
    by = ResearcherFactory.create()
    measured = MetricRun.objects.create(
        title="Monthly", model_version=serving, beside=other, collection_name="Spring, v1", requested_by=by
    )
    arena = ArenaRun.objects.create(
        title="Spring", prompt_version="1", num_wanted=2, requested_by=by, judged_by="experts"
    )
    arena.versions.set([serving, other])
    for person, address in (
        (ResearcherFactory, reverse("model-list")),
        (ResearcherFactory, reverse("model-compare")),
        (ResearcherFactory, reverse("metric-run-list")),
        (ResearcherFactory, reverse("metric-run", args=[measured.uid])),
        (ResearcherFactory, reverse("arena-list")),
        (AdminFactory, reverse("inference-batches")),
        (AdminFactory, reverse("inference-workers")),
        (AdminFactory, reverse("inference-batch-new")),
        (AdminFactory, reverse("inference-fragment", args=[film.study.uid])),
    ):
        client = Client()
        client.force_login(person.create())
        page = client.get(address).content.decode()
        for version in (serving, other):
            assert version.sha256[:12] in page, address
        assert f"({'d' * 12})" not in page, address
    client = Client()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[other.uid])).content.decode()
    assert f"twice ({'c' * 12})" in page


def test_a_recorded_version_says_what_it_is_for_and_offers_no_promotion() -> None:
    serving = ServingModelFactory.create()
    recorded = ModelVersionFactory.create(source="recorded", folder="", served_model="Lab X")
    CompletionFactory.create(model_version=recorded)
    client = Client()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[recorded.uid])).content.decode()
    assert "1 completion of Lab X" in page
    assert f"?a={recorded.uid}&amp;b={serving.uid}" in page
    assert "never serves" in page
    assert ">Promote</button>" not in page
    other = client.get(reverse("model-detail", args=[ModelVersionFactory.create().uid])).content.decode()
    assert ">Promote</button>" in other
