"""Which models have learned from a reader, a patient or a reading: through two rounds, and by one query."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.feedback.learned.tracing import models_learned_from, trace
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.selectors import lineage_of
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Split
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, finished_run
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db


class Rounds:
    """Two rounds: v902 learned from the first reader and the held-out one, v903 on top of it from the second
    as well; v904 descends from v902 without a run, v905 is a sister that learned nothing."""

    def __init__(self) -> None:
        self.researcher: User = ResearcherFactory.create()
        self.root = ServingModelFactory.create(
            number=901, image_preparation="square", min_pixels=12544, max_pixels=12544
        )
        self.first = a_reading_to_learn_from(self.root)
        self.held_out = a_reading_to_learn_from(self.root, seed=2_000_030, side=Split.TEST)
        self.v902 = self._train(self._freeze("Round 1"), parent=self.root, number=902)
        self.second = a_reading_to_learn_from(self.root, seed=2_000_060)
        self.v903 = self._train(self._freeze("Round 2"), parent=self.v902, number=903)
        self.v904 = ModelVersionFactory.create(number=904, parent=self.v902)
        self.v905 = ModelVersionFactory.create(number=905, parent=self.root)

    def _freeze(self, title: str) -> PreferenceDataset:
        return freeze_dataset(title=title, actor=self.researcher)

    def _train(self, dataset: PreferenceDataset, *, parent: ModelVersion, number: int) -> ModelVersion:
        candidate: ModelVersion = ModelVersionFactory.create(number=number, parent=parent)
        finished_run(dataset, parent=parent, candidate=candidate)
        return candidate


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


def reader_of(reading: Reading) -> User:
    return reading.assignment.reader


def numbers(reading: Reading) -> dict[int, tuple[int, tuple[int, ...]]]:
    found = models_learned_from(Reading.objects.filter(pk=reading.pk))
    return {model.number: (model.num_readings, tuple(model.through)) for model in found}


def test_a_model_that_descends_from_one_that_learned_has_learned_too_and_one_query_says_so(
    rounds: Rounds,
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = numbers(rounds.first)
    assert len(queries) == 1
    assert found == {902: (1, ()), 903: (1, (902,)), 904: (0, (902,))}
    assert numbers(rounds.second) == {903: (1, ())}


def test_nothing_learns_from_a_patient_who_is_held_out(rounds: Rounds) -> None:
    assert numbers(rounds.held_out) == {}
    study = rounds.held_out.assignment.case.study
    found, _ = trace(rounds.researcher, kind="patient", uid=study.uid)
    assert [(row.num_train, row.num_held_out) for row in found.datasets] == [(0, 1), (0, 1)]


def test_a_patient_is_traced_through_every_study(rounds: Rounds) -> None:
    study = rounds.first.assignment.case.study
    other = rounds.second.assignment.case.study
    other.patient_pseudonym = study.patient_pseudonym
    other.save()
    found, _ = trace(rounds.researcher, kind="patient", uid=other.uid)
    assert {model.number: model.num_readings for model in found.models} == {902: 1, 903: 2, 904: 0}


def test_a_version_tells_what_it_and_its_ancestors_learned_from(rounds: Rounds) -> None:
    found = lineage_of(rounds.v903)
    assert [(one.version.number, one.num_readings, one.num_readers) for one in found.generations] == [
        (903, 2, 2),
        (902, 1, 1),
        (901, 0, 0),
    ]


def test_pages_api_and_command_answer_alike_and_leave_a_trace(rounds: Rounds, client: Client) -> None:
    reader, uid = reader_of(rounds.first), reader_of(rounds.first).uid
    client.force_login(rounds.researcher)
    page = client.get(reverse("learned-from-reader", args=[uid])).content.decode()
    assert "<strong>3 model versions.</strong>" in page
    assert "The version that serves now is not among them." in page
    assert reader.pseudonym in page
    assert reader.username not in page
    answer = client.get(reverse("api-learned-from-reader", args=[uid])).json()
    assert [model["number"] for model in answer["models"]] == [902, 903, 904]
    said = io.StringIO()
    call_command("learned_from", "reader", str(uid), "--actor", rounds.researcher.username, stdout=said)
    assert json.loads(said.getvalue()) == answer
    events = AuditEvent.objects.filter(action="trace_learning", subject_uid=str(uid))
    assert [event.details for event in events] == [{"of": "reader"}] * 3
    patient = rounds.first.assignment.case.study.patient_pseudonym
    for kind, name in (("reader", reader.pseudonym), ("patient", patient)):
        said = io.StringIO()
        call_command("learned_from", kind, name, "--actor", rounds.researcher.username, stdout=said)
        assert [model["number"] for model in json.loads(said.getvalue())["models"]] == [902, 903, 904]
    for kind, name in (("reader", patient), ("patient", reader.pseudonym), ("reading", patient)):
        with pytest.raises(CommandError, match=f"There is no {kind} of that name"):
            call_command("learned_from", kind, name, "--actor", rounds.researcher.username)
    assert reader.pseudonym in client.get(reverse("learned-from")).content.decode()


@pytest.mark.parametrize("kind", ["reader", "patient", "reading"])
def test_admins_and_researchers_may_ask_and_readers_may_not(
    rounds: Rounds, client: Client, kind: str
) -> None:
    subject: Any = {
        "reader": reader_of(rounds.first),
        "patient": rounds.first.assignment.case.study,
        "reading": rounds.first,
    }[kind]
    for address in (f"learned-from-{kind}", f"api-learned-from-{kind}"):
        url = reverse(address, args=[subject.uid])
        for person, status in ((AdminFactory, 200), (ResearcherFactory, 200), (ExpertFactory, 403)):
            client.force_login(person.create())
            assert client.get(url).status_code == status
    client.force_login(ExpertFactory.create())
    assert client.get(reverse("learned-from")).status_code == 403
    with pytest.raises(CommandError, match="may not see which models learned"):
        call_command("learned_from", kind, str(subject.uid), "--actor", ExpertFactory.create().username)


def test_the_plan_of_a_reader_study_warns_of_patients_that_a_version_learned_from(rounds: Rounds) -> None:
    client = Client()
    client.force_login(AdminFactory.create())
    studies = [reading.assignment.case.study for reading in (rounds.first, rounds.held_out)]

    def planned(version: ModelVersion) -> str:
        form = {"shows": "one", "version": version.uid, "cases_from": "chosen"}
        sent = {**form, "studies": [study.uid for study in studies]}
        return client.post(reverse("reader-study-plan"), sent).content.decode()

    warning = "1 study that cases are taken from is of a patient whom v90{} learned from"
    assert warning.format(2) in planned(rounds.v902)
    # By descent too.
    assert warning.format(4) in planned(rounds.v904)
    assert "a patient whom" not in planned(rounds.v905)
