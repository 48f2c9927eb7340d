"""The readings that a version learned from, down to what each reader said of every step and answer."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from deepmedix_review.feedback.models import PreferenceDataset, PreferenceLabel
from deepmedix_review.reviews.models import Reading, Vote
from deepmedix_review.studies.models import Split

# Readings that a page lists; the data set's page and the API have the rest.
SHOWN = 50


@dataclass(frozen=True)
class LabelSaid:
    """What one thing deserves, of which side: the answer or a step by its position, and its value in [0, 1]
    by all its readers together."""

    side: str
    subject: str
    criterion: str
    value: float


@dataclass(frozen=True)
class ReadingLearned:
    """A reading by the blinded names that screens show."""

    uid: UUID
    case_label: str
    study: UUID
    reader_study: str
    position: int
    reader: str
    reader_uid: UUID
    vote: str
    num_pairs: int
    labels: tuple[LabelSaid, ...]


def readings_of(dataset: PreferenceDataset) -> QuerySet[Reading]:
    """The readings that a run on the data set learns from: those of the train side."""
    learned = dataset.readings.filter(split=Split.TRAIN).order_by()
    return Reading.objects.filter(pk__in=learned.values("reading"))


def first_readings_of(dataset: PreferenceDataset) -> tuple[ReadingLearned, ...]:
    """The first SHOWN, in the order in which they were made; four queries."""
    readings = list(
        readings_of(dataset)
        .select_related("assignment__case__study", "assignment__case__reader_study", "assignment__reader")
        .prefetch_related("votes")
        .order_by("pk")[:SHOWN]
    )
    keys = [reading.pk for reading in readings]
    learned = dataset.pairs.filter(split=Split.TRAIN).values_list("readings", flat=True)
    num_pairs = Counter(key for row in learned for key in row)
    labels: dict[int, list[PreferenceLabel]] = defaultdict(list)
    for label in dataset.labels.filter(readings__overlap=keys).select_related("step").order_by("position"):
        for key in label.readings:
            labels[key].append(label)
    return tuple(_learned(reading, num_pairs, labels.get(reading.pk, [])) for reading in readings)


def _learned(reading: Reading, num_pairs: Mapping[int, int], labels: list[PreferenceLabel]) -> ReadingLearned:
    case = reading.assignment.case
    vote = reading.vote_on(Vote.Kind.OVERALL)
    said = sorted(
        (_said(reading, label) for label in labels), key=lambda one: (one.side, one.subject, one.criterion)
    )
    return ReadingLearned(
        uid=reading.uid,
        case_label=case.study.label,
        study=case.study.uid,
        reader_study=case.reader_study.title,
        position=case.position,
        reader=reading.assignment.reader.pseudonym,
        reader_uid=reading.assignment.reader.uid,
        vote=vote.get_side_display() if vote else "",
        num_pairs=num_pairs.get(reading.pk, 0),
        labels=tuple(said),
    )


def _said(reading: Reading, label: PreferenceLabel) -> LabelSaid:
    return LabelSaid(
        side="A" if label.completion_id == reading.completion_a_id else "B",
        subject=f"step {label.step.position}" if label.step else "answer",
        criterion=label.criterion,
        value=label.value,
    )
