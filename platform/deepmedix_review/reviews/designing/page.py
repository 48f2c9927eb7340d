"""Puts together the page of a reader study's design: what is offered, what was said, what it costs."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, QueryDict

from deepmedix_review.accounts.selectors import readers
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria
from deepmedix_review.reviews.designing import choices, taught_form
from deepmedix_review.reviews.designing.cost import WidthPlot, plan_study, width_plot
from deepmedix_review.reviews.designing.form import (
    ALL,
    CHOSEN,
    IMPORTS,
    KEEP,
    ReaderStudyForm,
    asked_from,
    design_from,
    initial_from,
    readers_from,
    settings_from,
)
from deepmedix_review.reviews.designs import ReaderStudyDesign, StudyPlan
from deepmedix_review.reviews.models import Criterion, ReaderStudy
from deepmedix_review.reviews.study_services import StudyDraft, TaughtCase, draft_of, find_unready
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import labelled

# A browser sends a field for each, and the server takes 1,000.
MOST_LISTED = 400


@dataclass(frozen=True)
class CriterionRow:
    """A question on the page: whether it is asked, at which place, and whether it must be answered."""

    criterion: Criterion
    place: int
    is_asked: bool
    is_required: bool


class DesignPage:
    """The page, from an empty form, an earlier draft, or what was just sent."""

    def __init__(self, request: HttpRequest, *, reader_study: ReaderStudy | None = None) -> None:
        self.reader_study = reader_study
        self.posted: QueryDict | None = request.POST if request.method == "POST" else None
        self.draft = draft_of(reader_study) if reader_study else None
        self.lists_studies = self.draft is None or len(self.draft.studies) <= MOST_LISTED
        self.experts = list(readers())
        self.search = str(self.posted.get("search", "")) if self.posted is not None else ""
        self.num_more_taught = 1 if self.posted and self.posted.get("action") == "add-taught" else 0
        self.form = ReaderStudyForm(
            self.posted,
            initial=initial_from(self.draft, lists_studies=self.lists_studies) if self.draft else None,
            versions=[(str(row.version.uid), str(row)) for row in self.versions],
            imports=[(str(row.batch.uid), str(row)) for row in self.imports],
            studies=[(str(study.uid), study.label) for study in self.listed],
            readers=[(str(reader.uid), reader.pseudonym) for reader in self.experts],
            num_drafted=0 if self.lists_studies or self.draft is None else len(self.draft.studies),
        )
        self.taught = taught_form.TaughtCases(
            self._taught_data(),
            initial=taught_form.initial_of(self.draft.taught) if self.draft and self.posted is None else [],
            prefix="taught",
            form_kwargs={"studies": [(str(study.uid), study.label) for study in self.teachable]},
        )

    @cached_property
    def versions(self) -> Sequence[choices.VersionToRead]:
        return choices.versions_to_read()

    @cached_property
    def serving(self) -> ModelVersion | None:
        return versions().filter(state=ModelVersion.State.SERVING).first()

    @cached_property
    def model_version(self) -> ModelVersion | None:
        """As it was said; None is the one that serves when the study starts."""
        return self._version("version", self.draft.model_version if self.draft else None)

    @cached_property
    def other_version(self) -> ModelVersion | None:
        return self._version("other_version", self.draft.other_version if self.draft else None)

    @cached_property
    def shows(self) -> str:
        if self.posted is not None:
            return str(self.posted.get("shows", "two_samples"))
        return self.draft.design.shows if self.draft else "two_samples"

    @cached_property
    def readable(self) -> Any:
        """The studies that can be chosen, newest first."""
        return choices.readable_studies(
            shows=self.shows,
            model_version=self.model_version or self.serving,
            other_version=self.other_version,
        )

    @cached_property
    def num_readable(self) -> int:
        return int(self.readable.count())

    @cached_property
    def imports(self) -> Sequence[choices.ImportToRead]:
        return choices.imports_to_read(self.readable)

    @cached_property
    def offered(self) -> list[Study]:
        """The newest that match the search."""
        found = choices.with_num_completions(
            self.readable.filter(labelled(self.search)), model_version=self.model_version or self.serving
        )
        return list(found[: choices.MOST_OFFERED])

    @cached_property
    def chosen(self) -> list[Study]:
        """Studies that were ticked one by one: they stay listed, whatever is offered beside them."""
        if self.posted is not None:
            if self.posted.get("action") == "choose-none":
                return []
            found = choices.studies_by_uid(_uids(self.posted.getlist("studies")))
            if self.posted.get("action") == "choose-shown":
                there = {study.pk for study in found}
                more = [study for study in self.offered if study.pk not in there]
                found += more[: max(0, MOST_LISTED - len(found))]
            return found
        return list(self.draft.studies) if self.draft and self.lists_studies else []

    @cached_property
    def chosen_pks(self) -> frozenset[int]:
        return frozenset(study.pk for study in self.chosen)

    @cached_property
    def readable_chosen(self) -> frozenset[int]:
        """Which of the chosen ones have what is to be shown."""
        return frozenset(self.readable.filter(pk__in=self.chosen_pks).values_list("pk", flat=True))

    @cached_property
    def listed(self) -> list[Study]:
        return [*self.chosen, *(study for study in self.offered if study.pk not in self.chosen_pks)]

    @cached_property
    def teachable(self) -> list[Study]:
        """For training cases: what is listed, and what teaches already."""
        listed = {study.pk: study for study in self.listed}
        if self.posted is not None:
            names = [name for name in self.posted if name.startswith("taught-") and name.endswith("-study")]
            named = choices.studies_by_uid(_uids(self.posted[name] for name in names))
        else:
            named = [case.study for case in self.draft.taught] if self.draft else []
        return list(({study.pk: study for study in named} | listed).values())

    @cached_property
    def said(self) -> dict[str, Any]:
        """The fields that are valid so far, or those that the page begins with."""
        if self.posted is None:
            return {
                name: self.form.get_initial_for_field(field, name) for name, field in self.form.fields.items()
            }
        self.form.is_valid()
        return self.form.cleaned_data

    @cached_property
    def design(self) -> ReaderStudyDesign:
        return self.draft.design if self.posted is None and self.draft else design_from(self.said)

    @cached_property
    def asked(self) -> Sequence[Asked]:
        if self.posted is not None:
            return asked_from(self.posted, self._criteria)
        return self.draft.asked if self.draft else default_criteria()

    @cached_property
    def criteria(self) -> list[CriterionRow]:
        """In the order of the places, the others behind."""
        places = {item.criterion.pk: number for number, item in enumerate(self.asked, start=1)}
        optional = {item.criterion.pk for item in self.asked if not item.is_required}
        rows = [
            CriterionRow(
                criterion,
                places.get(criterion.pk, len(self._criteria)),
                criterion.pk in places,
                criterion.pk not in optional,
            )
            for criterion in self._criteria
        ]
        return sorted(rows, key=lambda row: (not row.is_asked, row.place))

    @cached_property
    def num_cases(self) -> int:
        match self.said.get("cases_from", CHOSEN):
            case "keep":
                return len(self.draft.studies) if self.draft else 0
            case "all":
                return min(self.num_readable, choices.MOST_CASES)
            case "imports":
                chosen = _uids(self.said.get("imports") or ())
                return int(choices.of_imports(self.readable, chosen).count())
            case _:
                return len(self.chosen)

    @cached_property
    def num_taught(self) -> int:
        return (
            len(self._taught_cases())
            if self.taught.is_bound
            else len(self.draft.taught if self.draft else ())
        )

    @cached_property
    def num_readers(self) -> int:
        return len(readers_from(self.said, self.experts))

    @cached_property
    def plan(self) -> StudyPlan:
        return plan_study(
            self.design,
            num_cases=self.num_cases,
            num_readers=self.num_readers,
            num_taught=self.num_taught,
            deadline=self.said.get("deadline"),
        )

    @cached_property
    def plot(self) -> WidthPlot | None:
        return width_plot(
            self.design, this=self.plan, num_readers=self.num_readers, num_taught=self.num_taught
        )

    @cached_property
    def unready(self) -> tuple[str, ...]:
        """What keeps the draft, as it is kept, from starting."""
        return find_unready(self.draft) if self.draft else ()

    def is_valid(self) -> bool:
        return self.form.is_valid() and self.taught.is_valid()

    def draft_said(self) -> StudyDraft:
        """Of a valid page."""
        said = self.form.cleaned_data
        has_sides = self.design.has_sides
        return StudyDraft(
            **settings_from(said),
            studies=self._studies(),
            taught=self._taught_cases(),
            readers=readers_from(said, self.experts),
            asked=[
                item for item in self.asked if has_sides or item.criterion.target != Criterion.Target.VOTE
            ],
            design=self.design,
            model_version=self.model_version,
            other_version=self.other_version if self.shows in ("two_versions", "one_of_two") else None,
        )

    @cached_property
    def _criteria(self) -> list[Criterion]:
        return choices.criteria_to_ask(self.draft.asked if self.draft else default_criteria())

    def _studies(self) -> list[Study]:
        match self.form.cleaned_data["cases_from"]:
            case source if source == KEEP and self.reader_study:
                return choices.drafted_studies(self.reader_study)
            case source if source == ALL:
                found = self.readable
            case source if source == IMPORTS:
                found = choices.of_imports(self.readable, _uids(self.form.cleaned_data["imports"]))
            case _:
                return self.chosen
        taught = {case.study.pk for case in self._taught_cases()}
        return [study for study in found[: choices.MOST_CASES][::-1] if study.pk not in taught]

    def _taught_cases(self) -> list[TaughtCase]:
        self.taught.is_valid()
        said = [form.cleaned_data for form in self.taught.forms if not form.errors]
        return taught_form.taught_cases(said, studies=self.teachable)

    def _taught_data(self) -> QueryDict | None:
        if self.posted is None:
            return None
        data = self.posted.copy()
        total = data.get("taught-TOTAL_FORMS", "0")
        number = min(int(total), taught_form.MOST_TAUGHT) if total.isascii() and total.isdigit() else 0
        data["taught-TOTAL_FORMS"] = str(number + self.num_more_taught)
        data["taught-INITIAL_FORMS"] = "0"
        return data

    def _version(self, name: str, drafted: ModelVersion | None) -> ModelVersion | None:
        if self.posted is None:
            return drafted
        uids = _uids([self.posted.get(name, "")])
        return versions().filter(uid__in=uids).first()


def _uids(values: Iterable[Any]) -> list[uuid.UUID]:
    """Those that can be read."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(str(value)))
        except ValueError:
            continue
    return found
