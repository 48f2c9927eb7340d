"""Frozen sets keep what they were frozen with and lose their way to it; readers lose what is gone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.feedback.datasets.summary import summary_of
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.models import (
    DatasetReading,
    ExpertRegion,
    PreferenceDataset,
    PreferenceLabel,
    PreferencePair,
)
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reviews.models import Invitation, Reading, StepRating
from deepmedix_review.reviews.reading.changes import SayFirstRead
from deepmedix_review.studies.storage import film_path
from tests.deepmedix_review.erasure.an_erasure import Used, a_used_study, erased
from tests.factories.accounts import ResearcherFactory
from tests.factories.reviews import change, reader_of

pytestmark = pytest.mark.django_db
WAYS = ("completion", "rejected_completion", "step", "reading")


def frozen_values() -> list[dict[str, Any]]:
    """Every row of every frozen set, without its ways to a study."""
    models = (PreferencePair, PreferenceLabel, ExpertRegion, DatasetReading)
    managers: list[Any] = [model.with_erased for model in models]
    rows = [row for manager in managers for row in manager.order_by("pk").values()]
    return [{name: row[name] for name in row if name.removesuffix("_id") not in WAYS} for row in rows]


def test_a_frozen_set_keeps_its_rows_and_nothing_learns_from_those_that_lost_their_way(admin: User) -> None:
    used = a_used_study(admin)
    parent, film = used.run.parent_version, str(film_path(used.film))
    before, sha256 = frozen_values(), used.dataset.sha256
    assert film in _films_learned(used)
    erased(study_scope(admin, used.study.uid), actor=admin)
    assert frozen_values() == before
    used.dataset.refresh_from_db()
    assert used.dataset.sha256 == sha256
    learned = _films_learned(used)
    assert learned
    assert film not in learned
    anew = freeze_dataset(title="Round 2", actor=ResearcherFactory.create())
    assert 0 < anew.num_readings < used.dataset.num_readings
    assert examples_of(anew, parent=parent).num_missing_films() == 0


def test_its_page_says_what_was_erased(admin: User, client: Client) -> None:
    used = a_used_study(admin)
    client.force_login(ResearcherFactory.create())
    page = reverse("dataset-detail", args=[used.dataset.uid])
    assert "Erased since" not in client.get(page).content.decode()
    num = DatasetReading.objects.filter(reading__assignment__case__study=used.study).count()
    erased(study_scope(admin, used.study.uid), actor=admin)
    now = client.get(page).content.decode()
    assert f"<dt>Erased since</dt><dd>{num} of its readings" in now
    gone = ExpertRegion.with_erased.filter(dataset=used.dataset, completion__isnull=True).count()
    assert gone
    assert f", {gone} erased since</dd>" in now
    summary = summary_of(used.dataset)
    parts = (summary.num_own_regions, summary.num_readers_regions, summary.num_missed_regions)
    assert min(parts) >= 0
    assert sum(parts) == used.dataset.num_regions - gone == used.dataset.regions.count()
    assert summary.num_erased_pairs
    assert f"{summary.num_erased_pairs} erased since</dd>" in now
    assert used.dataset.num_pairs == summary.num_erased_pairs + sum(row.number for row in summary.origins)
    assert f"{summary.num_erased_labels} of them erased since</dd>" in now


def test_nothing_but_an_erasure_takes_a_way_and_an_erasure_changes_nothing_else(admin: User) -> None:
    used = a_used_study(admin)
    pairs = PreferencePair.objects.filter(dataset=used.dataset)
    for is_erasing, changed in (
        (False, {"completion": None, "step": None, "rejected_completion": None}),
        (True, {"completion": None, "weight": 0.5}),
        (True, {"chosen": "other words"}),
    ):
        _set_erasing(is_erasing)
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            pairs.update(**changed)
    for is_erasing in (False, True):
        _set_erasing(is_erasing)
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            PreferenceDataset.objects.filter(pk=used.dataset.pk).update(title="Another")
    signed = Reading.objects.filter(signed_at__isnull=False)
    _set_erasing(False)
    with pytest.raises(IntegrityError, match="signed and locked"), transaction.atomic():
        StepRating.objects.filter(reading__in=signed).delete()
    _set_erasing(True)
    with pytest.raises(IntegrityError, match="signed and locked"), transaction.atomic():
        signed.update(inverted=True)


def test_counts_of_readers_follow(admin: User) -> None:
    used = a_used_study(admin)
    of_reader_study = Invitation.objects.filter(reader_study=used.reader_study)
    before = dict(of_reader_study.values_list("reader", "num_assigned"))
    erased(study_scope(admin, used.study.uid), actor=admin)
    assert dict(of_reader_study.values_list("reader", "num_assigned")) == {
        reader: num - 1 for reader, num in before.items()
    }


def test_a_room_that_was_left_open_is_told_to_take_the_film_away(admin: User, client: Client) -> None:
    used = a_used_study(admin)
    mine = Reading.objects.filter(assignment__case__study=used.study, signed_at=None)
    reading = mine.select_related("assignment__reader", "completion_a__instance").earliest("pk")
    change(reading, SayFirstRead(False, "", (), "Normal", 4))
    long_ago = timezone.now() - timedelta(hours=2)
    mine.update(opened_at=long_ago)
    reading.changes.update(received_at=long_ago)
    reader = reader_of(reading)
    assert erased(study_scope(admin, used.study.uid), actor=admin).state == JobState.DONE
    client.force_login(reader)
    for address in (f"/api/readings/{reading.uid}/", reverse("reading", args=[reading.uid])):
        answer = client.get(address)
        assert answer.status_code == 409, answer.content
        assert "an admin erased its study" in answer.content.decode()
    assert client.get(f"/api/readings/{reading.uid}/").json()["is_out_of_use"] is True
    film = client.get(reverse("film", args=[used.film.uid]))
    assert film.status_code == 404
    # Of a reading that was never this person's nothing is told.
    client.force_login(used.export.created_by)
    assert "erased" not in client.get(f"/api/readings/{reading.uid}/").content.decode()


def _films_learned(used: Used) -> set[str]:
    found = examples_of(used.dataset, parent=used.run.parent_version)
    return {one.film for examples in found.by_kind.values() for one in examples}


def _set_erasing(is_erasing: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deepmedix.erasing', %s, true)", ["on" if is_erasing else ""])
