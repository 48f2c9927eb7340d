"""Collections and their versions: what a filter takes, what a version keeps, what can't be undone."""

import hashlib
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.collecting import services, uses
from deepmedix_review.studies.collecting.contents import Contents
from deepmedix_review.studies.collecting.filters import (
    NO_VIEW,
    StudyFilter,
    matching,
    modalities_there,
    views_there,
)
from deepmedix_review.studies.collecting.split import Shares, side_of
from deepmedix_review.studies.collecting.uses import Use
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.models import (
    Collection,
    CollectionMember,
    CollectionVersion,
    ImportBatch,
    ImportItem,
    Split,
    Study,
)
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.collections import filtered, picked
from tests.factories.studies import InstanceFactory, StudyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


def members(version: CollectionVersion) -> set[Study]:
    return {member.study for member in CollectionMember.objects.filter(version=version)}


def film(view: str = "PA", modality: str = "DX", **study: object) -> Study:
    fields = {f"series__study__{name}": value for name, value in study.items()}
    return InstanceFactory.create(view_position=view, series__modality=modality, **fields).study


def test_a_filter_asks_each_column_and_all_of_them_together() -> None:
    pa = film(study_date=date(2001, 5, 1), is_phantom=False)
    ap = film("AP", "CR", study_date=date(2003, 5, 1))
    bare = film("", study_date=None)
    held = film(state=Study.State.HELD)
    batch = ImportBatch.objects.create(source=ImportBatch.Source.COMMAND)
    ImportItem.objects.create(
        batch=batch, file_name="a.dcm", outcome="accepted", instance=ap.series.get().instances.get()
    )
    expected: list[tuple[StudyFilter, set[Study]]] = [
        (StudyFilter(), {pa, ap, bare}),
        (StudyFilter(views=("PA",)), {pa}),
        (StudyFilter(views=("PA", NO_VIEW)), {pa, bare}),
        (StudyFilter(modalities=("CR",)), {ap}),
        (StudyFilter(views=("PA",), modalities=("CR",)), set()),
        (StudyFilter(since=date(2002, 1, 1)), {ap}),
        (StudyFilter(until=date(2001, 5, 1)), {pa}),
        (StudyFilter(since=date(2001, 5, 1), until=date(2003, 5, 1)), {pa, ap}),
        (StudyFilter(is_phantom=True), {ap, bare}),
        (StudyFilter(is_phantom=False), {pa}),
        (StudyFilter(label=pa.label), {pa}),
        (StudyFilter(label="S-nothing"), set()),
        (StudyFilter(imports=(str(batch.uid),)), {ap}),
        (StudyFilter(imports=(str(batch.uid),), views=("PA",)), set()),
    ]
    for asked, studies in expected:
        assert set(matching(asked)) == studies, asked
        assert StudyFilter.from_json(asked.as_json()) == asked
    assert held not in matching(StudyFilter())


def test_view_and_modality_are_asked_of_one_film() -> None:
    both = film("PA", "DX")
    InstanceFactory.create(series__study=both, series__modality="CR", view_position="LL")
    assert set(matching(StudyFilter(views=("LL",), modalities=("CR",)))) == {both}
    assert set(matching(StudyFilter(views=("PA",), modalities=("CR",)))) == set()


def test_a_filter_is_said_in_words() -> None:
    assert StudyFilter().sentences() == ("every ready study",)
    said = StudyFilter(views=("PA", NO_VIEW), since=date(2001, 5, 1), is_phantom=False, label="S-1a")
    assert said.sentences() == (
        "view PA or not named",
        "shifted date from 1 May 2001",
        "no drawn phantoms",
        "name begins with S-1a",
    )


def test_what_can_be_asked_is_what_films_have() -> None:
    assert (views_there(), modalities_there()) == ([], [])
    for view, modality in (("PA", "DX"), ("AP", "CR"), ("", "DX"), ("PA", "OT")):
        film(view, modality)
    assert views_there() == [NO_VIEW, "AP", "PA"]
    assert modalities_there() == ["CR", "DX", "OT"]


def test_a_version_names_its_studies_and_counts_them_by_patient_and_view(admin: User) -> None:
    studies = [film(patient_pseudonym=f"P-{number // 2}") for number in range(20)]
    film("AP", patient_pseudonym="P-alone")
    version = filtered(StudyFilter(views=("PA",)), actor=admin)
    assert (version.number, version.num_studies, version.num_patients) == (1, 20, 10)
    assert version.created_by == admin
    listed = "".join(f"{uid}\n" for uid in sorted(str(study.uid) for study in studies))
    assert version.studies_sha256 == hashlib.sha256(listed.encode()).hexdigest()
    contents = Contents.of(version)
    assert [view.view for view in contents.views] == ["PA"]
    assert sum(contents.views[0].num_films) == contents.num_studies_of("") == 20
    for count in contents.sides:
        there = CollectionMember.objects.filter(version=version, split=count.side)
        assert there.count() == count.num_studies == contents.num_studies_of(count.side)
        patients = set(there.values_list("study__patient_pseudonym", flat=True))
        assert len(patients) == count.num_patients
        assert all(side_of(name, shares=Shares()) == count.side for name in patients)
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid) == ("create_collection", str(version.collection.uid))
    assert event.details["sha256"] == version.studies_sha256


def test_two_collections_agree_on_every_patient_and_so_do_all_versions(admin: User) -> None:
    for number in range(30):
        film(patient_pseudonym=f"P-{number}")
    one = filtered(name="One")
    for number in range(30):
        film("AP", patient_pseudonym=f"P-{number}")
    later = services.refresh_collection(collection=one.collection, actor=admin)
    other = filtered(StudyFilter(views=("AP",)), name="Other")
    sides: dict[str, set[str]] = {}
    for version in (one, later, other):
        for name, side in version.members.values_list("study__patient_pseudonym", "split"):
            sides.setdefault(name, set()).add(side)
    assert len(sides) == 30
    assert {len(found) for found in sides.values()} == {1}


def test_a_refresh_makes_the_next_version_and_leaves_the_last_as_it_was(admin: User) -> None:
    first = film()
    version = filtered()
    collection = version.collection
    with pytest.raises(RefusedByRule, match="Nothing has changed: version 1 has the same 1 study"):
        services.refresh_collection(collection=collection, actor=admin)
    second = film()
    later = services.refresh_collection(collection=collection, actor=admin)
    assert (later.number, members(later), members(version)) == (2, {first, second}, {first})
    hold_study(second, actor=admin, reason="text in the corner")
    third = film()
    last = services.refresh_collection(collection=collection, actor=admin)
    assert (last.number, members(last), members(later)) == (3, {first, third}, {first, second})
    with pytest.raises(RefusedByRule, match="follows its filter"):
        services.change_picks(collection=collection, add=[second.uid], actor=admin)


def test_picks_are_added_and_taken_out_version_by_version(admin: User) -> None:
    studies = [film() for _ in range(4)]
    held = film(state=Study.State.HELD)
    version = picked([*studies[:2], held])
    collection = version.collection
    assert members(version) == set(studies[:2])
    more = services.change_picks(collection=collection, add=[studies[2].uid, studies[0].uid], actor=admin)
    assert members(more) == set(studies[:3])
    hold_study(studies[1], actor=admin, reason="text in the corner")
    less = services.change_picks(collection=collection, take_out=[studies[0].uid], actor=admin)
    assert (less.number, members(less)) == (3, {studies[2]})
    with pytest.raises(RefusedByRule, match="No ready study is in it"):
        services.change_picks(collection=collection, take_out=[studies[2].uid], actor=admin)
    with pytest.raises(RefusedByRule, match="picked by hand"):
        services.refresh_collection(collection=collection, actor=admin)
    with pytest.raises(RefusedByRule, match="At most 500 studies at once"):
        services.change_picks(collection=collection, add=[studies[0].uid] * 501, actor=admin)
    assert collection.versions.count() == 3


def test_an_empty_collection_and_a_name_that_is_taken_are_refused(admin: User) -> None:
    with pytest.raises(RefusedByRule, match="No ready study is in it"):
        filtered(name="Empty")
    assert not Collection.objects.exists()
    film()
    filtered(name="Winter films")
    for name, refusal in (
        (" winter  Films ", "There is a collection named “winter Films” already"),
        ("  ", "has no name"),
        ("x" * 121, "write at most 120"),
    ):
        with pytest.raises(RefusedByRule, match=refusal):
            filtered(name=name)
    version = filtered(name="Spring films")
    with pytest.raises(RefusedByRule, match="already"):
        services.rename_collection(collection=version.collection, name="WINTER FILMS", actor=admin)
    renamed = services.rename_collection(collection=version.collection, name="spring Films", actor=admin)
    assert renamed.name == "spring Films"


def test_the_database_refuses_every_change_of_a_frozen_version(admin: User) -> None:
    version = picked([film(), film()])
    late = film()
    inside = version.members.values_list("study_id", flat=True)
    changes = [
        ("UPDATE studies_collectionversion SET num_studies = 9 WHERE id = %s", [version.pk]),
        ("UPDATE studies_collectionmember SET split = 'test' WHERE version_id = %s", [version.pk]),
        (
            "INSERT INTO studies_collectionmember (version_id, study_id, split) VALUES (%s, %s, 'test')",
            [version.pk, late.pk],
        ),
        (
            "DELETE FROM studies_collectionmember WHERE version_id = %s AND study_id = %s",
            [version.pk, inside[0]],
        ),
    ]
    for sql, params in changes:
        with (
            pytest.raises(IntegrityError, match="This version is frozen"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, params)
    assert version.members.count() == 2


def test_a_version_that_nothing_uses_is_deleted_and_its_number_is_not_given_again(admin: User) -> None:
    studies = [film() for _ in range(3)]
    first = picked(studies[:1])
    collection = first.collection
    with pytest.raises(RefusedByRule, match="It is the only version"):
        services.delete_version(version=first, actor=admin)
    second = services.change_picks(collection=collection, add=[studies[1].uid], actor=admin)
    services.delete_version(version=second, actor=admin)
    third = services.change_picks(collection=collection, add=[studies[2].uid], actor=admin)
    assert (third.number, members(third)) == (3, {studies[0], studies[2]})
    assert not CollectionMember.objects.filter(version_id=second.pk).exists()
    event = AuditEvent.objects.filter(action="delete_collection_version").get()
    assert event.details == {"version": 2, "studies": 2}


def test_what_is_in_use_stays_and_what_is_not_goes_whole(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = [film(), film()]
    first = picked(studies[:1])
    collection = first.collection
    second = services.change_picks(collection=collection, add=[studies[1].uid], actor=admin)
    used = [Use(second.pk, "Winter films")]
    monkeypatch.setattr(uses, "COLLECTION_USES", [lambda user, collection: used])
    with pytest.raises(RefusedByRule, match="Version 2 is in use by Winter films, so it stays"):
        services.delete_version(version=second, actor=admin)
    with pytest.raises(RefusedByRule, match="This collection is in use by Winter films"):
        services.delete_collection(collection=collection, actor=admin)
    services.delete_version(version=first, actor=admin)
    used.clear()
    services.delete_collection(collection=collection, actor=admin)
    assert not Collection.objects.exists()
    assert not CollectionMember.objects.exists()
    assert Study.objects.count() == 2
    with pytest.raises(RefusedByRule, match="deleted meanwhile"):
        services.rename_collection(collection=collection, name="Ghost", actor=admin)


@pytest.mark.parametrize("factory", [ExpertFactory, ResearcherFactory])
def test_only_an_admin_changes_collections(factory: type[ExpertFactory]) -> None:
    study, other = film(), film()
    version = picked([study])
    collection, user = version.collection, factory.create()
    attempts = [
        lambda: services.collect_by_filter(name="Mine", asked=StudyFilter(), actor=user),
        lambda: services.collect_picks(name="Mine", picks=[study.uid], actor=user),
        lambda: services.change_picks(collection=collection, add=[other.uid], actor=user),
        lambda: services.refresh_collection(collection=collection, actor=user),
        lambda: services.rename_collection(collection=collection, name="Mine", actor=user),
        lambda: services.delete_version(version=version, actor=user),
        lambda: services.delete_collection(collection=collection, actor=user),
    ]
    for attempt in attempts:
        with pytest.raises(NotYours, match="may not change collections"):
            attempt()
    assert (Collection.objects.count(), CollectionVersion.objects.count()) == (1, 1)


def test_shares_decide_the_sides_and_are_kept_with_the_collection() -> None:
    for _ in range(5):
        StudyFactory.create()
    version = filtered(shares=Shares(0, 0, 100))
    assert set(version.members.values_list("split", flat=True)) == {str(Split.TEST)}
    assert services.shares_of(version.collection) == Shares(0, 0, 100)
    with pytest.raises(IntegrityError, match="shares_of_a_split_come_to_a_hundred"), transaction.atomic():
        Collection.objects.create(name="Broken", kind="filter", train_percent=90)
