"""Throws a draft away, and begins a new draft from any reader study."""

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy
from deepmedix_review.reviews.study_services.drafting import design_reader_study, draft_of
from deepmedix_review.reviews.study_services.naming import COPIED

LONGEST_TITLE = 120


@transaction.atomic
def delete_draft(*, reader_study: ReaderStudy, actor: User | None) -> None:
    """For good. Raises RefusedByRule for a reader study that has begun: what was said in it stays."""
    require_designer(actor)
    draft = ReaderStudy.objects.select_for_update().filter(pk=reader_study.pk).first()
    if draft is None:
        raise RefusedByRule("This draft was deleted already.")
    if draft.state != ReaderStudy.State.DRAFT:
        raise RefusedByRule("This reader study has begun, so it stays. Lock it when it is over.")
    record_event(
        actor=actor,
        action="delete_reader_study_draft",
        subject=draft,
        details={"cases": draft.cases.count(), "readers": draft.invitations.count()},
    )
    draft.delete()


@transaction.atomic
def design_another_like(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """A new draft with the same cases, questions, readers, design and seed, and nothing that was said.

    Readers who left or may read no more stay out, and a deadline that has passed. It can't start before it
    has a title of its own.
    """
    require_designer(actor)
    draft = draft_of(reader_study)
    here = set(
        Invitation.objects.filter(
            reader_study=reader_study, state__in=(Invitation.State.INVITED, Invitation.State.ACCEPTED)
        ).values_list("reader", flat=True)
    )
    # A control is a case of data until the start makes it one.
    of_data = Case.objects.filter(reader_study=reader_study, role__in=(Case.Role.DATA, Case.Role.CONTROL))
    past = draft.deadline is not None and draft.deadline < timezone.localdate()
    copy = design_reader_study(
        draft=replace(
            draft,
            title=draft.title.removesuffix(COPIED)[: LONGEST_TITLE - len(COPIED)] + COPIED,
            studies=[case.study for case in of_data.select_related("study").order_by("position")],
            readers=[
                reader for reader in draft.readers if reader.pk in here and may(reader, Capability.READ_CASES)
            ],
            deadline=None if past else draft.deadline,
        ),
        actor=actor,
    )
    record_event(
        actor=actor,
        action="copy_reader_study",
        subject=copy,
        details={"like": str(reader_study.uid)},
    )
    return copy
