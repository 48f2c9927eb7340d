"""Collections for tests, made by the services that the pages use."""

from collections.abc import Sequence
from itertools import count

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.collecting.filters import StudyFilter
from deepmedix_review.studies.collecting.services import collect_by_filter, collect_picks
from deepmedix_review.studies.collecting.split import Shares, side_of
from deepmedix_review.studies.models import CollectionVersion, Split, Study
from tests.factories.accounts import AdminFactory


def filtered(
    asked: StudyFilter | None = None,
    *,
    name: str = "All films",
    shares: Shares | None = None,
    actor: User | None = None,
) -> CollectionVersion:
    """The first version of a new collection of what fits now."""
    return collect_by_filter(
        name=name, asked=asked or StudyFilter(), shares=shares, actor=actor or AdminFactory.create()
    )


def picked(
    studies: Sequence[Study], *, name: str = "Picked films", shares: Shares | None = None
) -> CollectionVersion:
    """The first version of a new hand-picked collection."""
    return collect_picks(
        name=name, picks=[study.uid for study in studies], shares=shares, actor=AdminFactory.create()
    )


def move_patient(study: Study, *, to: Split, shares: Shares) -> Study:
    """Make it a study of a patient who is on this side."""
    names = (f"P-{study.pk:x}-{number}" for number in count())
    study.patient_pseudonym = next(name for name in names if side_of(name, shares=shares) == to)
    study.save(update_fields=["patient_pseudonym"])
    return study
