"""Finds readers' work: a reader's own cases, what is read of a study, and the readings that were signed.

A reader finds their own assignments alone; nobody finds here what another reader said of a case still open.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case as DbCase
from django.db.models import Count, Q, QuerySet, Value, When
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may, require
from deepmedix_review.common.errors import NotYours, OutOfUse
from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.guards import refuse_reading, require_may_open
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.worklist.cases import next_reading, worklist
from deepmedix_review.reviews.worklist.places import place_of
from deepmedix_review.studies.collecting.uses import Use
from deepmedix_review.studies.models import Collection, Study
from deepmedix_review.studies.selectors import demo_import

__all__ = [
    "assigned_studies",
    "assignment_for",
    "completions_to_read",
    "demo_being_made",
    "has_signed",
    "next_reading",
    "place_of",
    "reading_for",
    "require_not_withdrawn",
    "signed_anchors",
    "signed_readings",
    "studies_of_collection",
    "worklist",
]


def reading_for(user: User, uid: uuid.UUID) -> Reading:
    """The user's own reading with all that its page shows.

    Raises NotYours for any other, there or not: an answer that differed would tell which readings exist.
    Raises IsOver for an amendment of the user's own that was discarded.
    """
    require(user, Capability.READ_CASES)
    reading = (
        Reading.objects.select_related(
            "assignment__case__reader_study",
            "assignment__case__study",
            "completion_a__instance__series",
            "completion_a__model_version",
            "completion_b__model_version",
            "amends",
            "amended_by",
        )
        .prefetch_related("votes")
        .filter(uid=uid, assignment__reader=user)
        .first()
    )
    if reading is None:
        raise refuse_reading(uid, reader=user)
    require_not_withdrawn(reading.assignment.case.study)
    if reading.opened_at is None and reading.signed_at is None:
        require_may_open(reading.assignment_id)
    return reading


def assignment_for(user: User, uid: uuid.UUID) -> Assignment:
    """The user's own assignment. Raises NotYours for any other."""
    require(user, Capability.READ_CASES)
    assignment = Assignment.objects.select_related("case__study").filter(uid=uid, reader=user).first()
    if assignment is None:
        raise NotYours("This case is not assigned to you. Go back to your worklist.")
    require_not_withdrawn(assignment.case.study)
    return assignment


def require_not_withdrawn(study: Study) -> None:
    """Raises OutOfUse where the study was put on hold, rejected or reported after it was assigned."""
    if study.state == Study.State.UNSEEN:
        raise OutOfUse(
            "A name may be written on this film, so it is out of use until a person has looked. What you "
            "said of it is kept. Go back to your worklist and read the next one."
        )
    if study.state != Study.State.READY:
        raise OutOfUse("An admin withdrew this case. Go back to your worklist and read the next one.")


def signed_readings() -> QuerySet[Reading]:
    """The word that counts as data: signed, not amended since, of a study in use.

    Cases that teach or test readers are no data, nor is a hidden repeat; nothing is where the design hides
    results until the lock.
    """
    return _signed().filter(
        assignment__case__role=Case.Role.DATA,
        assignment__kind__in=(Assignment.Kind.FIRST, Assignment.Kind.ADJUDICATION),
    )


def signed_anchors() -> QuerySet[Reading]:
    """Hidden repeats and control cases, signed: they measure readers, and are no data."""
    return _signed().filter(
        Q(assignment__case__role=Case.Role.DATA, assignment__kind=Assignment.Kind.REPEAT)
        | Q(assignment__case__role=Case.Role.CONTROL, assignment__kind=Assignment.Kind.FIRST)
    )


def count_signed_beside_data(moment: datetime, *, only: Q) -> dict[str, int]:
    """How many signed readings are no data, by why in words: they teach or test readers, are a hidden repeat,
    or their design hides results until the lock. Of studies in use, each reader's last word."""
    here = "assignment__case"
    role = f"{here}__role"
    last = Reading.objects.filter(only, signed_at__lte=moment, **{f"{here}__study__state": Study.State.READY})
    counted = (
        last.order_by()
        .exclude(amended_by__signed_at__isnull=False)
        .exclude(pk__in=signed_readings().values("pk"))
        .annotate(
            why=DbCase(
                When(**{role: Case.Role.TRAINING}, then=Value("of practice cases")),
                When(**{role: Case.Role.CALIBRATION}, then=Value("of calibration cases")),
                When(**{role: Case.Role.CONTROL}, then=Value("of control cases")),
                When(assignment__kind=Assignment.Kind.REPEAT, then=Value("hidden repeats")),
                default=Value("of designs that hide their results until the lock"),
            )
        )
        .values_list("why")
        .annotate(number=Count("pk"))
    )
    return dict(counted.order_by("why"))


def _signed() -> QuerySet[Reading]:
    """The last word of each reader on each case of a study in use, unless results are hidden until a lock."""
    case = "assignment__case"
    signed = Reading.objects.filter(
        Q(**{f"{case}__reader_study__hides_results": False})
        | Q(**{f"{case}__reader_study__state": ReaderStudy.State.LOCKED}),
        **{f"{case}__study__state": Study.State.READY},
        signed_at__isnull=False,
    )
    return signed.exclude(amended_by__signed_at__isnull=False)


def has_signed(reader: User) -> bool:
    """Any case, practice too: whoever has is not new to the reading room."""
    return Assignment.objects.filter(reader=reader, signed_at__isnull=False).exists()


def assigned_studies(user: User) -> Q:
    """The studies of a reader's own cases: what `studies.selectors.READER_ACCESS` lets a reader see. Not
    those of one that was taken away unsigned."""
    if not may(user, Capability.READ_CASES):
        return Q(pk__in=())
    own = Assignment.objects.filter(reader=user, withdrawn_at=None)
    return Q(pk__in=own.values("case__study"))


def studies_of_collection(user: User, collection: Collection) -> list[Use]:
    """The reader studies whose cases were taken from it: what `studies.collecting.uses` asks for."""
    opens = may(user, Capability.DESIGN_READER_STUDIES)
    rows = ReaderStudy.objects.filter(collection_version__collection=collection).order_by("pk")
    return [
        Use(
            version=version,
            title=title,
            address=reverse("reader-study-detail", args=[uid]) if opens else "",
        )
        for version, title, uid in rows.values_list("collection_version", "title", "uid")
    ]


@dataclass(frozen=True)
class DemoMaking:
    """How many answers are there, of those that the demo waits for; 0 of 0 while its films are drawn."""

    num_answered: int
    num_asked: int


def demo_being_made() -> DemoMaking | None:
    """A demo import began within LONGEST_DEMO, and no reader study is there yet."""
    batch = demo_import()
    if batch is None or ReaderStudy.objects.exists():
        return None
    jobs = InferenceJob.objects.filter(instance__in=batch.items.values("instance"))
    counts = jobs.aggregate(asked=Count("pk"), ended=Count("pk", filter=Q(state__in=FINAL_STATES)))
    return DemoMaking(num_answered=counts["ended"], num_asked=counts["asked"])


def completions_to_read(
    studies: Iterable[Study], *, model_version: ModelVersion | None = None
) -> Mapping[int, Sequence[Completion]]:
    """By study: the two newest completions (or the one) of this model on one film and one question."""
    model_version = model_version or serving_model()
    by_study: dict[int, list[Completion]] = defaultdict(list)
    completions = Completion.objects.filter(
        study__in=[study.pk for study in studies], model_version=model_version
    ).only("study_id", "instance_id", "query")
    for completion in completions.order_by("-pk"):
        chosen = by_study[completion.study_id]
        if not chosen or (
            len(chosen) == 1
            and (chosen[0].instance_id, chosen[0].query) == (completion.instance_id, completion.query)
        ):
            chosen.append(completion)
    return {study: sorted(chosen, key=lambda completion: completion.pk) for study, chosen in by_study.items()}
