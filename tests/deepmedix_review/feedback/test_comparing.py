"""Two to four runs side by side: curves on one scale, only what differs, and the gate's word on each."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingMetric, TrainingRun
from deepmedix_review.feedback.runs.comparing import compare_runs
from deepmedix_review.feedback.services import freeze_dataset
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher() -> User:
    user: User = ResearcherFactory.create()
    return user


@pytest.fixture
def dataset(researcher: User) -> PreferenceDataset:
    parent = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    a_reading_to_learn_from(parent)
    return freeze_dataset(title="Round 1", actor=researcher)


def a_run(dataset: PreferenceDataset, *, losses: tuple[float, ...], **choices: Any) -> TrainingRun:
    parent = ServingModelFactory.create()
    run = TrainingRun.objects.create(
        dataset=dataset,
        parent_version=parent,
        candidate=ModelVersionFactory.create(parent=parent),
        recipe={"stages": [{"kind": "dpo", "num_steps": len(losses), **choices}]},
        state=JobState.DONE,
        step=len(losses),
        num_steps=len(losses),
    )
    for step, loss in enumerate(losses, 1):
        TrainingMetric.objects.create(run=run, step=step, values={"loss": loss})
    return run


def decide(run: TrainingRun) -> None:
    assert run.candidate is not None
    row = {"benchmark": "the first site", "label": "lesion recall", "candidate": 0.9, "difference": 0.1}
    GateDecision.objects.create(
        candidate=run.candidate,
        parent=run.parent_version,
        outcome="passed",
        policy={},
        comparisons=[{**row, "low": 0.05, "high": 0.15}],
        sentence="Passed. Lesion recall rose.",
    )


def test_curves_share_one_scale_and_only_what_differs_is_told(
    dataset: PreferenceDataset, researcher: User
) -> None:
    first = a_run(dataset, losses=(1.0, 0.5), seed=1)
    second = a_run(dataset, losses=(0.8, 0.6, 0.2), seed=2)
    decide(first)
    found = compare_runs(researcher, [second.uid, first.uid])
    assert [one.run for one in found.runs] == [first, second]
    assert len({(one.colour, one.dash) for one in found.runs}) == 2
    [loss] = found.curves
    assert (loss.scale.lowest, loss.scale.highest, loss.scale.last_step) == (0.2, 1.0, 3)
    assert loss.lasts == (0.5, 0.2)
    assert {row.name: row.cells for row in found.differences} == {
        "DPO: Seed": ("1", "2"),
        "DPO: Optimizer steps": ("2", "3"),
    }
    [figure] = found.figures
    assert figure.name == "the first site: lesion recall"
    assert figure.cells == ("0.900 (+0.100, +0.050 to +0.150)", "")


def test_a_stage_stands_beside_its_like_whatever_its_place(
    dataset: PreferenceDataset, researcher: User
) -> None:
    alone, chained = (a_run(dataset, losses=(1.0,), beta=0.2) for _ in range(2))
    stages = [{"kind": "corrections"}, {"kind": "dpo", "num_steps": 1, "beta": 0.3}, {"kind": "dpo"}]
    TrainingRun.objects.filter(pk=chained.pk).update(recipe={"stages": stages})
    found = compare_runs(researcher, [alone.uid, chained.uid])
    told = {row.name: row.cells for row in found.differences}
    assert told["Stages"] == ("DPO", "Corrections, then DPO, then DPO")
    assert told["DPO: Tie to the parent (beta)"] == ("0.2", "0.3")
    one_sided = {row.name: row.cells for row in found.one_sided}
    assert one_sided["Corrections: Optimizer steps"] == ("not set there", "200")
    assert one_sided["DPO (2): Tie to the parent (beta)"] == ("not set there", "0.1")
    assert not set(told) & set(one_sided)
    assert "DPO: Optimizer steps" not in told


@pytest.mark.parametrize("number", [0, 1, 5])
def test_fewer_than_two_and_more_than_four_are_refused(
    dataset: PreferenceDataset, researcher: User, number: int
) -> None:
    runs = [a_run(dataset, losses=(1.0,)) for _ in range(number)]
    with pytest.raises(RefusedByRule, match="2 to 4 runs can be compared"):
        compare_runs(researcher, [run.uid for run in runs])


def test_the_page_compares_what_was_ticked_and_nonsense_leads_back_to_the_list(
    dataset: PreferenceDataset, researcher: User, client: Client
) -> None:
    runs = [a_run(dataset, losses=(1.0, 0.5), seed=seed) for seed in (1, 2)]
    client.force_login(researcher)
    asked = {"run": [str(run.uid) for run in runs]}
    page = client.get(reverse("training-run-compare"), asked).content.decode()
    assert page.count("<polyline") == 2
    assert "DPO: Seed" in page
    assert AuditEvent.objects.get(action="compare_runs").details == {"runs": asked["run"]}
    for nonsense in (["x", "y"], [str(uuid.UUID(int=0))], []):
        answer = client.get(reverse("training-run-compare"), {"run": nonsense}, follow=True)
        assert answer.redirect_chain == [(reverse("training-run-list"), 302)]
        assert "2 to 4 runs can be compared." in answer.content.decode()


def test_only_who_may_see_models_compares(dataset: PreferenceDataset, client: Client) -> None:
    for person in (ExpertFactory.create(), AdminFactory.create()):
        client.force_login(person)
        assert client.get(reverse("training-run-list")).status_code == 403
        assert client.get(reverse("training-run-compare")).status_code == 403
