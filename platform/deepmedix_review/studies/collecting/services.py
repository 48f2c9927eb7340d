"""Makes collections and their versions: what is in one is written and counted inside the database."""

import uuid
from collections.abc import Collection as Uids

from django.db import connection, transaction
from django.db.models import BigIntegerField, Q, QuerySet, Value
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.collecting.contents import count_members, sha256_of_members
from deepmedix_review.studies.collecting.filters import StudyFilter, matching
from deepmedix_review.studies.collecting.split import Shares, side_of_patient
from deepmedix_review.studies.collecting.uses import uses_of
from deepmedix_review.studies.models import Collection, CollectionMember, CollectionVersion, Study
from rl_feedback.counting import counted

LONGEST_NAME = 120
# Of one form; a larger set is taken by a filter.
MOST_PICKS = 500


@transaction.atomic
def collect_by_filter(
    *, name: str, asked: StudyFilter, actor: User, shares: Shares | None = None
) -> CollectionVersion:
    """A new collection of all ready studies that fit, and its first version."""
    return _create(
        name,
        kind=Collection.Kind.FILTER,
        asked=asked,
        studies=matching(asked),
        shares=shares or Shares(),
        actor=actor,
    )


@transaction.atomic
def collect_picks(
    *, name: str, picks: Uids[uuid.UUID], actor: User, shares: Shares | None = None
) -> CollectionVersion:
    """A new collection of these studies, and its first version."""
    return _create(
        name,
        kind=Collection.Kind.PICKS,
        asked=StudyFilter(),
        studies=_ready().filter(uid__in=_few(picks)),
        shares=shares or Shares(),
        actor=actor,
    )


@transaction.atomic
def refresh_collection(*, collection: Collection, actor: User) -> CollectionVersion:
    """The next version, of what fits the filter today. Raises RefusedByRule where it would be the same."""
    collection = _hold(collection, actor=actor)
    if collection.kind != Collection.Kind.FILTER:
        raise RefusedByRule("This collection is picked by hand. Add studies from their list instead.")
    version = _freeze(collection, matching(StudyFilter.from_json(collection.filter)), actor=actor)
    _record("refresh_collection", version, actor=actor)
    return version


@transaction.atomic
def change_picks(
    *,
    collection: Collection,
    actor: User,
    add: Uids[uuid.UUID] = (),
    take_out: Uids[uuid.UUID] = (),
) -> CollectionVersion:
    """The next version: the last one's studies with some more, or some less. Withdrawn ones stay out."""
    collection = _hold(collection, actor=actor)
    if collection.kind != Collection.Kind.PICKS:
        raise RefusedByRule("This collection follows its filter. Make a hand-picked one for single studies.")
    last = collection.versions.order_by("-number").first()
    members = CollectionMember.objects.filter(version=last).values("study")
    studies = _ready().filter(Q(pk__in=members) | Q(uid__in=_few(add))).exclude(uid__in=_few(take_out))
    version = _freeze(collection, studies, actor=actor)
    _record("change_collection_picks", version, actor=actor)
    return version


@transaction.atomic
def rename_collection(*, collection: Collection, name: str, actor: User) -> Collection:
    collection = _hold(collection, actor=actor)
    collection.name = _free_name(name, but=collection)
    collection.save(update_fields=["name"])
    record_event(actor=actor, action="rename_collection", subject=collection)
    return collection


@transaction.atomic
def delete_version(*, version: CollectionVersion, actor: User) -> None:
    """Raises RefusedByRule for a version in use, and for the only one."""
    collection = _hold(version.collection, actor=actor)
    version = _held_version(version)
    uses = uses_of(collection, user=actor).get(version.pk, ())
    if uses:
        raise RefusedByRule(
            f"Version {version.number} is in use by {', '.join(use.title for use in uses)}, so it stays."
        )
    if collection.versions.count() == 1:
        raise RefusedByRule("It is the only version. Delete the whole collection instead.")
    number, studies = version.number, version.num_studies
    version.delete()
    record_event(
        actor=actor,
        action="delete_collection_version",
        subject=collection,
        details={"version": number, "studies": studies},
    )


@transaction.atomic
def delete_collection(*, collection: Collection, actor: User) -> None:
    """With all its versions; the studies stay. Raises RefusedByRule where one of them is in use."""
    collection = _hold(collection, actor=actor)
    list(collection.versions.select_for_update())
    uses = [use for found in uses_of(collection, user=actor).values() for use in found]
    if uses:
        titles = ", ".join(sorted({use.title for use in uses}))
        raise RefusedByRule(f"This collection is in use by {titles}, so it stays. Rename it if you like.")
    record_event(
        actor=actor,
        action="delete_collection",
        subject=collection,
        details={"versions": collection.versions.count()},
    )
    collection.delete()


def _create(
    name: str,
    *,
    kind: Collection.Kind,
    asked: StudyFilter,
    studies: QuerySet[Study],
    shares: Shares,
    actor: User,
) -> CollectionVersion:
    require(actor, Capability.CHANGE_COLLECTIONS)
    collection = Collection.objects.create(
        name=_free_name(name),
        kind=kind,
        filter=asked.as_json(),
        train_percent=shares.train,
        tune_percent=shares.tune,
        test_percent=shares.test,
        created_by=actor,
    )
    version = _freeze(collection, studies, actor=actor)
    _record("create_collection", version, actor=actor)
    return version


def _freeze(collection: Collection, studies: QuerySet[Study], *, actor: User) -> CollectionVersion:
    """Write the members by one INSERT … SELECT, count them, and close the version."""
    keep_whole()
    if not studies.exists():
        raise RefusedByRule("No ready study is in it. Choose studies, or ask less of them.")
    last = collection.versions.order_by("-number").first()
    collection.last_number += 1
    collection.save(update_fields=["last_number"])
    version = CollectionVersion.objects.create(
        collection=collection, number=collection.last_number, created_by=actor
    )
    rows = studies.annotate(
        member_of=Value(version.pk, output_field=BigIntegerField()),
        side=side_of_patient(shares_of(collection)),
    ).values_list("member_of", "pk", "side")
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO studies_collectionmember (version_id, study_id, split) {sql}",
            params,
        )
    contents = count_members(version)
    version.num_studies = contents.num_studies_of("")
    version.num_patients = sum(count.num_patients for count in contents.sides)
    version.contents = contents.as_json()
    version.studies_sha256 = sha256_of_members(version)
    if last is not None and last.studies_sha256 == version.studies_sha256:
        raise RefusedByRule(
            f"Nothing has changed: version {last.number} has the same "
            f"{counted(last.num_studies, 'study', 'studies')}."
        )
    version.frozen_at = timezone.now()
    version.save()
    return version


def shares_of(collection: Collection) -> Shares:
    return Shares(collection.train_percent, collection.tune_percent, collection.test_percent)


def _ready() -> QuerySet[Study]:
    return Study.objects.filter(state=Study.State.READY).order_by()


def _few(picks: Uids[uuid.UUID]) -> Uids[uuid.UUID]:
    if len(picks) > MOST_PICKS:
        raise RefusedByRule(
            f"At most {MOST_PICKS} studies at once are picked by hand. Use a filter for more."
        )
    return picks


def _free_name(name: str, *, but: Collection | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise RefusedByRule("The collection has no name. Give it one.")
    if len(name) > LONGEST_NAME:
        raise RefusedByRule(f"The name has {len(name)} characters; write at most {LONGEST_NAME}.")
    others = Collection.objects.exclude(pk=but.pk) if but else Collection.objects.all()
    if others.filter(name__iexact=name).exists():
        raise RefusedByRule(f"There is a collection named “{name}” already. Choose another name.")
    return name


def _hold(collection: Collection, *, actor: User) -> Collection:
    """Locked, so that two people who change it make two versions, one after the other."""
    require(actor, Capability.CHANGE_COLLECTIONS)
    found = Collection.objects.select_for_update().filter(pk=collection.pk).first()
    if found is None:
        raise RefusedByRule("This collection was deleted meanwhile. Go back to the list.")
    return found


def _held_version(version: CollectionVersion) -> CollectionVersion:
    """Locked, so that nothing begins to use it meanwhile."""
    found = CollectionVersion.objects.select_for_update().filter(pk=version.pk).first()
    if found is None:
        raise RefusedByRule("This version was deleted meanwhile.")
    return found


def _record(action: str, version: CollectionVersion, *, actor: User) -> None:
    record_event(
        actor=actor,
        action=action,
        subject=version.collection,
        details={
            "version": version.number,
            "studies": version.num_studies,
            "patients": version.num_patients,
            "sha256": version.studies_sha256,
        },
    )
