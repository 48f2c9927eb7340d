"""Which studies the design page offers as cases, and which of them its form has chosen."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.http import QueryDict

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designing.form import ALL, CHOSEN, COLLECTION, IMPORTS, KEEP
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.same_texts import SamePairs, saying_the_same
from deepmedix_review.reviews.study_services import Collected, StudyDraft
from deepmedix_review.studies.models import CollectionVersion, Study
from deepmedix_review.studies.selectors import labelled

# A browser sends a field for each, and the server takes 1,000.
MOST_LISTED = 400


class CasesOffered:
    """Of one page: what is shown of each study decides which studies can be cases.

    `posted` is None where the page begins, from `draft` or from a collection that its address names.
    `leaves_out_same`: pairs that say the same are not taken.
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
        leaves_out_same: bool,
    ) -> None:
        self.posted, self.draft, self.begins_with = posted, draft, begins_with
        self.model_version = model_version
        self.search = str(posted.get("search", "")) if posted is not None else ""
        self.lists_studies = draft is None or len(draft.studies) <= MOST_LISTED
        self._counted: dict[Collected, int] = {}
        self.says_the_same = saying_the_same(
            shows=shows, model_version=model_version, other_version=other_version
        )
        self.leaves_out_same = leaves_out_same
        self.waits_for_other = shows in choices.OF_TWO_VERSIONS and other_version is None
        self.has_what_is_shown = choices.readable_studies(
            shows=shows, model_version=model_version, other_version=other_version
        )
        self.readable = self._told_apart(self.has_what_is_shown)

    @cached_property
    def num_readable(self) -> int:
        """Exact up to `choices.MOST_COUNTED`, which is more than a study takes."""
        return choices.count(self.readable)

    @property
    def num_readable_said(self) -> str:
        return choices.say_number(self.num_readable)

    @cached_property
    def num_not_offered(self) -> int:
        """Of the ready studies that have what is to be shown, those whose pair says the same, where such are
        left out; counted likewise."""
        if not self.leaves_out_same or self.says_the_same is None:
            return 0
        return choices.count(self.has_what_is_shown.filter(self.says_the_same))

    @property
    def num_not_offered_said(self) -> str:
        return choices.say_number(self.num_not_offered)

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
        found = self.has_what_is_shown.filter(pk__in=self.chosen_pks)
        return frozenset(found.values_list("pk", flat=True))

    @cached_property
    def same_listed(self) -> frozenset[int]:
        """Which of the listed ones have a pair that says the same."""
        if self.says_the_same is None:
            return frozenset()
        listed = choices.of_studies(study.pk for study in self.listed)
        return frozenset(listed.filter(self.says_the_same).values_list("pk", flat=True))

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

    def count(self, said: Mapping[str, Any], *, taught: Iterable[Study]) -> int:
        """How many data cases the form would take; `taught` are none, unless chosen one by one."""
        match self.source(said):
            case source if source in (KEEP, CHOSEN) and self.leaves_out_same:
                return self.taken_from(said).count()
            case source if source == KEEP:
                return len(self.draft.studies) if self.draft else 0
            case source if source in (ALL, IMPORTS, COLLECTION):
                collected = self.collected(said)
                most = (collected.most if collected else None) or choices.MOST_CASES
                return min(choices.count(_without(taught, self.taken_from(said))), most)
            case _:
                return len(self.chosen)

    def same_pairs(self, said: Mapping[str, Any], *, seed: int) -> SamePairs | None:
        """Of the form's cases; where they are left out, of what its cases are taken from, as far as it is
        counted. None where no pair is shown."""
        if self.says_the_same is None:
            return None
        source = self._source(said)
        taken = source[: choices.MOST_COUNTED] if self.leaves_out_same else self._cut(source, said, seed=seed)
        pairs = Study.objects.filter(pk__in=taken.values("pk"))
        found = pairs.aggregate(pairs=Count("pk"), same=Count("pk", filter=Q(self.says_the_same)))
        return SamePairs(num_same=found["same"], num_pairs=found["pairs"])

    def num_same_left_out(self, said: Mapping[str, Any], *, seed: int) -> int:
        """As the plan tells it. What an earlier save of the draft left out is not chosen any more, and was
        left out all the same, while its other cases are."""
        same = self.same_pairs(said, seed=seed) if self.leaves_out_same else None
        number = same.num_same if same else 0
        drafted = {study.pk for study in self.draft.studies} if self.draft else set()
        source = self.source(said)
        if self.draft and (source == KEEP or (source == CHOSEN and drafted & self.chosen_pks)):
            return max(number, self.draft.num_same_left_out)
        return number

    def num_collected(self, said: Mapping[str, Any]) -> int:
        """How many studies of the chosen collection have what is to be shown, counted likewise."""
        collected = self.collected(said)
        if collected is None:
            return 0
        if collected not in self._counted:
            self._counted[collected] = choices.count(self.taken_from(said))
        return self._counted[collected]

    def studies(
        self, said: Mapping[str, Any], *, reader_study: ReaderStudy | None, taught: Iterable[Study], seed: int
    ) -> list[Study]:
        """The data cases of a valid form, oldest first, without those that teach."""
        taken = self.taken_from(said)
        if self.source(said) in (ALL, IMPORTS, COLLECTION):
            # Before the cut: as many are taken as were asked for, where there are so many beside them.
            taken = _without(taught, taken)
        found = self._cut(taken, said, seed=seed)
        match self.source(said):
            case source if source == KEEP and reader_study:
                there = set(found.values_list("pk", flat=True))
                return [study for study in choices.drafted_studies(reader_study) if study.pk in there]
            case source if source in (ALL, IMPORTS, COLLECTION):
                return sorted(found, key=lambda study: study.pk)
            case _:
                there = set(found.values_list("pk", flat=True))
                return [study for study in self.chosen if study.pk in there]

    def taken_from(self, said: Mapping[str, Any]) -> QuerySet[Study]:
        """What the form's cases are, or are drawn from; not counted yet."""
        return self._told_apart(self._source(said))

    def has_real_films(self, said: Mapping[str, Any]) -> bool:
        """Whether any study among these is of a person, not drawn."""
        if self.source(said) == CHOSEN:
            return any(not study.is_phantom for study in self.chosen)
        return self.taken_from(said).filter(is_phantom=False).exists()

    def _source(self, said: Mapping[str, Any]) -> QuerySet[Study]:
        """Pairs that say the same among them."""
        match self.source(said):
            case source if source == KEEP:
                return choices.of_studies(study.pk for study in (self.draft.studies if self.draft else ()))
            case source if source == ALL:
                return self.has_what_is_shown
            case source if source == IMPORTS:
                return choices.of_imports(self.has_what_is_shown, read_uids(said.get("imports") or ()))
            case source if source == COLLECTION:
                collected = self.collected(said)
                if collected is None:
                    return Study.objects.none()
                return choices.of_collection(self.has_what_is_shown, collected)
            case _:
                return choices.of_studies(self.chosen_pks)

    def _cut(self, studies: QuerySet[Study], said: Mapping[str, Any], *, seed: int) -> QuerySet[Study]:
        """As many as a study takes; of a collection those that the seed draws."""
        match self.source(said):
            case source if source in (ALL, IMPORTS):
                return studies[: choices.MOST_CASES]
            case source if source == COLLECTION:
                collected = self.collected(said)
                most = (collected.most if collected else None) or choices.MOST_CASES
                return choices.drawn(studies, number=min(most, choices.MOST_CASES), seed=seed)
            case _:
                return studies

    def _told_apart(self, studies: QuerySet[Study]) -> QuerySet[Study]:
        """Without those whose pair says the same, where they are left out."""
        if self.leaves_out_same and self.says_the_same is not None:
            return studies.filter(~self.says_the_same)
        return studies

    def _named_version(self) -> CollectionVersion | None:
        """The version that the form names, or that the page begins with: it may be an older one."""
        if self.posted is not None:
            return choices.collection_version(read_uids([self.posted.get("collection", "")]))
        begun = (self.draft.collected if self.draft else None) or self.begins_with
        return begun.version if begun else None


def _without(some: Iterable[Study], studies: QuerySet[Study]) -> QuerySet[Study]:
    return studies.exclude(pk__in=[study.pk for study in some])


def read_uids(values: Iterable[Any]) -> list[uuid.UUID]:
    """Those that can be read."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(str(value)))
        except ValueError:
            continue
    return found
