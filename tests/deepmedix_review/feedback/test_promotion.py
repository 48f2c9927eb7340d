"""A candidate that passed the gate serves, once; and the version before it is one step away."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.gating.promoting import promote_candidate, return_to_former
from deepmedix_review.feedback.models import GateDecision, Promotion
from deepmedix_review.feedback.selectors import signatures_of
from deepmedix_review.feedback.services import retire_candidate
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.registry.services import promote, register_candidate
from tests.factories.accounts import PASSWORD, AdminFactory, ResearcherFactory
from tests.factories.learning import serving_model_with_weights
from tests.factories.models import write_untrained_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate(tmp_path: Path) -> ModelVersion:
    """A child of the serving model that passed the gate."""
    parent = serving_model_with_weights(tmp_path / "parent")
    folder = write_untrained_model(tmp_path / "candidate", seed=2)
    child = register_candidate(parent=parent, folder=folder, name="child", card={})
    GateDecision.objects.create(
        candidate=child, parent=parent, outcome="passed", policy={}, comparisons=[], sentence="Passed."
    )
    return child


def sign(
    candidate: ModelVersion, actor: User, *, password: str = PASSWORD, reason: str = "Better."
) -> Promotion:
    return promote_candidate(candidate, actor=actor, password=password, reason=reason)


def test_a_candidate_that_passed_serves_once_and_its_parent_is_retired(candidate: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    sign(candidate, researcher)
    assert serving_model() == candidate
    assert candidate.parent is not None
    candidate.parent.refresh_from_db()
    assert candidate.parent.state == ModelVersion.State.RETIRED
    with pytest.raises(RefusedByRule, match="serving already"):
        sign(candidate, researcher)
    event = AuditEvent.objects.filter(action="promote_model").latest("sequence")
    assert (event.actor, event.subject_uid) == (researcher, str(candidate.uid))
    signature = Promotion.objects.get()
    assert (signature.version, signature.replaced) == (candidate, candidate.parent)
    assert (signature.signed_by, signature.reason) == (researcher, "Better.")


def test_nothing_serves_without_a_password_and_a_reason(candidate: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    with pytest.raises(RefusedByRule, match="not your account's password"):
        sign(candidate, researcher, password=PASSWORD + "x")
    with pytest.raises(RefusedByRule, match="why it shall serve"):
        sign(candidate, researcher, reason="  ")
    assert serving_model() == candidate.parent
    assert not Promotion.objects.exists()
    refused = AuditEvent.objects.filter(action="refuse_signature").latest("sequence")
    assert refused.actor == researcher


def test_a_signature_stays_as_it_was_given(candidate: ModelVersion) -> None:
    sign(candidate, ResearcherFactory.create())
    for change in (lambda: Promotion.objects.update(reason="Another."), Promotion.objects.all().delete):
        with pytest.raises(IntegrityError, match="kept as they were made"), transaction.atomic():
            change()


def test_the_version_that_served_before_is_one_step_away(candidate: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    sign(candidate, researcher)
    former = candidate.parent
    assert former is not None
    with pytest.raises(RefusedByRule, match="Nothing was changed: meanwhile"):
        return_to_former(actor=researcher, expected=str(candidate.uid))
    assert serving_model() == candidate
    client = Client()
    client.force_login(researcher)
    page = client.get(reverse("model-roll-back")).content.decode()
    assert f'name="former" value="{former.uid}"' in page
    client.post(reverse("model-roll-back"), {"former": str(former.uid)})
    assert serving_model() == candidate.parent
    signed = Promotion.objects.values_list("kind", "version", "replaced")
    back = (Promotion.Kind.ROLLED_BACK, candidate.parent_id, candidate.pk)
    assert list(signed) == [back, (Promotion.Kind.PROMOTED, candidate.pk, candidate.parent_id)]
    # The one that was left may come back at once only where it was the one before; by the gate it may always.
    assert "in one step, without the gate" not in text_of(client, former)
    # Each page says both: who let it serve or returned to it, and who put another in its place.
    shown = text_of(client, former)
    assert re.search(rf"returned to .* by {researcher} ?, in place of +{candidate}", shown)
    assert re.search(rf"replaced .* by {researcher} ?, who promoted +{candidate} *: “Better.”", shown)
    shown = text_of(client, candidate)
    assert re.search(rf"returned from .* by {researcher} ?, who returned to +{former}", shown)
    assert re.search(rf"promoted .* by {researcher} ?, in place of +{former}", shown)


def test_a_version_that_a_command_let_serve_says_so_until_a_signature_lets_it(
    candidate: ModelVersion,
) -> None:
    researcher, client = ResearcherFactory.create(), Client()
    client.force_login(researcher)
    former = candidate.parent
    assert former is not None
    promote(candidate, actor=None)
    assert "let serve" in text_of(client, candidate)
    assert not Promotion.objects.exists()
    promote(former, actor=None)
    began = [one.created_at for one in signatures_of(former)]
    assert began
    sign(candidate, researcher)
    assert re.search(r"promoted .* let serve .* by a command", text_of(client, candidate))
    # What a signature replaced began by a command, before it.
    assert re.search(r"replaced .* let serve .* by a command, past the gate", text_of(client, former))
    # A return is no command: what began then keeps its time.
    return_to_former(actor=researcher)
    assert re.search(r"returned to .* replaced .* let serve .* by a command", text_of(client, former))
    assert [one.created_at for one in signatures_of(former) if one.kind == "unsigned"] == began
    assert AuditEvent.objects.latest("sequence").action != "promote_model"
    assert AuditEvent.objects.filter(action="return_to_model", actor=researcher).count() == 1


def text_of(client: Client, version: ModelVersion) -> str:
    page = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    return re.sub(r"<[^>]+>|\s+", " ", page)


def test_a_candidate_that_was_held_or_retired_never_serves(candidate: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    GateDecision.objects.filter(candidate=candidate).update(outcome="held", sentence="Held. Recall fell.")
    with pytest.raises(RefusedByRule, match="Recall fell"):
        sign(candidate, researcher)
    GateDecision.objects.filter(candidate=candidate).update(outcome="passed")
    retire_candidate(candidate, actor=researcher)
    with pytest.raises(RefusedByRule, match="retired already"):
        sign(candidate, researcher)


def test_a_candidate_whose_files_were_changed_does_not_serve(candidate: ModelVersion) -> None:
    Path(candidate.folder, "generation_config.json").write_text("{}")
    with pytest.raises(RefusedByRule, match="changed"):
        sign(candidate, ResearcherFactory.create())
    assert serving_model() == candidate.parent


def test_only_a_researcher_promotes_retires_and_returns(candidate: ModelVersion) -> None:
    admin = AdminFactory.create()
    for act in (
        lambda: sign(candidate, admin),
        lambda: retire_candidate(candidate, actor=admin),
        lambda: return_to_former(actor=admin),
    ):
        with pytest.raises(NotYours):
            act()
