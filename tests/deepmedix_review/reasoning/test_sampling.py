"""Several completions of one film: how many, at which temperature, by which seeds; by page and by program."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob
from deepmedix_review.reasoning.sampling import LAST_SEED, Draws, Sampling
from deepmedix_review.reasoning.services import queue_inference
from deepmedix_review.reasoning.tasks import ask_batch
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reasoning.some_batches import client_of
from tests.factories.accounts import AdminFactory
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db
BATCHES = "/api/inference-batches/"


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


@pytest.fixture
def version() -> ModelVersion:
    return ServingModelFactory.create(temperature=0.7)


def drawn() -> list[tuple[float, int]]:
    return list(InferenceJob.objects.order_by("pk").values_list("temperature", "seed"))


@pytest.mark.parametrize(
    ("sampling", "draws"),
    [
        (Sampling(), Draws(2, 0.7, 1)),
        (Sampling(8, 1.3, 5), Draws(8, 1.3, 5)),
        (Sampling(2, 2.0, LAST_SEED - 1), Draws(2, 2.0, LAST_SEED - 1)),
        # Without chance all seeds give the same text.
        (Sampling(4, 0.0, 9), Draws(1, 0.0, 1)),
    ],
)
def test_what_is_left_open_is_the_versions_own(
    version: ModelVersion, sampling: Sampling, draws: Draws
) -> None:
    assert sampling.of(version) == draws


@pytest.mark.parametrize(
    ("sampling", "why"),
    [
        (Sampling(0), "1 to 8"),
        (Sampling(9), "1 to 8"),
        (Sampling(1, -0.1), "from 0 to 2"),
        (Sampling(1, 2.1), "from 0 to 2"),
        (Sampling(1, float("nan")), "from 0 to 2"),
        (Sampling(1, 1.0, 0), "from 1 to 2,147,483,647"),
        (Sampling(2, 1.0, LAST_SEED), "from 1 to 2,147,483,647"),
    ],
)
def test_what_cant_be_drawn_is_refused(version: ModelVersion, sampling: Sampling, why: str) -> None:
    with pytest.raises(RefusedByRule, match=why):
        sampling.of(version)


def test_another_temperature_or_seed_is_another_completion_and_the_same_is_the_same(
    version: ModelVersion,
) -> None:
    study = InstanceFactory.create().study

    def ask(sampling: Sampling) -> list[InferenceJob]:
        return queue_inference(study=study, version=version, query=None, sampling=sampling, actor=None)

    usual = ask(Sampling())
    assert ask(Sampling(2, 0.7)) == usual
    assert ask(Sampling(3))[:2] == usual
    hot = ask(Sampling(2, 1.5, 2))
    assert not set(hot) & set(usual)
    assert drawn() == [(0.7, 1), (0.7, 2), (0.7, 3), (1.5, 2), (1.5, 3)]
    assert [job.sample for job in (*usual, *hot)] == [
        *("1", "2", "2 at temperature 1.5", "3 at temperature 1.5")
    ]


def test_a_batch_draws_what_it_is_told_and_asks_for_what_is_missing(
    admin: Client, version: ModelVersion
) -> None:
    film, other = InstanceFactory.create_batch(2)
    for one, seeds in ((film, (1, 2)), (other, (1,))):
        for seed in seeds:
            CompletionFactory.create(
                instance=one, model_version=version, query="Is it large?", temperature=0.7, seed=seed
            )
    wanted = {"query": "Is it large?", "num_samples": 2}

    def ask(**more: object) -> list[tuple[str, float, int]]:
        InferenceJob.objects.all().delete()
        answer = admin.post(BATCHES, wanted | more, "application/json")
        assert answer.status_code == 202, answer.json()
        batch = InferenceBatch.objects.latest("pk")
        ask_batch(batch.pk)
        asked = InferenceJob.objects.filter(batch=batch).order_by("study", "seed")
        return [(job.study.label, job.temperature, job.seed) for job in asked]

    a, b = film.study.label, other.study.label
    # What is there already has its own job in real life; here its jobs are made with those that lack.
    assert [study for study, *_ in ask()] == [b, b]
    assert ask(num_samples=3) == [(one, 0.7, seed) for one in (a, b) for seed in (1, 2, 3)]
    assert ask(temperature=1.2, first_seed=4) == [(one, 1.2, seed) for one in (a, b) for seed in (4, 5)]
    told = admin.get(BATCHES).json()["results"][0]
    assert (told["num_samples"], told["temperature"], told["first_seed"]) == (2, 1.2, 4)
    assert ask(temperature=0) == [(one, 0.0, 1) for one in (a, b)]


def test_the_same_draws_are_one_batch_and_others_are_another(admin: Client) -> None:
    ServingModelFactory.create(temperature=0.7)
    InstanceFactory.create()
    asked = [{}, {"temperature": 0.7}, {"temperature": 0.9}, {"first_seed": 3}, {"num_samples": 1}, {}]
    uids = [admin.post(BATCHES, one, "application/json").json()["uid"] for one in asked]
    assert [uids.index(uid) for uid in uids] == [0, 0, 2, 3, 4, 0]


def test_a_batchs_form_takes_them_and_its_pages_say_them(admin: Client, version: ModelVersion) -> None:
    InstanceFactory.create()
    address = reverse("inference-batch-new")
    form = admin.get(address).content.decode()
    assert all(f'name="{name}"' in form for name in ("num_samples", "temperature", "first_seed"))
    wanted = {"version": str(version.uid), "query": "Is it large?"}
    for wrong, sentence in (
        ({"temperature": "2.5"}, "less than or equal to 2"),
        ({"temperature": "hot"}, "Enter a number"),
        ({"first_seed": "0"}, "greater than or equal to 1"),
        ({"first_seed": str(LAST_SEED), "num_samples": "2"}, "Seeds are whole numbers"),
    ):
        assert sentence in admin.post(address, wanted | wrong).content.decode(), wrong
    assert not InferenceBatch.objects.exists()
    admin.post(address, wanted | {"num_samples": "3", "temperature": "1.1", "first_seed": "10"})
    batch = InferenceBatch.objects.get()
    ask_batch(batch.pk)
    assert drawn() == [(1.1, 10), (1.1, 11), (1.1, 12)]
    page = admin.get(reverse("inference-batch", args=[batch.uid])).content.decode()
    assert '<dd class="mono">1.1</dd>' in page
    assert '<dd class="mono">10 to 12</dd>' in page
    listed = admin.get(reverse("inference-batches")).content.decode()
    assert "3 of each · temperature 1.1 · from seed 10" in listed
    recorded = AuditEvent.objects.filter(action="request_inference_batch").latest("sequence").details
    assert (recorded["temperature"], recorded["first_seed"]) == (1.1, 10)


def test_on_a_studys_page_they_are_chosen_and_a_wrong_one_is_marked(
    admin: Client, version: ModelVersion
) -> None:
    study: Study = InstanceFactory.create().study
    address = reverse("inference-request", args=[study.uid])
    asked = {"query": "Is it large?", "num_samples": "2", "temperature": "1.5", "first_seed": "7"}
    page = admin.post(address, asked, headers={"HX-Request": "true"}).content.decode()
    assert drawn() == [(1.5, 7), (1.5, 8)]
    assert "7 at temperature 1.5" in page
    assert "<details open><summary>Sampling</summary>" in page
    wrong = admin.post(address, asked | {"num_samples": "99"}, headers={"HX-Request": "true"})
    said = html.unescape(wrong.content.decode())
    assert "Nothing was asked: see what is marked under Sampling." in said
    assert "less than or equal to 8" in said
    assert InferenceJob.objects.count() == 2
    # Whose choice of a version renews the form keeps what stands in it.
    fragment = admin.get(reverse("inference-fragment", args=[study.uid]), asked).content.decode()
    assert 'value="1.5"' in fragment
    plain = admin.get(reverse("inference-fragment", args=[study.uid])).content.decode()
    assert "<details><summary>Sampling</summary>" in plain


def test_by_json_a_study_is_asked_so_and_a_wrong_draw_is_refused(
    admin: Client, version: ModelVersion
) -> None:
    address = f"/api/studies/{InstanceFactory.create().study.uid}/inference/"
    asked = {"num_samples": 1, "temperature": 0.2, "first_seed": 3}
    (job,) = admin.post(address, asked, "application/json").json()
    assert (job["temperature"], job["seed"], job["state"]) == (0.2, 3, JobState.QUEUED)
    refused = admin.post(address, {"temperature": 5}, "application/json")
    assert (refused.status_code, list(refused.json())) == (400, ["temperature"])
