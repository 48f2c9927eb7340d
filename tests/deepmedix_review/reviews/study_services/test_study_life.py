"""A reader study from its draft to its lock: what can be done when, and what is refused with which words."""

from datetime import date, timedelta
from typing import get_args

import pytest
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.designs.design import Design, FirstReads, Kind, Role, Shows
from deepmedix_review.reviews.guards import require_results_visible
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Invitation,
    ReaderStudy,
    Reading,
    WorklistNotice,
)
from deepmedix_review.reviews.selectors import reading_for, signed_readings, worklist
from deepmedix_review.reviews.services import amend_reading, mark_opened
from deepmedix_review.reviews.study_services import (
    TaughtCase,
    design_reader_study,
    draft_of,
    extend_reader_study,
    find_unready,
    lock_reader_study,
    pause_reader_study,
    preview_extension,
    resume_reader_study,
    start_reader_study,
)
from tests.deepmedix_review.reviews.conduct.the_page import client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import (
    a_draft,
    list_of,
    load_of,
    running,
    sign_unsaid,
    studies,
    studies_that_differ,
)
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import HEART, LUNGS, complete, sign
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def reader_of(reader_study: ReaderStudy) -> User:
    return Invitation.objects.filter(reader_study=reader_study).earliest("pk").reader


def test_a_draft_comes_back_as_it_was_written_and_can_be_written_anew() -> None:
    [training] = studies(1)
    draft = a_draft(
        taught=[TaughtCase(training, {"findings": []})],
        design=ReaderStudyDesign(design="k_readers", readers_per_case=1, shows="one", repeat_share=0.1),
        instructions="Read as on call.",
        first_read_choices=["yes", "no"],
        deadline=date(2099, 1, 1),
        hides_results=True,
        seed=5,
    )
    reader_study = design_reader_study(draft=draft, actor=AdminFactory.create())
    assert reader_study.state == ReaderStudy.State.DRAFT
    again = draft_of(reader_study)
    assert (again.studies, again.taught, again.readers) == (draft.studies, draft.taught, draft.readers)
    assert (again.design, again.seed, again.deadline) == (draft.design, 5, date(2099, 1, 1))
    assert (again.instructions, again.first_read_choices) == ("Read as on call.", ["yes", "no"])

    shorter = a_draft(num_cases=1, num_readers=1, title="Shorter")
    assert design_reader_study(draft=shorter, actor=None, reader_study=reader_study).title == "Shorter"
    assert Case.objects.filter(reader_study=reader_study).count() == 1
    assert Invitation.objects.filter(reader_study=reader_study).count() == 1
    assert not Assignment.objects.filter(case__reader_study=reader_study).exists()


def test_a_draft_may_lack_anything_but_a_title_and_says_what_it_lacks() -> None:
    ServingModelFactory.create()
    with pytest.raises(RefusedByRule, match="no title"):
        design_reader_study(draft=a_draft(title=" "), actor=None)
    bare = design_reader_study(draft=a_draft(num_cases=0, num_readers=0), actor=None)
    with pytest.raises(RefusedByRule, match=r"no case to read.*no reader"):
        start_reader_study(reader_study=bare, actor=None)


def test_what_keeps_a_draft_from_starting_is_said() -> None:
    silent = InstanceFactory.create().study
    study, *withdrawn = studies(3)
    for one in withdrawn:
        one.state = "held"
        one.save()
    version = ModelVersionFactory.create()
    two = ReaderStudyDesign(shows="two_versions")
    yesterday = timezone.localdate() - timedelta(days=1)
    for draft, sentence in (
        (a_draft(studies=[study, silent]), f"{silent.label} has no completion"),
        (a_draft(studies=[study, study]), "is chosen twice. A reader would see it again"),
        (a_draft(studies=[study], taught=[TaughtCase(study, {})]), "is chosen twice"),
        (a_draft(studies=withdrawn[:1]), " is on hold or rejected. Accept it first, or take it out."),
        (a_draft(studies=withdrawn), " are on hold or rejected. Accept them first, or take them out."),
        (a_draft(studies=[study], design=two), "Choose both model versions"),
        (a_draft(studies=[study], design=two, model_version=version, other_version=version), "the same"),
        (a_draft(studies=[study], deadline=yesterday), "deadline has passed"),
        (a_draft(studies=[study], adjudication="third_reader"), "at least 3 readers"),
    ):
        assert any(sentence in said for said in find_unready(draft)), sentence


def test_two_versions_are_read_side_by_side_or_one_of_them_by_lot() -> None:
    versions = [ServingModelFactory.create(), ModelVersionFactory.create(state=ModelVersion.State.CANDIDATE)]
    chosen = []
    for _ in range(10):
        film = InstanceFactory.create()
        for version in versions:
            say(film, steps=[HEART, LUNGS], model_version=version)
        chosen.append(film.study)
    for shows in ("two_versions", "one_of_two"):
        reader_study = running(
            a_draft(
                studies=chosen,
                design=ReaderStudyDesign(shows=shows),
                model_version=versions[0],
                other_version=versions[1],
            )
        )
        readings = Reading.objects.filter(assignment__case__reader_study=reader_study)
        on_side_a = [reading.completion_a.model_version_id for reading in readings]
        assert sorted(on_side_a.count(version.pk) for version in versions) == [10, 10]
        assert {reading.completion_b is None for reading in readings} == {shows == "one_of_two"}
        for case in Case.objects.filter(reader_study=reader_study):
            shown = readings.filter(assignment__case=case).values_list("completion_a__model_version")
            assert len(set(shown)) == 2


def test_a_started_study_starts_once_and_keeps_its_design() -> None:
    reader_study = running()
    with pytest.raises(RefusedByRule, match="begun already"):
        start_reader_study(reader_study=reader_study, actor=None)
    with pytest.raises(RefusedByRule, match="has begun"):
        design_reader_study(draft=a_draft(), actor=None, reader_study=reader_study)


def test_only_who_designs_reader_studies_moves_one_and_each_step_is_audited() -> None:
    reader_study, admin, expert = running(), AdminFactory.create(), ExpertFactory.create()
    for move in (pause_reader_study, resume_reader_study, lock_reader_study):
        with pytest.raises(NotYours):
            move(reader_study=reader_study, actor=expert)
        move(reader_study=reader_study, actor=admin)
        event = AuditEvent.objects.latest("sequence")
        assert (event.action, event.actor) == (move.__name__, admin)
        with pytest.raises(RefusedByRule, match="can't be"):
            move(reader_study=reader_study, actor=admin)


def test_paused_an_open_case_can_be_finished_and_no_other_begun() -> None:
    reader_study = running()
    reader = reader_of(reader_study)
    opened, waiting = (Reading.objects.get(assignment=item) for item in list_of(reader_study, reader)[:2])
    mark_opened(opened, reader=reader)
    pause_reader_study(reader_study=reader_study, actor=None)
    assert [row.reading for row in worklist(reader).rows] == [opened.uid]
    with pytest.raises(RefusedByRule, match="paused"):
        reading_for(reader, waiting.uid)
    with pytest.raises(RefusedByRule, match="paused"):
        mark_opened(waiting, reader=reader)
    complete(opened)
    assert sign(opened).signed_at is not None
    assert worklist(reader).rows == ()
    resume_reader_study(reader_study=reader_study, actor=None)
    assert len(worklist(reader).rows) == 3


def test_locked_nothing_is_said_or_amended_any_more() -> None:
    reader_study = running()
    reader = reader_of(reader_study)
    first, second = (Reading.objects.get(assignment=item) for item in list_of(reader_study, reader)[:2])
    for reading in (first, second):
        mark_opened(reading, reader=reader)
    complete(first)
    signed = sign(first)
    lock_reader_study(reader_study=reader_study, actor=None)
    second.refresh_from_db()
    with pytest.raises(RefusedByRule, match="locked"):
        complete(second)
    with pytest.raises(RefusedByRule, match="locked"):
        amend_reading(reading=signed, reader=reader, reason="why")
    with pytest.raises(RefusedByRule, match="locked"):
        extend_reader_study(reader_study=reader_study, actor=None, cases=studies(1))
    assert worklist(reader).rows == ()


def test_after_the_deadline_nothing_is_kept_until_there_is_more_time() -> None:
    today = timezone.localdate()
    reader_study = running(a_draft(deadline=today))
    reader = reader_of(reader_study)
    reading = Reading.objects.get(assignment=list_of(reader_study, reader)[0])
    mark_opened(reading, reader=reader)
    ReaderStudy.objects.filter(pk=reader_study.pk).update(deadline=today - timedelta(days=1))
    with pytest.raises(RefusedByRule, match="deadline of this reader study was"):
        complete(reading)
    assert worklist(reader).rows == ()
    extend_reader_study(reader_study=reader_study, actor=None, deadline=today + timedelta(days=7))
    complete(reading)
    assert len(worklist(reader).rows) == 4
    with pytest.raises(RefusedByRule, match="already, and readers count on it"):
        extend_reader_study(reader_study=reader_study, actor=None, deadline=today + timedelta(days=6))
    # One reader's own deadline goes before the study's.
    Invitation.objects.filter(reader=reader).update(deadline=today - timedelta(days=1))
    with pytest.raises(RefusedByRule, match="deadline"):
        sign(reading)


def test_results_that_the_design_hides_are_seen_and_learned_from_after_the_lock_alone() -> None:
    reader_study, admin = running(a_draft(hides_results=True)), AdminFactory.create()
    sign_unsaid(list_of(reader_study, reader_of(reader_study))[0])
    with pytest.raises(RefusedByRule, match="until it is locked"):
        require_results_visible(admin, reader_study)
    assert not signed_readings().exists()
    locked = lock_reader_study(reader_study=reader_study, actor=admin)
    require_results_visible(admin, locked)
    assert signed_readings().count() == 1


def test_more_cases_come_behind_those_that_are_there_by_the_same_design() -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")
    reader_study = running(a_draft(num_cases=10, num_readers=4, design=design))
    readers = [invitation.reader for invitation in Invitation.objects.filter(reader_study=reader_study)]
    before = {reader.pk: list_of(reader_study, reader) for reader in readers}
    sign_unsaid(before[readers[0].pk][0])
    more = studies(7)
    extend_reader_study(reader_study=reader_study, actor=None, cases=more)
    loads = [load_of(reader_study, reader) for reader in readers]
    assert (sum(loads), max(loads) - min(loads) <= 1) == (34, True)
    for reader in readers:
        mine = list_of(reader_study, reader)
        assert mine[: len(before[reader.pk])] == before[reader.pk]
        assert [item.position for item in mine] == list(range(1, len(mine) + 1))
    added = {reader.pk: len(list_of(reader_study, reader)) - len(before[reader.pk]) for reader in readers}
    told = WorklistNotice.objects.filter(reader_study=reader_study, is_grown=True)
    assert dict(told.values_list("reader", "num_come")) == {pk: num for pk, num in added.items() if num}
    page = client_of(readers[0]).get(reverse("worklist")).content.decode()
    assert f"{added[readers[0].pk]} cases were added to your list of {reader_study.title}" in page
    with pytest.raises(RefusedByRule, match="is a case of this reader study already"):
        extend_reader_study(reader_study=reader_study, actor=None, cases=more[:1])
    with pytest.raises(RefusedByRule, match="no completion to read"):
        extend_reader_study(reader_study=reader_study, actor=None, cases=[InstanceFactory.create().study])
    with pytest.raises(RefusedByRule, match="Nothing was added"):
        extend_reader_study(reader_study=reader_study, actor=None)


@pytest.mark.parametrize("numbers", [(15,), (3, 3, 3, 6)])
def test_an_extended_study_keeps_its_share_of_repeats_and_its_washout(numbers: tuple[int, ...]) -> None:
    design = ReaderStudyDesign(
        design="every_reader",
        repeat_share=0.2,
        washout_cases=6,
        control_share=0.1,
        first_reads="share",
        first_read_share=0.5,
    )
    reader_study = running(a_draft(studies=studies_that_differ(25, num_completions=1), design=design))
    readers = [invitation.reader for invitation in Invitation.objects.filter(reader_study=reader_study)]
    for number in numbers:
        before = {reader.pk: list_of(reader_study, reader) for reader in readers}
        more = studies_that_differ(number, num_completions=1)
        growth = preview_extension(reader_study=reader_study, actor=None, cases=more)
        extend_reader_study(reader_study=reader_study, actor=None, cases=more, shown=growth.fingerprint)
        num_repeats = 0
        for reader in readers:
            mine = list_of(reader_study, reader)
            assert mine[: len(before[reader.pk])] == before[reader.pk]
            data = [item for item in mine if item.kind == "first" and item.case.role == "data"]
            repeats = [item for item in mine if item.kind == "repeat"]
            assert len(repeats) == round(0.2 * len(data))
            assert len({item.case_id for item in repeats}) == len(repeats)
            place = {item.pk: place for place, item in enumerate(mine)}
            for item in repeats:
                assert item.repeat_of is not None
                between = mine[place[item.repeat_of.pk] + 1 : place[item.pk]]
                assert sum(other.kind == "first" for other in between) >= 6
                first, again = item.repeat_of.readings.get(), item.readings.get()
                assert (again.completion_a, again.completion_b) == (first.completion_a, first.completion_b)
                assert again.asks_first_read == first.asks_first_read
            num_repeats += sum(item.kind == "repeat" for item in mine[len(before[reader.pk]) :])
        assert growth.num_repeats == num_repeats


def test_a_repeat_of_a_case_from_before_an_extension_has_its_sides_swapped() -> None:
    design = ReaderStudyDesign(shows="two_samples", repeat_share=0.5, washout_cases=8)
    reader_study = running(a_draft(num_cases=8, num_readers=1, design=design))
    assert not Assignment.objects.filter(kind="repeat").exists()
    extend_reader_study(reader_study=reader_study, actor=None, cases=studies(8, num_completions=2))
    repeats = Assignment.objects.filter(kind="repeat").select_related("repeat_of")
    assert len(repeats) == 8
    for item in repeats:
        assert item.repeat_of is not None
        before, again = item.repeat_of.readings.get(), item.readings.get()
        assert (again.completion_a, again.completion_b) == (before.completion_b, before.completion_a)


def test_the_designs_words_are_those_of_the_database() -> None:
    for words, choices in (
        (Design, ReaderStudy.Design),
        (Shows, ReaderStudy.Shows),
        (FirstReads, ReaderStudy.FirstReads),
        (Role, Case.Role),
        (Kind, Assignment.Kind),
    ):
        assert get_args(words) == tuple(choices.values)
