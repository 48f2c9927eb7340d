"""Of which reader studies and readers a data set is made: all that is signed, unless a researcher chooses."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.selectors import TRAINED_PRESETS
from deepmedix_review.reviews.models import ReaderStudy, Reading
from deepmedix_review.reviews.results.cautions import Caution, cautions_on
from deepmedix_review.reviews.selectors import count_signed_beside_data, signed_anchors, signed_readings
from inference.presets import LOOP_PRESETS

LONGEST_REASON = 300
NOT_LEARNED_FROM = (
    f"It is of a model that nothing is learned from here. Outputs of {TRAINED_PRESETS} are learned from."
)
_STUDY = "assignment__case__reader_study"
_READER = "assignment__reader__pseudonym"
_PRESETS = ("completion_a__model_version__preset", "completion_b__model_version__preset")
# What corrected texts and pairs are written by; of other outputs readings alone are kept.
_LEARNED_FROM = Q(completion_a__model_version__preset__in=LOOP_PRESETS) & (
    Q(completion_b__isnull=True) | Q(completion_b__model_version__preset__in=LOOP_PRESETS)
)


@dataclass(frozen=True)
class Wanted:
    """`reader_studies` are uids, all of them where it is None; of `left_out_readers` each pseudonym has a
    reason."""

    reader_studies: frozenset[str] | None = None
    left_out_readers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """`left_out` are rows for the set's table of what gave no pair."""

    condition: Q
    reader_studies: Sequence[ReaderStudy]
    readers_left_out: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]
    num_not_learned_from: int = 0


@dataclass(frozen=True)
class OfferedStudy:
    reader_study: ReaderStudy
    num_readings: int


@dataclass(frozen=True)
class OfferedReader:
    """`says` are what speaks against this reader, in sentences; mostly nothing."""

    pseudonym: str
    num_readings: int
    says: Sequence[str]


@dataclass(frozen=True)
class Offer:
    reader_studies: Sequence[OfferedStudy]
    readers: Sequence[OfferedReader]


def offered() -> Offer:
    """What the form lets choose from: every reader study and reader with a signed reading."""
    signed = signed_readings().order_by()
    by_study = dict(signed.values_list(_STUDY).annotate(number=Count("pk")))
    studies = ReaderStudy.objects.filter(pk__in=by_study).order_by("-pk")
    by_reader = signed.values_list(_READER).annotate(number=Count("pk")).order_by(_READER)
    says = {caution.reader: caution.says for caution in cautions_on_signed()}
    return Offer(
        [OfferedStudy(study, by_study[study.pk]) for study in studies],
        [OfferedReader(reader, number, says.get(reader, ())) for reader, number in by_reader],
    )


def cautions_on_signed() -> tuple[Caution, ...]:
    both = Q(pk__in=signed_readings().values("pk")) | Q(pk__in=signed_anchors().values("pk"))
    return cautions_on(Reading.objects.filter(both))


def chosen_of(wanted: Wanted, *, as_of: datetime) -> Chosen:
    """Raises RefusedByRule for an unknown reader study or reader, or a reader left out without a reason."""
    signed = signed_readings().filter(signed_at__lte=as_of).order_by()
    known = ReaderStudy.objects.filter(pk__in=signed.values(_STUDY)).order_by("pk")
    studies = [one for one in known if wanted.reader_studies is None or str(one.uid) in wanted.reader_studies]
    strange = (wanted.reader_studies or frozenset()) - {str(one.uid) for one in studies}
    if strange:
        raise RefusedByRule(
            f"No reader study {min(strange)} has a signed reading to learn from. Name those that have."
        )
    if wanted.reader_studies is not None and not studies:
        raise RefusedByRule("Choose at least one reader study: its signed readings are what is frozen.")
    here = Q(**{f"{_STUDY}__in": studies})
    readings: dict[str, list[str]] = defaultdict(list)
    strange_to_learning: list[uuid.UUID] = []
    said = signed.filter(here).order_by("pk").values_list(_READER, "uid", *_PRESETS)
    for reader, uid, *presets in said:
        readings[reader].append(str(uid))
        if not set(presets) <= {None, *LOOP_PRESETS}:
            strange_to_learning.append(uid)
    reasons = {reader: " ".join(reason.split()) for reader, reason in wanted.left_out_readers.items()}
    for reader, reason in sorted(reasons.items()):
        if reader not in readings:
            raise RefusedByRule(
                f"{reader} has signed no reading of these reader studies, so nothing is to leave out."
            )
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise RefusedByRule(
                f"Say why {reader} is left out, in 1 to {LONGEST_REASON} characters: that stays with the set."
            )
    return Chosen(
        condition=here & ~Q(**{f"{_READER}__in": sorted(reasons)}) & _LEARNED_FROM,
        num_not_learned_from=len(strange_to_learning),
        reader_studies=studies,
        readers_left_out=[
            {"reader": reader, "reason": reason, "num_readings": len(readings[reader])}
            for reader, reason in sorted(reasons.items())
        ],
        left_out=[
            {
                "origin": "reader",
                "completion": "",
                "reason": f"Left out by who froze the set: {reason}",
                "readings": [uid],
            }
            for reader, reason in sorted(reasons.items())
            for uid in readings[reader]
        ]
        + [
            {"origin": "model", "completion": "", "reason": NOT_LEARNED_FROM, "readings": [str(uid)]}
            for uid in strange_to_learning
        ],
    )


def no_data_beside(wanted: Wanted, chosen: Chosen, *, as_of: datetime) -> dict[str, int]:
    """How many readings of those reader studies were signed and are no data, by why; of all of them, where
    none is chosen."""
    only = Q() if wanted.reader_studies is None else chosen.condition
    return count_signed_beside_data(as_of, only=only)
