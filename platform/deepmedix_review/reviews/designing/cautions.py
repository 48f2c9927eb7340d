"""What a plan tells an admin beside its figures: a study can start all the same."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Q, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designing.cases import CasesOffered
from deepmedix_review.reviews.designs import ReaderStudyDesign, StudyPlan
from deepmedix_review.reviews.models import Assignment, ReaderStudy
from deepmedix_review.reviews.reading.training_feedback import TAUGHT
from deepmedix_review.reviews.same_texts import SamePairs
from deepmedix_review.reviews.templatetags.plans import about_duration
from deepmedix_review.studies.models import Study
from rl_feedback.counting import counted

MOST_NAMED = 5
# Fewer other cases, a quarter of an hour or so, keep nobody from knowing a film again.
REMEMBERED_CASES = 10


def of_same_pairs(same: SamePairs | None, *, leaves_out: bool) -> Sequence[str]:
    """Told before anybody is paid for comparing a text with itself."""
    if same is None or not same.num_same or leaves_out:
        return []
    return [
        f"{same}: their readers compare a text with itself. “Leave out pairs that say the "
        "same”, under Cases, spares them."
    ]


def of_same_pairs_added(same: SamePairs) -> Sequence[str]:
    """Of cases that are to be added to a running study, each of which is marked where it is chosen."""
    if not same.num_same:
        return []
    return [f"{same}: their readers compare a text with itself. Leave out what is marked so above."]


def of_drawn_films(
    versions_shown: Sequence[ModelVersion], cases: CasesOffered, said: Mapping[str, Any]
) -> Sequence[str]:
    """The shipped model has seen no real film: told before its outputs cost anybody's time."""
    drawn = [version for version in versions_shown if version.prompt_template == "phantom"]
    if not drawn or not cases.has_real_films(said):
        return []
    return [
        f"{version} has learned from drawn films only: what it says of a real film means nothing."
        for version in drawn
    ]


def of_no_third_reader(plan: StudyPlan, *, adjudication: str | None, num_readers: int) -> Sequence[str]:
    """A third reader is one who has not read the case: told, since the study can start without."""
    wants = adjudication == ReaderStudy.Adjudication.THIRD_READER
    if wants and num_readers >= 3 and plan.readers_per_case >= num_readers:
        return [
            "Every reader reads every case, so no third reader is left: a case on which they disagree "
            "waits until you give it to somebody else. Have fewer readers per case, or invite another."
        ]
    return []


def of_short_washout(plan: StudyPlan, design: ReaderStudyDesign) -> Sequence[str]:
    """Who still knows the case agrees with a memory: told, since few cases leave no room for more."""
    between = max(1, design.washout_cases)
    if not plan.repeats_per_reader[1] or design.washout_days or between >= REMEMBERED_CASES:
        return []
    minutes = about_duration(between * plan.times.median / 60)
    wayout = f"Leave {REMEMBERED_CASES} cases or more between, or days."
    if plan.longest_washout < REMEMBERED_CASES:
        enough = math.ceil(REMEMBERED_CASES / (1 - design.repeat_share)) if design.repeat_share < 1 else 0
        more = f", or choose {enough} cases or more a reader, and leave {REMEMBERED_CASES} between"
        wayout = (
            f"Of lists this short no more than {counted(plan.longest_washout, 'case')} can lie between: "
            f"leave days{more if enough else ''}."
        )
    return [
        f"A repeat may come after {counted(between, 'other case')}, {minutes}: readers remember the case, "
        f"and agree with themselves better than they would. {wayout}"
    ]


def of_known_films(studies: QuerySet[Study], readers: Sequence[User]) -> Sequence[str]:
    """Who has read a film before, or has even been shown what is known of it, reads it with another eye: told
    by reader."""
    known = _known(studies, readers)
    said = []
    for name, every in sorted(known.items()):
        cases, taught = "1 of these films" if len(every) == 1 else f"{len(every)} of these films", sum(every)
        shown = f", and what is known of {taught} was shown after it" if taught else ""
        said.append(f"{name} has seen {cases} in another reader study{shown}.")
    more = len(said) - MOST_NAMED
    others = "So has 1 more reader." if more == 1 else f"So have {more} more readers."
    named = [*said[:MOST_NAMED], *([others] if more > 0 else [])]
    return (
        [f"{' '.join(named)} They read these with another eye: choose other films or readers."]
        if said
        else []
    )


def of_known_disputes(
    studies: QuerySet[Study], reader: User, *, beside: ReaderStudy, is_one: bool
) -> Sequence[str]:
    """As of known films, of whoever is to settle disputed cases of the reader study `beside`, what is read in
    this not counted; `is_one`: one case, and not all that wait."""
    every = _known(studies, [reader], beside=beside).get(reader.pseudonym, [])
    if not every:
        return []
    taught = sum(every)
    if is_one:
        films, shown = "the film of this case", "what is known of it was shown after it"
        wayout = "name somebody else where you can"
    else:
        films = f"{len(every)} of these films"
        shown = f"what is known of {taught} was shown after it"
        wayout = "such a case can be given to somebody else, in its row"
    return [
        f"{reader.pseudonym} has seen {films} in another reader study{f', and {shown}' if taught else ''}. "
        f"Who knows a film reads it with another eye: {wayout}."
    ]


def _known(
    studies: QuerySet[Study], readers: Sequence[User], *, beside: ReaderStudy | None = None
) -> dict[str, list[bool]]:
    """By reader, of each of these films that they have read, but for the reader study `beside`: whether what
    is known of it was shown after."""
    if not readers:
        return {}
    read = Assignment.objects.filter(
        case__study__in=studies.values("pk"), reader__in=readers, readings__opened_at__isnull=False
    ).exclude(case__reader_study__state=ReaderStudy.State.DRAFT)
    if beside is not None:
        read = read.exclude(case__reader_study=beside)
    rows = (
        read.order_by()
        .values_list("reader__pseudonym", "case__study")
        .annotate(taught=BoolOr(Q(case__role__in=TAUGHT, signed_at__isnull=False)))
    )
    known: dict[str, list[bool]] = defaultdict(list)
    for name, _, is_taught in rows:
        known[name].append(is_taught)
    return known
