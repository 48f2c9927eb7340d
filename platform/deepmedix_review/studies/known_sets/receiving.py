"""Brings the studies of a data set in, films by the door of all others, and keeps what is said of them."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from pydicom import Dataset

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.deidentification import Identity, keyed_uid, name_film
from deepmedix_review.studies.known_sets.said import BoxSaid, ImageSaid, Layout, Problem, Source, StudySaid
from deepmedix_review.studies.known_sets.words import MAX_TEXT, label_name, plain
from deepmedix_review.studies.models import (
    ImportBatch,
    ImportItem,
    Instance,
    Reference,
    ReferenceRegion,
    SourceDataset,
    Study,
)
from deepmedix_review.studies.services import receive_described

TEXTS = ("indication", "findings", "impression", "report")
# Boxes that were rounded end at most this far outside of their picture.
_SLACK_PX = 1.0


@dataclass
class Received:
    """What became of one study: its films that are new, how many were here, and what could not be kept."""

    items: list[tuple[ImageSaid, ImportItem]] = field(default_factory=list)
    num_known: int = 0
    is_reference_new: bool = False
    problems: list[Problem] = field(default_factory=list)


@transaction.atomic
def open_source(layout: Layout, source: Source, *, actor: User | None) -> SourceDataset:
    """The row of a data set, made when it first comes. Raises RefusedByRule where the name is taken by
    another, or its licence was another."""
    if actor is not None:
        require(actor, Capability.IMPORT_STUDIES)
    known = SourceDataset.objects.filter(name__iexact=source.name).first()
    if known is None:
        made = SourceDataset.objects.create(
            name=source.name,
            layout=layout.key,
            licence=source.licence,
            is_credentialed=source.is_credentialed,
        )
        record_event(actor=actor, action="open_source", subject=made)
        return made
    if (known.layout, known.licence, known.is_credentialed) != (
        layout.key,
        source.licence,
        source.is_credentialed,
    ):
        kind = "credentialed" if known.is_credentialed else "open"
        raise RefusedByRule(
            f"{known.name} came in as layout {known.layout}, {kind}, under this licence: {known.licence} Say "
            "the same, or give this data set another name."
        )
    return known


def receive_study(
    said: StudySaid,
    *,
    source: SourceDataset,
    batch: ImportBatch,
    actor: User | None,
    is_text_free: bool,
    keeps_reports: bool,
) -> Received:
    """Its films that are not here yet, then its reference. Cut off anywhere, the same call completes it."""
    received, films = Received(), dict[str, Instance]()
    for image in said.images:
        described = _described(said, image, source=source)
        identity = name_film(described, key=settings.DEIDENTIFICATION_KEY, pixel_sha256="")
        film = _film_of(identity)
        if film is not None:
            received.num_known += 1
        else:
            item = receive_described(
                image.path,
                described=described,
                source=source,
                batch=batch,
                file_name=image.path.name,
                actor=actor,
                is_text_free=is_text_free,
                is_dicom=image.header is not None,
            )
            received.items.append((image, item))
            film = item.instance
        if film is None:
            continue
        if _is_of(film.study, identity, source):
            films[image.key] = film
        else:
            received.problems.append(
                Problem(
                    image.where,
                    f"The same picture is here already as {film.study.label}, of another patient or source; "
                    "what this data set says of it was not kept.",
                )
            )
    texts = {name: getattr(said, name) for name in TEXTS} if keeps_reports else {}
    for study in {film.study.pk: film.study for film in films.values()}.values():
        own = {key: film for key, film in films.items() if film.study.pk == study.pk}
        received.is_reference_new |= keep_reference(
            study, said, texts=texts, films=own, actor=actor, problems=received.problems
        )
    return received


@transaction.atomic
def keep_reference(
    study: Study,
    said: StudySaid,
    *,
    texts: dict[str, str],
    films: dict[str, Instance],
    actor: User | None,
    problems: list[Problem],
) -> bool:
    """Whether anything was added. What is kept already is never changed: a difference is a problem."""
    Study.objects.select_for_update().get(pk=study.pk)
    reference = Reference.objects.filter(study=study).first() or Reference(study=study)
    before = (
        reference.published_split,
        *(getattr(reference, name) for name in TEXTS),
        dict(reference.labels),
    )
    wanted = {**texts, "published_split": said.split.value if said.split else ""}
    for name, value in wanted.items():
        new, old = plain(value), getattr(reference, name)
        if len(new) > MAX_TEXT:
            problems.append(Problem(said.where, f"Its {name} has over {MAX_TEXT:,} characters and was left."))
        elif new and not old:
            setattr(reference, name, new)
        elif new and new != old:
            told = name.replace("_", " ")
            problems.append(Problem(said.where, f"Its {told} is not the one kept here, which stays."))
    for name, value in said.labels.items():
        if reference.labels.setdefault(label_name(name), value.value) != value.value:
            problems.append(Problem(said.where, f"Its label {name} is not the one kept here, which stays."))
    after = (reference.published_split, *(getattr(reference, name) for name in TEXTS), dict(reference.labels))
    regions = list(_new_regions(said.boxes, reference, films, problems))
    if not regions and (after == before):
        return False
    reference.save()
    for region in regions:
        region.reference = reference
    ReferenceRegion.objects.bulk_create(regions)
    record_event(actor=actor, action="keep_reference", subject=study)
    return True


def _new_regions(
    boxes: Sequence[BoxSaid], reference: Reference, films: dict[str, Instance], problems: list[Problem]
) -> Iterator[ReferenceRegion]:
    """Of films that have none yet."""
    drawn = set() if reference.pk is None else set(reference.regions.values_list("film", flat=True))
    for box in boxes:
        film = films.get(box.image)
        if film is None or film.pk in drawn:
            continue
        region = _region(box, film)
        if region is None:
            size = f"{film.columns} x {film.rows}"
            problems.append(
                Problem(box.where, f"Its box has no area, no name, or leaves its film of {size} pixels.")
            )
        else:
            yield region


def _region(box: BoxSaid, film: Instance) -> ReferenceRegion | None:
    columns, rows = box.drawn_on or (film.columns, film.rows)
    across, down = film.columns / columns, film.rows / rows
    edges = (box.x_min * across, box.y_min * down, box.x_max * across, box.y_max * down)
    label = label_name(box.label)
    is_inside = all(math.isfinite(edge) and edge >= -_SLACK_PX for edge in edges)
    is_inside &= edges[2] <= film.columns + _SLACK_PX and edges[3] <= film.rows + _SLACK_PX
    if not label or not is_inside:
        return None
    x_min, y_min = max(edges[0], 0.0), max(edges[1], 0.0)
    x_max, y_max = min(edges[2], float(film.columns)), min(edges[3], float(film.rows))
    if x_max <= x_min or y_max <= y_min:
        return None
    return ReferenceRegion(film=film, label=label, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def _described(said: StudySaid, image: ImageSaid, *, source: SourceDataset) -> Dataset:
    """What a header would say. Names of the data set come in as hashes: they may hold anything."""

    def uid(*parts: str) -> str:
        return keyed_uid("\n".join(parts), key=source.name.lower())

    header = Dataset()
    for keyword, value in (image.header or {}).items():
        setattr(header, keyword, value)
    header.PatientID = hashlib.sha256(f"{source.name.lower()}\n{said.patient}".encode()).hexdigest()
    header.StudyInstanceUID = uid("study", said.patient, said.key)
    header.SeriesInstanceUID = uid("series", said.patient, said.key)
    header.SOPInstanceUID = uid("image", said.patient, said.key, image.key)
    if image.view:
        header.ViewPosition = image.view
    if said.sex:
        header.PatientSex = said.sex
    if said.made_on:
        header.StudyDate = said.made_on.strftime("%Y%m%d")
    return header


def _film_of(identity: Identity) -> Instance | None:
    same = Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid)
    return same.select_related("series__study").first()


def _is_of(study: Study, identity: Identity, source: SourceDataset) -> bool:
    return study.patient_pseudonym == identity.patient_pseudonym and study.source_id == source.pk
