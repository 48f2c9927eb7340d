"""A program decides on held studies, erases, and keeps studies as long as rules say, with the package."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from deepmedix_client import DeepMedixError, NotAllowed, Refused
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.erasure.models import Erasure, RetentionBatch
from deepmedix_review.erasure.tasks import run_erasure, run_retention_batch
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.models import Instance, Keeping, Study
from tests.deepmedix_client.conftest import ClientOf
from tests.deepmedix_review.erasure.a_due_study import came, days_ago
from tests.factories.accounts import AdminFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "The ethics vote lets us keep films of the trial for so long"


def held_film(kind: OddKind = OddKind.VIEW, **attributes: object) -> Instance:
    return InstanceFactory.create(
        series__study__state=Study.State.HELD,
        series__study__held_for=kind,
        series__study__held_reasons=["Its view is SWIMMERS, not PA, AP or lateral."],
        **attributes,
    )


def states() -> dict[str, int]:
    every = list(Study.objects.values_list("state", flat=True))
    return {state: every.count(state) for state in set(every)}


def test_more_than_a_hundred_held_studies_are_decided_on_and_taken_back(client_of: ClientOf) -> None:
    for _ in range(101):
        held_film()
    barred = held_film(OddKind.ENCODING, num_frames=3)
    client = client_of(AdminFactory.create())
    [odd] = client.held(kind="encoding")
    assert (odd.study.uid, odd.kind, "3 pictures" in odd.objection) == (
        str(barred.study.uid),
        "encoding",
        True,
    )
    listed = list(client.held())
    assert len({one.study.uid for one in listed}) == 102
    with pytest.raises(Refused, match="Nothing was accepted"):
        client.accept(listed, looked=False)
    decided = client.accept(listed, looked=True)
    assert (decided.num_done, decided.num_left, len(decided.decisions)) == (101, 0, 2)
    assert "3 pictures" in decided.objections[0]
    assert states() == {"ready": 101, "held": 1}
    assert decided.take_back() == 101
    assert states() == {"held": 102}
    assert client.reject([odd]).num_done == 1
    with pytest.raises(DeepMedixError, match="no study to decide on"):
        client.reject([])


def test_a_patient_is_erased_after_a_preview_and_let_in_again(client_of: ClientOf) -> None:
    study, other = came(days_ago(50)), came(days_ago(50))
    client = client_of(AdminFactory.create())
    with pytest.raises(DeepMedixError, match="one of the two"):
        client.preview_erasure()
    found = client.preview_erasure(patient=study.patient_pseudonym)
    assert (found.name, found.studies, found.hindrances) == (
        study.patient_pseudonym,
        [str(study.uid)],
        [],
    )
    with pytest.raises(Refused, match="To confirm"):
        client.erase(study=str(study.uid), confirmed="S-1", why="withdrawn")
    assert not Erasure.objects.exists()
    first = client.erase(patient=study.patient_pseudonym, confirmed=found.name, why="withdrawn")
    assert (first.state, first.cancel().state) == ("queued", "cancelled")
    erasure = client.erase(patient=study.patient_pseudonym, confirmed=found.name, why="withdrawn")
    run_erasure(Erasure.objects.get(uid=erasure.uid).pk)
    done = erasure.wait()
    assert (done.state, done.num_files_left, done.gone["studies"], done.uses) == ("done", 0, 1, [])
    assert list(Study.objects.all()) == [other]
    assert done.let_in_at is None
    assert done.let_in().let_in_at is not None
    assert [one.uid for one in client.erasures()] == [done.uid, first.uid]
    with pytest.raises(NotAllowed):
        client_of(AdminFactory.create(), [Capability.VIEW_ALL_STUDIES]).preview_erasure(study=str(other.uid))


def test_what_is_due_by_a_rule_is_erased_but_what_is_kept_longer(client_of: ClientOf) -> None:
    old, kept, young = came(days_ago(50)), came(days_ago(40)), came(days_ago(10))
    client = client_of(AdminFactory.create())
    rule = client.make_retention_rule("every", keep_days=30, because=WHY)
    assert [(one.uid, one.keep_days, one.is_on) for one in client.retention_rules()] == [(rule.uid, 30, True)]
    assert [one.study for one in client.due()] == [str(old.uid), str(kept.uid)]
    assert [one.rules for one in client.due(days=60)] == [[rule.uid]] * 3
    tomorrow: date = timezone.now().date() + timedelta(days=1)
    client.keep(str(kept.uid), until=tomorrow, because="An appeal is under way")
    preview = client.preview_due()
    assert (preview.num_studies, preview.num_films) == (1, 1)
    batch = client.erase_due(preview)
    run_retention_batch(RetentionBatch.objects.get().pk)
    run_erasure(Erasure.objects.get().pk)
    done = batch.wait()
    assert (done.num_erased, done.num_kept, [one.study for one in done.studies]) == (1, 0, [str(old.uid)])
    assert list(Study.objects.order_by("pk")) == [kept, young]
    assert [one.uid for one in client.retention_batches()] == [done.uid]
    with pytest.raises(Refused):
        client.erase_due(preview)
    client.end_keeping(str(kept.uid))
    assert Keeping.objects.get().ended_at is not None
    assert rule.switch(on=False).is_on is False
    assert list(client.due()) == []
    rule.delete()
    assert client.retention_rules() == []
