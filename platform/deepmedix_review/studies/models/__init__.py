"""The de-identified DICOM tree, where its pixels lie, named sets of studies, what their sources say of them,
what was decided on them, and who saw what."""

from deepmedix_review.studies.models.archive_imports import ArchiveImport
from deepmedix_review.studies.models.collections import (
    Collection,
    CollectionMember,
    CollectionVersion,
    Split,
)
from deepmedix_review.studies.models.decisions import DecidedStudy, HeldDecision
from deepmedix_review.studies.models.erased import ErasedName
from deepmedix_review.studies.models.films import (
    TO_LOOK_AT,
    ImportBatch,
    ImportItem,
    Instance,
    Series,
    Study,
)
from deepmedix_review.studies.models.maskings import MaskedPicture, TextMasking
from deepmedix_review.studies.models.pacs_pulls import FilmToPull, PacsPull, StudyToPull
from deepmedix_review.studies.models.picture_views import PictureView
from deepmedix_review.studies.models.references import Label, Reference, ReferenceRegion
from deepmedix_review.studies.models.retention import Keeping, RetentionRule
from deepmedix_review.studies.models.sent_messages import SentMessage
from deepmedix_review.studies.models.sightings import Sighting
from deepmedix_review.studies.models.sources import SourceDataset

__all__ = [
    "TO_LOOK_AT",
    "ArchiveImport",
    "Collection",
    "CollectionMember",
    "CollectionVersion",
    "DecidedStudy",
    "ErasedName",
    "FilmToPull",
    "HeldDecision",
    "ImportBatch",
    "ImportItem",
    "Instance",
    "Keeping",
    "Label",
    "MaskedPicture",
    "PacsPull",
    "PictureView",
    "Reference",
    "ReferenceRegion",
    "RetentionRule",
    "SentMessage",
    "Series",
    "Sighting",
    "SourceDataset",
    "Split",
    "Study",
    "StudyToPull",
    "TextMasking",
]
