"""Records that a person has looked at films, and on which of them a name is written."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.holding import close_sightings, hold_study
from deepmedix_review.studies.looking.selectors import sightings_of, study_of, token_of
from deepmedix_review.studies.models import Instance, Sighting, Study

A_NAME_IS_BURNED_IN = "A name is burned into the film."


@dataclass(frozen=True)
class Looked:
    """`num_left`: decided on by somebody else meanwhile, or a film came to them that was not on the sheet."""

    num_clear: int
    num_held: int
    num_left: int


@transaction.atomic
def report_name(*, film: Instance, reader: User, change_id: uuid.UUID) -> Sighting:
    """A reader saw a name on a film: its study is out of use at once, until a person has looked.

    Who may report it is asked by whoever showed the film. The same `change_id` again changes nothing; a study
    that is out of use already stays as it is, and one more reader saw the name.
    """
    study = Study.objects.select_for_update().get(series__instances=film.pk)
    sighting, is_new = Sighting.objects.get_or_create(
        reader=reader, change_id=change_id, defaults={"film": film}
    )
    if not is_new:
        return sighting
    if study.state == Study.State.READY:
        study.state = Study.State.UNSEEN
        study.looked_at, study.looked_by = None, None
        study.save(update_fields=["state", "looked_at", "looked_by"])
    record_event(actor=reader, action="report_name", subject=study, details={"film": str(film.uid)})
    return sighting


@transaction.atomic
def tick_name(study: Study, *, is_seen: bool, actor: User) -> Study:
    """Keep at once that a name is written on a film, or take that back.

    What is ticked can't be let in by anybody until it is unticked. Somebody else may have let the study in a
    moment before: then it goes on hold, since a name that was seen counts whenever it arrives.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.READY and is_seen:
        return hold_study(study, reason=A_NAME_IS_BURNED_IN, actor=actor, names_seen_by=actor)
    if study.state != Study.State.UNSEEN or is_seen == (study.name_seen_at is not None):
        return study
    study.name_seen_at, study.name_seen_by = (timezone.now(), actor) if is_seen else (None, None)
    study.save(update_fields=["name_seen_at", "name_seen_by"])
    record_event(actor=actor, action="tick_name" if is_seen else "untick_name", subject=study)
    return study


@transaction.atomic
def look_through(*, tokens: Sequence[str], marked: Collection[str], actor: User) -> Looked:
    """The studies of a sheet are let in, those that are marked are put on hold, all in one go.

    `tokens` are those of the sheet's studies; `marked` are some of them. A tick that anybody stored counts
    like a mark. What changed since the sheet was shown stays unseen, unless it is marked.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    said = {uid: token for token in tokens if (uid := study_of(token))}
    named = {uid for token in marked if (uid := study_of(token))}
    clear, held = 0, 0
    for study in Study.objects.select_for_update().filter(uid__in={*said, *named}).order_by("pk"):
        if study.state not in (Study.State.UNSEEN, Study.State.READY):
            continue
        if study.uid in named or study.name_seen_at is not None:
            seen_by = study.name_seen_by or actor
            close_sightings(study)
            hold_study(study, reason=A_NAME_IS_BURNED_IN, actor=actor, names_seen_by=seen_by)
            held += 1
            continue
        films = list(Instance.objects.filter(series__study=study))
        sightings = sightings_of([study]).get(study.pk, ())
        if study.state == Study.State.READY or token_of(study.uid, films, sightings) != said[study.uid]:
            continue
        close_sightings(study)
        study.state = Study.State.READY
        study.looked_at, study.looked_by = timezone.now(), actor
        study.save(update_fields=["state", "looked_at", "looked_by"])
        record_event(actor=actor, action="look_at_study", subject=study, details={"films": len(films)})
        clear += 1
    return Looked(clear, held, len({*said, *named}) - clear - held)
