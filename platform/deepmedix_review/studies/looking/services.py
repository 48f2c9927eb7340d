"""Records that a person has looked at films, and on which of them a name is written."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.looking.selectors import sightings_of, token_of
from deepmedix_review.studies.models import Instance, Sighting, Study
from deepmedix_review.studies.services import close_sightings, hold_study

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
        study.save(update_fields=["state"])
    record_event(actor=reader, action="report_name", subject=study, details={"film": str(film.uid)})
    return sighting


@transaction.atomic
def look_through(*, tokens: Sequence[str], marked: Collection[str], actor: User) -> Looked:
    """The studies of a sheet are let in, those that are marked are put on hold, all in one go.

    `tokens` are those of the sheet's studies; `marked` are some of them. What changed since the sheet was
    shown stays unseen.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    said = {uid: token for token in tokens if (uid := _study_of(token))}
    waiting = Study.objects.select_for_update().filter(uid__in=said, state=Study.State.UNSEEN).order_by("pk")
    clear, held = 0, 0
    for study in waiting:
        films = list(Instance.objects.filter(series__study=study))
        sightings = sightings_of([study]).get(study.pk, ())
        if token_of(study.uid, films, sightings) != said[study.uid]:
            continue
        close_sightings(study)
        if said[study.uid] in marked:
            hold_study(study, reason=A_NAME_IS_BURNED_IN, actor=actor)
            held += 1
            continue
        study.state = Study.State.READY
        study.save(update_fields=["state"])
        record_event(actor=actor, action="look_at_study", subject=study, details={"films": len(films)})
        clear += 1
    return Looked(clear, held, len(said) - clear - held)


def _study_of(token: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(token.partition(":")[0])
    except ValueError:
        return None
