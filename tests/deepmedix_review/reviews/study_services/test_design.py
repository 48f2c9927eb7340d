"""A reader study gives every reader every case, with the sides drawn, and says who is how far."""

import pytest

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Invitation, Reading
from deepmedix_review.reviews.selectors import completions_to_read
from deepmedix_review.reviews.study_services import create_reader_study
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reasoning import CompletionFactory, say
from tests.factories.registry import ModelVersionFactory
from tests.factories.reviews import complete, completed_study, reader_study, sign
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def test_every_reader_gets_every_case_with_balanced_sides() -> None:
    readers = [ExpertFactory.create(), ExpertFactory.create()]
    study = reader_study(num_cases=6, readers=readers)
    for reader in readers:
        readings = Reading.objects.filter(assignment__case__reader_study=study, assignment__reader=reader)
        swapped = [reading.completion_a_id > (reading.completion_b_id or 0) for reading in readings]
        assert (len(swapped), sum(swapped)) == (6, 3)


def test_the_same_seed_draws_the_same_sides() -> None:
    reader = ExpertFactory.create()
    studies = [completed_study() for _ in range(5)]

    def sides(seed: int) -> list[int]:
        study = create_reader_study(title="t", studies=studies, readers=[reader], actor=None, seed=seed)
        readings = Reading.objects.filter(assignment__case__reader_study=study).order_by("assignment")
        return [reading.completion_a_id for reading in readings]

    assert sides(3) == sides(3)
    assert any(sides(3) != sides(seed) for seed in range(4, 10))


def test_the_completions_are_two_of_one_model_on_one_film_and_one_question() -> None:
    instance, other_film = InstanceFactory.create(), InstanceFactory.create()
    older = CompletionFactory.create(instance=instance, query="Is the heart enlarged?")
    chosen = [CompletionFactory.create(instance=instance) for _ in range(2)]
    CompletionFactory.create(instance=instance, model_version=ModelVersionFactory.create())
    CompletionFactory.create(instance=other_film)
    found = completions_to_read([instance.study])
    assert found == {instance.study.pk: chosen}
    assert older not in found[instance.study.pk]


def test_a_case_with_one_completion_has_one_side() -> None:
    study = reader_study(num_completions=1)
    reading = Reading.objects.get(assignment__case__reader_study=study)
    assert reading.completion_b is None


def test_a_chosen_model_version_is_read_instead_of_the_serving_one() -> None:
    candidate = ModelVersionFactory.create(state=ModelVersion.State.CANDIDATE)
    instance = InstanceFactory.create()
    completion = say(instance, steps=[], model_version=candidate)
    study = create_reader_study(
        title="t",
        studies=[instance.study],
        readers=[ExpertFactory.create()],
        actor=None,
        seed=1,
        model_version=candidate,
    )
    assert Reading.objects.get(assignment__case__reader_study=study).completion_a == completion


def test_a_reader_study_without_what_it_needs_is_refused_by_a_sentence() -> None:
    study, unread = completed_study(), InstanceFactory.create().study
    expert, admin = ExpertFactory.create(), AdminFactory.create()
    refusals = [
        ("", [study], [expert], "no title"),
        ("t", [], [expert], "There is no case to read"),
        ("t", [study], [], "There is no reader"),
        ("t", [study], [admin], "may not read cases"),
        ("t", [study, unread], [expert], f"{unread.label} has no completion"),
    ]
    for title, studies, readers, sentence in refusals:
        with pytest.raises(RefusedByRule, match=sentence):
            create_reader_study(title=title, studies=studies, readers=readers, actor=admin, seed=1)


def test_only_an_admin_designs_one_and_it_is_audited() -> None:
    study, expert = completed_study(), ExpertFactory.create()
    with pytest.raises(NotYours):
        create_reader_study(title="t", studies=[study], readers=[expert], actor=expert, seed=1)
    admin = AdminFactory.create()
    made = create_reader_study(title="t", studies=[study], readers=[expert], actor=admin, seed=1)
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid, event.actor) == ("start_reader_study", str(made.uid), admin)


def test_progress_counts_what_each_reader_signed() -> None:
    readers = [ExpertFactory.create(pseudonym="E-A"), ExpertFactory.create(pseudonym="E-B")]
    study = reader_study(num_cases=3, readers=readers)
    reading = Reading.objects.filter(assignment__reader=readers[1]).earliest("pk")
    complete(reading)
    sign(reading)
    counted = Invitation.objects.filter(reader_study=study).order_by("reader__pseudonym")
    progress = list(counted.values_list("reader__pseudonym", "num_signed", "num_assigned"))
    assert progress == [("E-A", 0, 3), ("E-B", 1, 3)]
