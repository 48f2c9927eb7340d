"""Finds what an admin may choose for a reader study: model versions, and the studies that one completed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.studies.models import Study


@dataclass(frozen=True)
class VersionToRead:
    """A model version whose completions readers can be given, and of how many ready studies."""

    version: ModelVersion
    num_studies: int

    def __str__(self) -> str:
        noun = "study" if self.num_studies == 1 else "studies"
        return f"{self.version} · {self.num_studies} {noun}"


def versions_to_read() -> Sequence[VersionToRead]:
    """The versions with completions of ready studies, newest first, whichever of them serves."""
    counts = dict(
        Completion.objects.filter(study__state=Study.State.READY)
        .order_by()
        .values_list("model_version")
        .annotate(number=Count("study", distinct=True))
    )
    return [VersionToRead(version, counts[version.pk]) for version in versions().filter(pk__in=counts)]


def studies_to_choose(*, model_version: ModelVersion, limit: int = 200) -> QuerySet[Study]:
    """The newest ready studies that this model has completed, with `num_completions`."""
    done = Completion.objects.filter(study=OuterRef("pk"), model_version=model_version)
    return (
        Study.objects.filter(Exists(done), state=Study.State.READY)
        .annotate(num_completions=Count("completions", filter=Q(completions__model_version=model_version)))
        .order_by("-pk")[:limit]
    )
