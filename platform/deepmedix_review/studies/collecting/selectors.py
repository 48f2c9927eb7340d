"""Finds collections, their versions and members, and what a filter would take today."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may, require
from deepmedix_review.common.paging import page_of
from deepmedix_review.studies.collecting.contents import Contents
from deepmedix_review.studies.collecting.filters import StudyFilter, condition, matching
from deepmedix_review.studies.models import Collection, CollectionMember, CollectionVersion, Study
from deepmedix_review.studies.selectors import MAX_COUNT, films_by_series, visible_studies

PAGE_SIZE = 50
NUM_PREVIEWED = 9
# A live count stops here: counting a million by film takes half a second, at every change of the form.
MAX_LIVE_COUNT = 100_000
MOST_OFFERED = 200
MOST_VERSIONS = 100
WITHDRAWN = (Study.State.UNSEEN, Study.State.HELD, Study.State.REJECTED)


@dataclass(frozen=True)
class CollectionRow:
    """A collection in the list, with its newest version."""

    collection: Collection
    newest: CollectionVersion
    num_versions: int


@dataclass(frozen=True)
class CollectionPage:
    rows: tuple[CollectionRow, ...]
    next_before: int | None


@dataclass(frozen=True)
class MemberRow:
    study: Study
    split: str


@dataclass(frozen=True)
class MemberPage:
    """`next_before` is the primary key of the last study here; None on the last page."""

    rows: tuple[MemberRow, ...]
    next_before: int | None


@dataclass(frozen=True)
class Preview:
    """What a filter takes now: how many studies, and the newest of them. `num_unseen`: those that fit as well
    and come in once somebody has looked at them."""

    number: int
    studies: Sequence[Study]
    num_unseen: int = 0

    @property
    def shown_number(self) -> str:
        return f"more than {MAX_LIVE_COUNT:,}" if self.number > MAX_LIVE_COUNT else f"{self.number:,}"


def collection_for(user: User, uid: uuid.UUID) -> Collection:
    """Raises NotYours for who may not view studies, Http404 for what is absent."""
    require(user, Capability.VIEW_ALL_STUDIES)
    return get_object_or_404(Collection.objects.select_related("created_by"), uid=uid)


def collection_page(user: User, *, before: int | None = None) -> CollectionPage:
    require(user, Capability.VIEW_ALL_STUDIES)
    page = page_of(Collection.objects.all(), before=before, size=PAGE_SIZE)
    newest = {version.collection_id: version for version in newest_versions(page.rows)}
    versions = CollectionVersion.objects.filter(collection__in=page.rows).order_by()
    numbers = dict(versions.values_list("collection").annotate(Count("pk")))
    rows = [
        CollectionRow(collection, newest[collection.pk], numbers[collection.pk]) for collection in page.rows
    ]
    return CollectionPage(tuple(rows), page.next_before)


def newest_versions(collections: Sequence[Collection]) -> QuerySet[CollectionVersion]:
    """One of each."""
    versions = CollectionVersion.objects.filter(collection__in=collections)
    return versions.order_by("collection", "-number").distinct("collection")


def versions_of(collection: Collection) -> Sequence[CollectionVersion]:
    """Newest first."""
    return list(collection.versions.select_related("created_by").order_by("-number")[:MOST_VERSIONS])


def version_of(collection: Collection, number: str | int | None) -> CollectionVersion:
    """The newest where no number is asked. Raises Http404 for one that is absent."""
    versions = collection.versions.select_related("collection", "created_by").order_by("-number")
    if number:
        if not str(number).isascii() or not str(number).isdigit() or len(str(number)) > 9:
            raise Http404
        versions = versions.filter(number=int(number))
    found = versions.first()
    if found is None:
        raise Http404
    return found


def member_page(
    user: User,
    version: CollectionVersion,
    *,
    side: str = "",
    before: int | None = None,
    size: int | None = None,
    has_films: bool = True,
) -> MemberPage:
    """The newest members first, only those that this user may see; a page begins behind a study."""
    if not Contents.of(version).num_studies_of(side):
        # Looking for the first member of an empty side would read all the others.
        return MemberPage((), None)
    size = size or PAGE_SIZE
    members = CollectionMember.objects.filter(version=version)
    if side:
        members = members.filter(split=side)
    if not may(user, Capability.DECIDE_HELD_STUDIES):
        members = members.exclude(study__in=Study.objects.filter(state__in=WITHDRAWN))
    if before is not None:
        members = members.filter(study_id__lt=before)
    # Joined, PostgreSQL would walk all studies down to this page.
    films = [films_by_series("study__series")] if has_films else []
    found = list(members.prefetch_related("study", *films).order_by("-study_id")[: size + 1])
    page = found[:size]
    return MemberPage(
        tuple(MemberRow(member.study, member.split) for member in page),
        page[-1].study_id if len(found) > size else None,
    )


def count_withdrawn(version: CollectionVersion) -> int:
    """Members that are on hold or rejected now, counted up to MAX_COUNT and one more."""
    withdrawn = CollectionMember.objects.filter(version=version, study__state__in=WITHDRAWN)
    return withdrawn.values("study_id")[: MAX_COUNT + 1].count()


def preview(asked: StudyFilter) -> Preview:
    """A first look at what a collection by this filter would hold."""
    found = matching(asked)
    number = found.values("pk")[: MAX_LIVE_COUNT + 1].count()
    # A plan for the newest few would walk all studies where few fit, and there is nothing to order.
    newest = found.order_by("-pk").prefetch_related(films_by_series("series"))[:NUM_PREVIEWED]
    unseen = Study.objects.filter(condition(asked), state=Study.State.UNSEEN)
    num_unseen = unseen.values("pk")[: MAX_COUNT + 1].count()
    return Preview(number, list(newest) if number else [], num_unseen)


def hand_picked() -> Sequence[Collection]:
    """The newest collections to which single studies can be added."""
    return list(Collection.objects.filter(kind=Collection.Kind.PICKS).order_by("-pk")[:MOST_OFFERED])


def picked(user: User, uids: Sequence[uuid.UUID]) -> Sequence[Study]:
    """The studies that were ticked, with their films; ready ones alone can be picked."""
    studies = visible_studies(user).filter(uid__in=uids, state=Study.State.READY)
    return list(studies.prefetch_related(films_by_series("series")).order_by("-pk"))
