"""What other apps know of a design before it starts, such as whom a model has learned from."""

from collections.abc import Callable, Sequence

from django.db.models import QuerySet

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Study

# Of the versions that are shown, on the studies that cases are taken from: sentences, none where all is well.
Warn = Callable[[Sequence[ModelVersion], "QuerySet[Study]"], Sequence[str]]
_asked: list[Warn] = []


def ask_of_designs(warn: Warn) -> None:
    """An app that is above this one has a word here; once, when it is ready."""
    _asked.append(warn)


def warnings_of(versions: Sequence[ModelVersion], studies: "QuerySet[Study]") -> list[str]:
    return [sentence for warn in _asked for sentence in warn(versions, studies)]
