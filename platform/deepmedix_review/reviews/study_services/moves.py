"""Says which cases move between readers' worklists when one comes or leaves, before it happens and after."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy
from deepmedix_review.reviews.study_services.assigning import staying

# A case as a reader has it: its primary key, and whether it is a first reading, a repeat or an adjudication.
Item = tuple[int, str]


@dataclass(frozen=True)
class Lists:
    """By reader, what is to be read, and what is on the list at all, signed or not."""

    to_read: Mapping[int, frozenset[Item]]
    all: Mapping[int, frozenset[Item]]

    @property
    def num_repeats(self) -> int:
        return sum(kind == Assignment.Kind.REPEAT for items in self.all.values() for _, kind in items)


@dataclass(frozen=True)
class ListChange:
    """One reader's list: how many cases are to be read, before and after. What is signed never moves.

    `num_gone` go to the reader who comes, `num_come` come from the one who leaves.
    """

    reader: User
    num_signed: int
    num_before: int
    num_after: int
    num_gone: int = 0
    num_come: int = 0


@dataclass(frozen=True)
class Moves:
    """What one reader's coming or leaving changes, on the own list and on those of the readers who stay.

    `num_begun` of the cases that leave with a reader were opened; afterwards `num_lacking` readings of a
    rotation have no reader.
    """

    own: ListChange
    others: tuple[ListChange, ...]
    num_begun: int
    num_lacking: int

    @property
    def touched(self) -> tuple[ListChange, ...]:
        return tuple(change for change in self.others if change.num_gone or change.num_come)

    @property
    def num_moved(self) -> int:
        return sum(change.num_gone + change.num_come for change in self.others)

    @property
    def evenness(self) -> tuple[int, int] | None:
        """The fewest and the most cases that a reader then has to read; None where nobody has any."""
        loads = [change.num_after for change in self.others]
        loads += [self.own.num_after] if self.own.num_after else []
        return (min(loads), max(loads)) if any(loads) else None

    @property
    def fingerprint(self) -> str:
        """Alike where as many cases move between the same readers."""
        told = [(self.own.reader.pk, self.own.num_after)]
        told += [(change.reader.pk, change.num_come - change.num_gone) for change in self.touched]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class ChangedMeanwhile(RefusedByRule):
    """Others would move than were shown: `moves`, as they are now."""

    def __init__(self, moves: Moves) -> None:
        super().__init__(
            "Meanwhile somebody read on, so other cases would move than were shown. Nothing was changed: "
            "look at it again."
        )
        self.moves = moves


def lists_of(reader_study: ReaderStudy) -> Lists:
    """What everybody has on the list now."""
    to_read: dict[int, set[Item]] = defaultdict(set)
    everything: dict[int, set[Item]] = defaultdict(set)
    rows = Assignment.objects.filter(case__reader_study=reader_study, withdrawn_at=None)
    for reader, case, kind, signed_at in rows.values_list("reader", "case", "kind", "signed_at"):
        everything[reader].add((case, kind))
        if signed_at is None:
            to_read[reader].add((case, kind))
    return Lists(_frozen(to_read), _frozen(everything))


def moves_since(before: Lists, *, reader_study: ReaderStudy, reader: User, num_lacking: int) -> Moves:
    """What this reader, who came or left, has changed since `before`."""
    others = [invitation.reader for invitation in staying(reader_study) if invitation.reader_id != reader.pk]
    gone = _of(before.to_read, reader) - _of(lists_of(reader_study).all, reader)
    [own] = changes_since(before, reader_study=reader_study, readers=[reader])
    return Moves(
        own=own,
        others=changes_since(before, reader_study=reader_study, readers=others),
        num_begun=_num_begun(reader_study, reader, gone),
        num_lacking=num_lacking,
    )


def changes_since(
    before: Lists, *, reader_study: ReaderStudy, readers: Sequence[User]
) -> tuple[ListChange, ...]:
    """Of these readers' lists, by pseudonym."""
    after = lists_of(reader_study)
    signed = dict(Invitation.objects.filter(reader_study=reader_study).values_list("reader", "num_signed"))

    def change_of(who: User) -> ListChange:
        had, has = _of(before.to_read, who), _of(after.to_read, who)
        return ListChange(
            who,
            num_signed=signed.get(who.pk, 0),
            num_before=len(had),
            num_after=len(has),
            # A case that its reader signs at this moment has not gone.
            num_gone=len(had - _of(after.all, who)),
            num_come=len(has - had),
        )

    return tuple(change_of(reader) for reader in sorted(readers, key=lambda reader: reader.pseudonym))


def require_as_shown(moves: Moves, shown: str | None) -> None:
    """Raises ChangedMeanwhile where others were shown, by their fingerprint; None: nothing was shown."""
    if shown is not None and shown != moves.fingerprint:
        raise ChangedMeanwhile(moves)


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done within is undone at its end: to see what an act would change, it is done."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _num_begun(reader_study: ReaderStudy, reader: User, gone: frozenset[Item]) -> int:
    begun = Assignment.objects.filter(
        case__reader_study=reader_study,
        reader=reader,
        signed_at=None,
        withdrawn_at__isnull=False,
        readings__opened_at__isnull=False,
    )
    return len(gone.intersection(begun.values_list("case", "kind"))) if gone else 0


def _of(lists: Mapping[int, frozenset[Item]], reader: User) -> frozenset[Item]:
    return lists.get(reader.pk, frozenset())


def _frozen(lists: Mapping[int, set[Item]]) -> Mapping[int, frozenset[Item]]:
    return {reader: frozenset(items) for reader, items in lists.items()}
