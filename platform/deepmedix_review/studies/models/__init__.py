"""The de-identified DICOM tree, where its pixels lie, and the named sets that studies are gathered in."""

from deepmedix_review.studies.models.collections import (
    Collection,
    CollectionMember,
    CollectionVersion,
    Split,
)
from deepmedix_review.studies.models.films import ImportBatch, ImportItem, Instance, Series, Study
from deepmedix_review.studies.models.sightings import Sighting

__all__ = [
    "Collection",
    "CollectionMember",
    "CollectionVersion",
    "ImportBatch",
    "ImportItem",
    "Instance",
    "Series",
    "Sighting",
    "Split",
    "Study",
]
