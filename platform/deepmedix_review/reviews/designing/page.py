"""Puts together the page of a reader study's design: what is offered, what was said, what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.forms import CheckboxSelectMultiple, RadioSelect
from django.http import HttpRequest, QueryDict

from deepmedix_review.accounts.selectors import acting_user, readers
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria
from deepmedix_review.reviews.designing import cautions, choices, questions
from deepmedix_review.reviews.designing.cases import CasesOffered, read_uids
from deepmedix_review.reviews.designing.cost import WidthPlot, plan_study, width_plot
from deepmedix_review.reviews.designing.detectable import Detectable, detectable_of
from deepmedix_review.reviews.designing.example import example_draft
from deepmedix_review.reviews.designing.form import (
    ReaderStudyForm,
    begin_with,
    design_from,
    initial_from,
    readers_from,
    settings_from,
)
from deepmedix_review.reviews.designing.models_offered import ModelsOffered
from deepmedix_review.reviews.designing.reading_times import reading_times
from deepmedix_review.reviews.designing.sections import Section, sections
from deepmedix_review.reviews.designing.taught import Taught
from deepmedix_review.reviews.designing.warnings import warnings_of
from deepmedix_review.reviews.designs import (
    Problem,
    ReaderStudyDesign,
    StudyPlan,
    rooms_for_repeats,
    usual_washout,
)
from deepmedix_review.reviews.designs.planning import AnswerKind
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.same_texts import SamePairs
from deepmedix_review.reviews.study_services import (
    Collected,
    StudyDraft,
    TaughtCase,
    draft_of,
    find_unready,
    unready_settings,
    unready_title,
)
from deepmedix_review.studies.looking.selectors import count_unseen
from deepmedix_review.studies.models import Split
from deepmedix_review.studies.selectors import StateCount


class DesignPage:
    """The page, from an empty form, an earlier draft, or what was just sent."""

    def __init__(self, request: HttpRequest, *, reader_study: ReaderStudy | None = None) -> None:
        self.user = acting_user(request)
        self.reader_study = reader_study
        self.posted: QueryDict | None = request.POST if request.method == "POST" else None
        self.draft = draft_of(reader_study) if reader_study else None
        # What a new study's form begins with: nothing, or the worked example.
        self.begun = self.draft or (example_draft() if request.GET.get("begin") == "example" else None)
        self.models = ModelsOffered(posted=self.posted, draft=self.draft, begun=self.begun)
        self.experts = list(readers())
        begins_with = None if self.draft else _named_collection(request)
        self.cases = CasesOffered(
            posted=self.posted,
            draft=self.draft,
            begins_with=begins_with,
            shows=self.models.shows,
            model_version=self.models.model_version or self.models.serving,
            other_version=self.models.other_version,
            leaves_out_same=self.leaves_out_same,
        )
        lists_studies, draft = self.cases.lists_studies, self.draft
        self.form = ReaderStudyForm(
            self.posted,
            initial=self._initial(begins_with),
            versions=[(str(row.version.uid), str(row)) for row in self.models.every],
            collections=[(str(row.uid), choices.name_of(row)) for row in self.cases.collections],
            imports=[(str(row.batch.uid), str(row)) for row in self.cases.imports],
            studies=[(str(study.uid), study.label) for study in self.cases.listed],
            readers=[(str(reader.uid), reader.pseudonym) for reader in self.experts],
            num_drafted=0 if lists_studies or draft is None else len(draft.studies),
        )
        self._taught = Taught(
            self.posted, drafted=self.draft.taught if self.draft else (), listed=self.cases.listed
        )
        self.taught = self._taught.forms

    @cached_property
    def leaves_out_same(self) -> bool:
        if self.posted is not None:
            return "leaves_out_same" in self.posted
        return self.draft is not None and self.draft.leaves_out_same

    @cached_property
    def same_pairs(self) -> SamePairs | None:
        """None where no pair is shown."""
        return self.cases.same_pairs(self.said, seed=self.seed)

    @cached_property
    def seed(self) -> int:
        seed: int = settings_from(self.said)["seed"]
        return seed

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
        if self.posted is None and self.begun:
            return self.begun.design
        design = design_from(self.said)
        if design.repeat_share and self.said.get("washout_cases") is None:
            rooms = rooms_for_repeats(
                design, num_cases=self.num_cases, readers=self.num_readers, seed=self.seed
            )
            design = replace(design, washout_cases=usual_washout(rooms))
        return design

    @cached_property
    def asked(self) -> Sequence[Asked]:
        if self.posted is not None:
            return questions.asked_by(self.posted, already=self._already_asked)
        return self._already_asked

    @cached_property
    def criteria(self) -> list[questions.CriterionRow]:
        return questions.rows(self.asked, already=self._already_asked)

    @cached_property
    def sections(self) -> Mapping[str, Section]:
        """What an ordinary study leaves alone, each with its setting in words."""
        wrong = [*self.form.errors] if self.posted is not None else []
        wrong += [problem.field for problem in self.hindrances]
        if self._taught.is_wrong:
            wrong.append("taught")
        return sections(
            said=self.said,
            design=self.design,
            asked=questions.fitting(self.asked, has_sides=self.design.has_sides),
            taught=self._taught_now,
            wrong=wrong,
            action=self.posted.get("action", "") if self.posted is not None else "",
        )

    @cached_property
    def num_cases(self) -> int:
        return self.cases.count(self.said, taught=[case.study for case in self._taught_now])

    @cached_property
    def collected(self) -> Collected | None:
        return self.cases.collected(self.said)

    @cached_property
    def num_collected(self) -> int:
        """Of the chosen collection's studies, those that have what is to be shown."""
        return self.cases.num_collected(self.said)

    @cached_property
    def num_unseen(self) -> StateCount:
        """Studies that can be no cases before somebody has looked at their films."""
        return count_unseen(self.user)

    @cached_property
    def num_collected_unseen(self) -> int:
        """Of the chosen collection's."""
        return choices.count_unseen_members(self.collected.version) if self.collected else 0

    @property
    def num_collected_said(self) -> str:
        return choices.say_number(self.num_collected)

    @cached_property
    def num_taught(self) -> int:
        return len(self._taught_now)

    @cached_property
    def num_readers(self) -> int:
        return len(readers_from(self.said, self.experts))

    @cached_property
    def planned_questions(self) -> Sequence[Asked]:
        """Where nothing is ticked, what would be asked."""
        return self.asked or default_criteria()

    @cached_property
    def asks(self) -> frozenset[AnswerKind]:
        """The kinds of answers of which the plan tells how sure they will be."""
        asked = questions.fitting(self.planned_questions, has_sides=self.design.has_sides)
        return frozenset(kind for item in asked if (kind := questions.kind_of(item.criterion)))

    @property
    def asks_vote(self) -> bool:
        return "vote" in self.asks

    @cached_property
    def plan(self) -> StudyPlan:
        return plan_study(
            self.design,
            num_cases=self.num_cases,
            num_readers=self.num_readers,
            num_taught=self.num_taught,
            deadline=self.said.get("deadline"),
            times=reading_times(
                self.design,
                asked=self.planned_questions,
                model_versions=self.models.shown,
                has_choices=bool(settings_from(self.said)["first_read_choices"]),
            ),
            asks=self.asks,
            seed=self.seed,
        )

    @cached_property
    def detectable(self) -> Detectable | None:
        return detectable_of(self.plan, self.design, self.planned_questions)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What the form would be refused for at the start, as far as it is filled."""
        titled = unready_title(self.said.get("title") or "")
        return (
            titled
            + self.plan.problems
            + unready_settings(
                self.design,
                model_version=self.models.model_version,
                other_version=self.models.other_version,
                deadline=self.said.get("deadline"),
                adjudication=self.said.get("adjudication") or "",
                num_readers=self.num_readers,
            )
        )

    @cached_property
    def plot(self) -> WidthPlot | None:
        return width_plot(
            self.design,
            this=self.plan,
            num_readers=self.num_readers,
            num_taught=self.num_taught,
            asks=self.asks,
        )

    @cached_property
    def unready(self) -> tuple[Problem, ...]:
        """What keeps the draft, as it is kept, from starting."""
        return find_unready(self.draft) if self.draft else ()

    @cached_property
    def hindrances(self) -> tuple[Problem, ...]:
        """All that stands above the form, beside what is refused at once: what the start lacks."""
        if self.posted is None:
            return self.unready
        refused = self.form.errors
        if self.posted.get("action") != "start":
            return ()
        return tuple(problem for problem in self.problems if problem.field not in refused)

    @cached_property
    def problems_so_far(self) -> tuple[str, ...]:
        """While the form is filled: what it lacks, and what was entered and can't be counted."""
        uncounted = [
            f"{self.form[name].label}: {error} The plan leaves it out."
            for name, errors in (self.form.errors.items() if self.posted is not None else ())
            for error in errors
            if name in self.form.fields and self.form[name].data not in (None, "")
        ]
        return (*uncounted, *self.problems)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What keeps no study from starting and is better known before."""
        return (
            *cautions.of_no_third_reader(
                self.plan, adjudication=self.said.get("adjudication"), num_readers=self.num_readers
            ),
            *cautions.of_short_washout(self.plan, self.design),
            *cautions.of_same_pairs(self.same_pairs, leaves_out=self.leaves_out_same),
            *cautions.of_drawn_films(self.models.shown, self.cases, self.said),
            *cautions.of_known_films(self.cases.taken_from(self.said), readers_from(self.said, self.experts)),
            *warnings_of(self.models.shown, self.cases.taken_from(self.said)),
        )

    def mark(self) -> None:
        """Each field that keeps the study from starting is marked as one that is wrong."""
        for problem in self.hindrances:
            field = self.form.fields.get(problem.field)
            # A group of buttons has no such mark, and the list above leads to it.
            if field is not None and not isinstance(field.widget, RadioSelect | CheckboxSelectMultiple):
                field.widget.attrs["aria-invalid"] = "true"

    def overlook_gaps(self) -> None:
        """Nothing was to be kept yet, so what is still empty is no error."""
        for name in [name for name in self.form.errors if not self.form[name].data]:
            del self.form.errors[name]

    def is_valid(self) -> bool:
        return self.form.is_valid() and self.taught.is_valid()

    def draft_said(self) -> StudyDraft:
        """Of a valid page."""
        said = self.form.cleaned_data
        settings, taught = settings_from(said), self._taught.said()
        return StudyDraft(
            **settings,
            studies=self.cases.studies(
                said,
                reader_study=self.reader_study,
                taught=[case.study for case in taught],
                seed=settings["seed"],
            ),
            collected=self.collected,
            num_same_left_out=self.cases.num_same_left_out(said, seed=settings["seed"]),
            taught=taught,
            readers=readers_from(said, self.experts),
            asked=questions.fitting(self.asked, has_sides=self.design.has_sides),
            design=self.design,
            model_version=self.models.model_version,
            other_version=self.models.other_version if self.models.has_two else None,
        )

    def _initial(self, begins_with: Collected | None) -> dict[str, Any]:
        if self.posted is not None:
            return {}
        asks = {"preset": questions.preset_of(self._already_asked, has_sides=self.models.has_sides)}
        if self.draft is not None:
            return asks | initial_from(self.draft, lists_studies=self.cases.lists_studies)
        begun = initial_from(self.begun, lists_studies=True) if self.begun else {}
        return asks | begun | begin_with(begins_with, has_collections=bool(self.cases.collections))

    @cached_property
    def _already_asked(self) -> Sequence[Asked]:
        return self.draft.asked if self.draft else default_criteria()

    @cached_property
    def _taught_now(self) -> Sequence[TaughtCase]:
        return self._taught.now()


def _named_collection(request: HttpRequest) -> Collected | None:
    """A new study may begin with a collection that its address names: `?collection=<version>&side=test`."""
    version = choices.collection_version(read_uids([request.GET.get("collection", "")]))
    side = request.GET.get("side", "")
    return Collected(version, side if side in Split.values else "") if version else None
