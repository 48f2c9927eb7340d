"""Finds the held studies of a sheet, by what is odd, with what each is to be compared with."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.paging import page_of
from deepmedix_review.studies.holding import objection_to, twins_in_use
from deepmedix_review.studies.intake.odd import KIND_NAMES, OddKind
from deepmedix_review.studies.looking.selectors import sightings_of, token_of
from deepmedix_review.studies.models import HeldDecision, Instance, Study
from deepmedix_review.studies.selectors import MAX_COUNT, StateCount, films_by_series, visible_studies

SHEET_SIZE = 100
# After a day a decision is taken back on the page of its study.
UNDO_FOR = timedelta(days=1)


@dataclass(frozen=True)
class HeldCard:
    """A study on the sheet. `token` names it with its newest film and sighting: what comes later was not
    looked at. `objection`: why it can't be accepted, else empty. `near`: what looks nearly the same."""

    study: Study
    films: Sequence[Instance]
    near: Sequence[Instance]
    twin: Study | None
    objection: str
    token: str


@dataclass(frozen=True)
class Group:
    """The cards of one kind, and how many studies of it are held in all."""

    kind: str
    name: str
    count: StateCount
    cards: Sequence[HeldCard]


@dataclass(frozen=True)
class HeldSheet:
    """`kinds`: those of which any is held, without cards."""

    groups: Sequence[Group]
    kinds: Sequence[Group]
    num_held: StateCount
    next_before: int | None

    @property
    def num_cards(self) -> int:
        return sum(len(group.cards) for group in self.groups)


def held_sheet(user: User, *, kind: str = "", before: int | None = None) -> HeldSheet:
    """The newest held studies, of one kind or of all; the gravest kind first."""
    held = visible_studies(user).filter(state=Study.State.HELD)
    counts = _count_kinds(user)
    page = page_of(
        (held.filter(held_for=kind) if kind else held).prefetch_related(films_by_series()),
        before=before,
        size=SHEET_SIZE,
    )
    cards = defaultdict(list)
    for card in cards_of(page.rows):
        cards[card.study.held_for].append(card)
    groups = tuple(
        Group(each, name, StateCount(Study.State.HELD, counts[each]), tuple(cards.get(each, ())))
        for each, name in (*KIND_NAMES.items(), ("", "Without a kind"))
    )
    total = StateCount(Study.State.HELD, min(sum(counts.values()), MAX_COUNT + 1))
    return HeldSheet(
        tuple(group for group in groups if group.cards),
        tuple(group for group in groups if group.count.number),
        total,
        page.next_before,
    )


def cards_of(studies: Sequence[Study]) -> list[HeldCard]:
    """Of studies whose series and films are at hand; as many queries for a hundred as for one."""
    films = {
        study.pk: [film for series in study.series.all() for film in series.instances.all()]
        for study in studies
    }
    twins, near, sightings = twins_in_use(studies), _near(films.values()), sightings_of(studies)
    return [
        HeldCard(
            study,
            films[study.pk],
            [near[film.near_to_id] for film in films[study.pk] if film.near_to_id in near],
            twins.get(study.pk),
            objection_on_sheet(
                study,
                films=films[study.pk],
                twin=twins.get(study.pk),
                is_name_reported=bool(sightings.get(study.pk)),
            ),
            token_of(study.uid, films[study.pk], sightings.get(study.pk, ())),
        )
        for study in studies
    ]


def objection_on_sheet(
    study: Study, *, films: Sequence[Instance], twin: Study | None, is_name_reported: bool
) -> str:
    """Why it can't be accepted by one key among many, else empty. That a person saw a name on a film is taken
    back on the study's page alone, with a word for this film. `is_name_reported`: by a reader, and nobody
    looked into it yet."""
    if is_name_reported or (study.held_for == OddKind.NAME and study.looked_by_id is not None):
        return (
            f"A {'reader' if is_name_reported else 'person'} saw a name on a film of {study.label}. Where "
            "there is none after all, accept it on its page."
        )
    return objection_to(study, films=films, twin=twin)


def last_decision(user: User) -> HeldDecision | None:
    """The last one of this user that can still be taken back here, with `num_studies`."""
    mine = HeldDecision.objects.filter(
        decided_by=user, undone_at=None, decided_at__gt=timezone.now() - UNDO_FOR
    )
    return mine.annotate(num_studies=Count("studies")).order_by("-pk").first()


def _near(films: Iterable[Sequence[Instance]]) -> Mapping[int | None, Instance]:
    wanted = {film.near_to_id for each in films for film in each if film.near_to_id is not None}
    return {film.pk: film for film in Instance.objects.filter(pk__in=wanted).select_related("series__study")}


def _count_kinds(user: User) -> Counter[str]:
    """In one query that counts no kind past MAX_COUNT."""
    held = visible_studies(user).filter(state=Study.State.HELD).order_by()
    first, *others = (
        held.filter(held_for=kind).values_list("held_for", flat=True)[: MAX_COUNT + 1]
        for kind in ("", *OddKind)
    )
    return Counter(first.union(*others, all=True))
