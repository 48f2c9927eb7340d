"""Which studies the design page offers as cases, and which of them its form has chosen."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import QueryDict

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designing.form import ALL, CHOSEN, COLLECTION, IMPORTS, KEEP
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.study_services import Collected, StudyDraft
from deepmedix_review.studies.models import CollectionVersion, Study
from deepmedix_review.studies.selectors import labelled

# A browser sends a field for each, and the server takes 1,000.
MOST_LISTED = 400


class CasesOffered:
    """Of one page: what is shown of each study decides which studies can be cases.

    `posted` is None where the page begins, from `draft` or from a collection that its address names.
    """

    def __init__(
        self,
        *,
        posted: QueryDict | None,
        draft: StudyDraft | None,
        begins_with: Collected | None,
        shows: str,
        model_version: ModelVersion | None,
        other_version: ModelVersion | None,
    ) -> None:
        self.posted, self.draft, self.begins_with = posted, draft, begins_with
        self.model_version = model_version
        self.search = str(posted.get("search", "")) if posted is not None else ""
        self.lists_studies = draft is None or len(draft.studies) <= MOST_LISTED
        self._counted: dict[Collected, int] = {}
        self.readable = choices.readable_studies(
            shows=shows, model_version=model_version, other_version=other_version
        )

    @cached_property
    def num_readable(self) -> int:
        """Exact up to `choices.MOST_COUNTED`, which is more than a study takes."""
        return choices.count(self.readable)

    @property
    def num_readable_said(self) -> str:
        return choices.say_number(self.num_readable)

    @cached_property
    def imports(self) -> Sequence[choices.ImportToRead]:
        return choices.imports_to_read(self.readable)

    @cached_property
    def collections(self) -> Sequence[CollectionVersion]:
        named = self._named_version()
        return choices.collections_to_read(named)

    @cached_property
    def offered(self) -> list[Study]:
        """The newest that match the search."""
        found = choices.with_num_completions(
            self.readable.filter(labelled(self.search)), model_version=self.model_version
        )
        return list(found[: choices.MOST_OFFERED])

    @cached_property
    def chosen(self) -> list[Study]:
        """Studies that were ticked one by one: they stay listed, whatever is offered beside them."""
        if self.posted is not None:
            if self.posted.get("action") == "choose-none":
                return []
            found = choices.studies_by_uid(read_uids(self.posted.getlist("studies")))
            if self.posted.get("action") == "choose-shown":
                there = {study.pk for study in found}
                more = [study for study in self.offered if study.pk not in there]
                found += more[: max(0, MOST_LISTED - len(found))]
            return found
        if self.draft is None or self.draft.collected is not None or not self.lists_studies:
            return []
        return list(self.draft.studies)

    @cached_property
    def chosen_pks(self) -> frozenset[int]:
        return frozenset(study.pk for study in self.chosen)

    @cached_property
    def readable_chosen(self) -> frozenset[int]:
        """Which of the chosen ones have what is to be shown."""
        return frozenset(self.readable.filter(pk__in=self.chosen_pks).values_list("pk", flat=True))

    @cached_property
    def listed(self) -> list[Study]:
        """The chosen ones first, with their outputs counted where they are offered too."""
        offered = {study.pk: study for study in self.offered}
        chosen = (offered.get(study.pk, study) for study in self.chosen)
        return [*chosen, *(study for study in self.offered if study.pk not in self.chosen_pks)]

    @cached_property
    def listed_with_films(self) -> list[Study]:
        """What the list shows; the form alone needs no films, and is sent at every change."""
        prefetch_related_objects(self.listed, "series__instances")
        return self.listed

    def source(self, said: Mapping[str, Any]) -> str:
        """Where the form takes its cases from."""
        return str(said.get("cases_from") or CHOSEN)

    def collected(self, said: Mapping[str, Any]) -> Collected | None:
        """The version, side and number of the form, where cases come from a collection that is there."""
        if self.source(said) != COLLECTION:
            return None
        wanted = str(said.get("collection") or "")
        version = next((row for row in self.collections if str(row.uid) == wanted), None)
        if version is None:
            return None
        return Collected(version, said.get("collection_split") or "", said.get("collection_most"))

    def count(self, said: Mapping[str, Any]) -> int:
        """How many cases the form would take."""
        match self.source(said):
            case source if source == KEEP:
                return len(self.draft.studies) if self.draft else 0
            case source if source == ALL:
                return min(self.num_readable, choices.MOST_CASES)
            case source if source == IMPORTS:
                uids = read_uids(said.get("imports") or ())
                return min(choices.count(choices.of_imports(self.readable, uids)), choices.MOST_CASES)
            case source if source == COLLECTION:
                collected = self.collected(said)
                most = (collected.most if collected else None) or choices.MOST_CASES
                return min(self.num_collected(said), most)
            case _:
                return len(self.chosen)

    def num_collected(self, said: Mapping[str, Any]) -> int:
        """How many studies of the chosen collection have what is to be shown, counted likewise."""
        collected = self.collected(said)
        if collected is None:
            return 0
        if collected not in self._counted:
            self._counted[collected] = choices.count(self._of_collection(collected))
        return self._counted[collected]

    def studies(
        self, said: Mapping[str, Any], *, reader_study: ReaderStudy | None, taught: Iterable[Study], seed: int
    ) -> list[Study]:
        """The data cases of a valid form, oldest first, without those that teach."""
        match self.source(said):
            case source if source == KEEP and reader_study:
                return choices.drafted_studies(reader_study)
            case source if source == ALL:
                found: Iterable[Study] = self.readable[: choices.MOST_CASES]
            case source if source == IMPORTS:
                uids = read_uids(said["imports"])
                found = choices.of_imports(self.readable, uids)[: choices.MOST_CASES]
            case source if source == COLLECTION:
                found = self._draw(self.collected(said), seed=seed)
            case _:
                return self.chosen
        pks = {study.pk for study in taught}
        return sorted((study for study in found if study.pk not in pks), key=lambda study: study.pk)

    def taken_from(self, said: Mapping[str, Any]) -> QuerySet[Study]:
        """What the form's cases are, or are drawn from; not counted yet."""
        match self.source(said):
            case source if source == KEEP:
                pks = {study.pk for study in self.draft.studies} if self.draft else set()
                return Study.objects.filter(pk__in=pks)
            case source if source == ALL:
                return self.readable
            case source if source == IMPORTS:
                return choices.of_imports(self.readable, read_uids(said.get("imports") or ()))
            case source if source == COLLECTION:
                collected = self.collected(said)
                return self._of_collection(collected) if collected else Study.objects.none()
            case _:
                return Study.objects.filter(pk__in=self.chosen_pks)

    def has_real_films(self, said: Mapping[str, Any]) -> bool:
        """Whether any study among these is of a person, not drawn."""
        if self.source(said) == CHOSEN:
            return any(not study.is_phantom for study in self.chosen)
        return self.taken_from(said).filter(is_phantom=False).exists()

    def _draw(self, collected: Collected | None, *, seed: int) -> Sequence[Study]:
        if collected is None:
            return []
        most = min(collected.most or choices.MOST_CASES, choices.MOST_CASES)
        return choices.drawn(self._of_collection(collected), number=most, seed=seed)

    def _of_collection(self, collected: Collected) -> QuerySet[Study]:
        return choices.of_collection(self.readable, collected)

    def _named_version(self) -> CollectionVersion | None:
        """The version that the form names, or that the page begins with: it may be an older one."""
        if self.posted is not None:
            return choices.collection_version(read_uids([self.posted.get("collection", "")]))
        begun = (self.draft.collected if self.draft else None) or self.begins_with
        return begun.version if begun else None


def read_uids(values: Iterable[Any]) -> list[uuid.UUID]:
    """Those that can be read."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(str(value)))
        except ValueError:
            continue
    return found
