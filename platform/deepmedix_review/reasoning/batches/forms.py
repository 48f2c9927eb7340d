"""What is asked for a new batch."""

from typing import Any
from uuid import UUID

from django import forms

from deepmedix_review.common.forms import offer
from deepmedix_review.reasoning.batches.asking import WantedBatch
from deepmedix_review.reasoning.forms import SamplingForm
from deepmedix_review.reasoning.services import LONGEST_QUERY
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import tell_apart, versions
from deepmedix_review.registry.templatetags.versions import named
from deepmedix_review.studies.collecting.selectors import newest_versions
from deepmedix_review.studies.models import Collection, CollectionVersion

MOST_OFFERED = 100


class BatchForm(SamplingForm):
    version = forms.ChoiceField(label="Model")
    collection = forms.ChoiceField(
        label="Studies", required=False, help_text="Of a collection, only what is ready is asked about."
    )
    query = forms.CharField(
        label="Question",
        required=False,
        max_length=LONGEST_QUERY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Left empty: the model's own.",
    )
    field_order = ("version", "collection", "query")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["num_samples"].label = "Completions of each study"
        askable = versions().exclude(source=ModelVersion.Source.RECORDED)
        serving = ModelVersion.State.SERVING
        self._versions = sorted(askable[:MOST_OFFERED], key=lambda one: one.state != serving)
        apart = tell_apart(self._versions)
        offer(
            self,
            "version",
            [(str(one.uid), f"{one} {named(one, apart)} · {one.state}") for one in self._versions],
        )
        offer(
            self,
            "collection",
            [("", "every ready study"), *map(_offered, self._collections())],
        )

    def wanted(self) -> WantedBatch:
        """Once it is valid."""
        said = self.cleaned_data
        return WantedBatch(
            version=next(one for one in self._versions if str(one.uid) == said["version"]),
            query=said["query"],
            sampling=self.sampling(),
            collection=next((one for one in self._collections() if str(one.uid) == said["collection"]), None),
        )

    def _collections(self) -> list[CollectionVersion]:
        """The newest version of each, and the one that the page came from."""
        newest = newest_versions(list(Collection.objects.order_by("-pk")[:MOST_OFFERED]))
        found = list(newest.filter(frozen_at__isnull=False).select_related("collection"))
        named = _uid(self.data.get("collection") or self.initial.get("collection"))
        if named and all(one.uid != named for one in found):
            found += CollectionVersion.objects.filter(uid=named).select_related("collection")
        return found


def _offered(version: CollectionVersion) -> tuple[str, str]:
    return str(version.uid), f"{version} · {version.num_studies:,} studies"


def _uid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
