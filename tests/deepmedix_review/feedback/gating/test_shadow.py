"""A shadow study is made from a candidate's page, on held-out patients, and both versions are asked."""

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Invitation, ReaderStudy
from deepmedix_review.reviews.study_services import draft_of, find_unready
from deepmedix_review.studies.models import CollectionVersion, Split, Study
from inference.prompts import template
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.collections import filtered
from tests.factories.learning import patient_on
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate() -> ModelVersion:
    parent = ServingModelFactory.create()
    version: ModelVersion = ModelVersionFactory.create(number=900, parent=parent)
    return version


@pytest.fixture
def collection() -> CollectionVersion:
    """Three studies of the test side, two of the train side."""
    for side in (Split.TEST, Split.TRAIN, Split.TEST, Split.TRAIN, Split.TEST):
        InstanceFactory.create(series__study__patient_pseudonym=patient_on(side))
    return filtered()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asked(collection: CollectionVersion | None, number: str = "10") -> dict[str, str]:
    return {"collection": str(collection.uid) if collection else "", "num_cases": number}


def test_one_press_drafts_a_blinded_study_and_asks_both_versions(
    candidate: ModelVersion, collection: CollectionVersion
) -> None:
    researcher = ResearcherFactory.create()
    client, address = client_of(researcher), reverse("model-shadow-study", args=[candidate.uid])
    page = client.get(reverse("model-detail", args=[candidate.uid])).content.decode()
    assert "381 films where 0.55 prefer it, 93 films where 0.60 prefer it" in page
    answer = client.post(address, asked(collection), follow=True)
    assert "is among the reader studies" in answer.content.decode()
    few = "3 cases are too few to tell: where 0.65 prefer one version it takes about 39."
    assert answer.content.decode().count(few) == 2
    assert f'href="{reverse("collection-list")}"' in client.get(address).content.decode()
    made = ReaderStudy.objects.get()
    draft = draft_of(made)
    assert (draft.model_version, draft.other_version) == (candidate, candidate.parent)
    assert draft.design.shows == "two_versions"
    assert len(draft.studies) == 3
    assert {one.criterion.target for one in draft.asked} == {"vote"}
    assert str(candidate) not in made.title
    jobs = InferenceJob.objects.all()
    assert candidate.parent is not None
    assert {(job.study_id, job.model_version_id) for job in jobs} == {
        (study.pk, version.pk) for study in draft.studies for version in (candidate, candidate.parent)
    }
    event = AuditEvent.objects.filter(action="make_shadow_study").get()
    assert (event.actor, event.details["cases"], event.details["requested"]) == (researcher, 3, 6)
    panel = client.get(address).content.decode()
    assert "models are answering" in panel
    assert 'hx-trigger="every 2s"' in panel
    jobs.update(state=JobState.FAILED)
    assert "6 answers failed" in client.get(address).content.decode()


def test_once_both_have_answered_it_lacks_nothing_but_readers(
    candidate: ModelVersion, collection: CollectionVersion
) -> None:
    assert candidate.parent is not None
    query = template(candidate.parent.prompt_template).default_query
    researcher = ResearcherFactory.create()
    address = reverse("model-shadow-study", args=[candidate.uid])
    client_of(researcher).post(address, asked(collection, "2"))
    made = ReaderStudy.objects.get()
    for study in draft_of(made).studies:
        instance = study.series.get().instances.get()
        for version in (candidate, candidate.parent):
            CompletionFactory.create(instance=instance, model_version=version, query=query)
    assert ">ready<" in client_of(researcher).get(address).content.decode()
    assert find_unready(draft_of(made)) == ("There is no reader. Invite one.",)
    Invitation.objects.create(reader_study=made, reader=ExpertFactory.create())
    assert find_unready(draft_of(made)) == ()
    num_jobs = InferenceJob.objects.count()
    client_of(researcher).post(address, asked(collection, "2"))
    assert InferenceJob.objects.count() == num_jobs
    assert Completion.objects.count() == 4


@pytest.mark.parametrize(
    ("number", "says"),
    [("0", "1 to 500 cases"), ("many", "Say how many cases"), ("501", "1 to 500 cases")],
)
def test_what_cannot_be_made_is_said_and_nothing_is_kept(
    candidate: ModelVersion, collection: CollectionVersion, number: str, says: str
) -> None:
    client = client_of(ResearcherFactory.create())
    address = reverse("model-shadow-study", args=[candidate.uid])
    assert says in client.post(address, asked(collection, number), follow=True).content.decode()
    assert "Choose the collection" in client.post(address, asked(None), follow=True).content.decode()
    Study.objects.update(state=Study.State.HELD)
    refused = client.post(address, asked(collection), follow=True).content.decode()
    assert "has no ready study with a film on its test side" in refused
    assert not ReaderStudy.objects.exists()
    assert not InferenceJob.objects.exists()


def test_only_a_researcher_makes_one(candidate: ModelVersion, collection: CollectionVersion) -> None:
    address = reverse("model-shadow-study", args=[candidate.uid])
    for user in (AdminFactory.create(), ExpertFactory.create()):
        assert client_of(user).get(address).status_code == 403
        assert client_of(user).post(address, asked(collection)).status_code == 403
    assert Client().post(address, asked(collection)).status_code == 302
    assert not ReaderStudy.objects.exists()
