"""What an erasure is of: one study, or all studies of one patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.studies.models import Study

# Of one patient on a page; an erasure takes all.
SHOWN = 50


@dataclass(frozen=True)
class Scope:
    """`patient` is a pseudonym, empty where one study goes alone."""

    kind: Erasure.Kind
    studies: Sequence[Study]
    patient: str = ""

    @property
    def keys(self) -> list[int]:
        return [study.pk for study in self.studies]

    @property
    def name(self) -> str:
        """What a person types to confirm: the study's label, or the patient's pseudonym."""
        return self.patient or self.studies[0].label


def study_scope(user: User, uid: UUID) -> Scope:
    """Raises NotYours, or Http404."""
    require(user, Capability.ERASE_STUDIES)
    return Scope(Erasure.Kind.STUDY, [get_object_or_404(Study, uid=uid)])


def patient_scope(user: User, pseudonym: str) -> Scope:
    """Raises NotYours, or Http404 where no study of the patient is here."""
    require(user, Capability.ERASE_STUDIES)
    pseudonym = pseudonym.strip().upper()
    studies = list(Study.objects.filter(patient_pseudonym=pseudonym).order_by("pk")) if pseudonym else []
    if not studies:
        raise Http404("There is no study of that patient.")
    return Scope(Erasure.Kind.PATIENT, studies, pseudonym)
