"""Puts together the page of a reader study on its way, with what was said in its forms and not done."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import acting_user, called
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.reviews.conduct import overview
from deepmedix_review.reviews.conduct.controls import control_cases
from deepmedix_review.reviews.conduct.disputes import (
    DisputeRow,
    able_for_all,
    disputes_of,
    given_to_nobody,
)
from deepmedix_review.reviews.conduct.falling_due import falling_due_in
from deepmedix_review.reviews.conduct.forms import ExtensionForm, InvitationForm
from deepmedix_review.reviews.conduct.out_of_use import cases_out_of_use
from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.designing import cautions, choices
from deepmedix_review.reviews.designing.words import ADJUDICATION, DESIGNS, FIRST_READS, SHOWS
from deepmedix_review.reviews.guards import require_results_visible
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.progress import overview as count_readings
from deepmedix_review.reviews.same_texts import SamePairs, say_same_pairs, saying_the_same
from deepmedix_review.reviews.study_services import Growth, Moves, collected_of
from deepmedix_review.reviews.study_services.assigning import staying
from deepmedix_review.studies.models import Study


@dataclass(frozen=True)
class Removal:
    """A reader whose removal was asked for: what it would move, or why it can't be done."""

    reader: User
    moves: Moves | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Settling:
    """Who was named to settle a case, and why this can't be."""

    case: uuid.UUID
    reader: uuid.UUID
    refusal: str


@dataclass(frozen=True)
class Giving:
    """Disputed cases that somebody was named to settle, before they are given: `case` with its number, None
    for all that wait; `num_left` of these are not for this reader. `minutes_each`: what a case took its
    readers so far, None where nobody signed one. `taken_from`: who has the case now, and whether it was
    begun. `refusal`: why what was agreed to was not given."""

    reader: User
    is_from_outside: bool
    case: uuid.UUID | None
    position: int | None
    num_given: int
    num_left: int
    minutes_each: float | None
    cautions: Sequence[str] = ()
    taken_from: User | None = None
    is_begun: bool = False
    refusal: str = ""

    @property
    def minutes(self) -> float | None:
        return None if self.minutes_each is None else self.minutes_each * self.num_given


@dataclass(frozen=True)
class Said:
    """What was sent from the page and is not done: refused, or asked back about."""

    invitation: InvitationForm | None = None
    invited: Moves | None = None
    extension: ExtensionForm | None = None
    growth: Growth | None = None
    removal: Removal | None = None
    settling: Settling | None = None
    giving: Giving | None = None
    refusal: str = ""

    @property
    def is_refused(self) -> bool:
        forms = (self.invitation, self.extension)
        return bool(
            self.refusal
            or self.settling
            or (self.removal and self.removal.refusal)
            or (self.giving and self.giving.refusal)
            or any(form is not None and form.errors for form in forms)
        )


def show_page(request: HttpRequest, reader_study: ReaderStudy, said: Said | None = None) -> HttpResponse:
    """As it is now; what was refused stands beside the control that asked for it, and the status is 409."""
    user = acting_user(request)
    try:
        require_results_visible(user, reader_study)
        hidden = ""
    except RefusedByRule as refusal:
        hidden = str(refusal)
    disputes = disputes_of(reader_study, shows_reasons=not hidden)
    waiting = given_to_nobody(disputes)
    said = _with_cautions(_with_place(said or Said(), reader_study, disputes), reader_study, waiting)
    rows = overview.reader_rows(reader_study)
    cases, after = overview.case_rows(reader_study, after=read_before(request.GET.get("after")))
    context: dict[str, Any] = {
        "reader_study": reader_study,
        "said": said,
        "readers": rows,
        "cases": cases,
        "after": after,
        "num_cases": reader_study.cases.count(),
        "num_readers": sum(row.is_here for row in rows),
        "seen": count_readings(reader_study),
        "asked": asked_of(reader_study),
        "collected": collected_of(reader_study),
        "same_pairs": say_same_pairs(reader_study),
        "num_from_elsewhere": overview.num_from_elsewhere(reader_study),
        "words": _words(reader_study),
        "controls": control_cases(reader_study),
        "repeats": overview.repeats(reader_study),
        "out_of_use": cases_out_of_use(reader_study),
        "falling_due": falling_due_in(reader_study),
        "disputes": disputes,
        "waiting": waiting,
        "able_for_all": able_for_all(disputes),
        "num_unsettled": sum(not row.is_signed for row in disputes),
        "hidden": hidden,
        "invitation_form": said.invitation or invitation_form(reader_study, request),
        "extension_form": said.extension or extension_form(reader_study, request),
        "cautions": _cautions(said, reader_study),
    }
    record_event(actor=user, action="view_reader_study", subject=reader_study)
    return render(request, "reviews/conduct/page.html", context, status=409 if said.is_refused else 200)


def _cautions(said: Said, reader_study: ReaderStudy) -> Sequence[str]:
    """Beside what more cases would give whom: which of them their readers know, and which pairs say the
    same."""
    if said.growth is None or said.extension is None:
        return ()
    chosen = said.extension.cleaned_data["studies"]
    same = SamePairs(num_same=said.extension.num_alike, num_pairs=len(chosen))
    return [
        *cautions.of_same_pairs_added(same),
        *cautions.of_known_films(
            Study.objects.filter(uid__in=chosen),
            [invitation.reader for invitation in staying(reader_study)],
        ),
    ]


def _with_cautions(said: Said, reader_study: ReaderStudy, waiting: Sequence[DisputeRow]) -> Said:
    """Where disputed cases would be given: which of their films this reader knows."""
    giving = said.giving
    if giving is None:
        return said
    settles = [row.case for row in waiting if any(able.reader == giving.reader for able in row.able)]
    known = cautions.of_known_disputes(
        Study.objects.filter(cases__uid__in=[giving.case] if giving.case else settles),
        giving.reader,
        beside=reader_study,
        is_one=giving.num_given == 1,
    )
    return replace(said, giving=replace(giving, cautions=known))


def _with_place(said: Said, reader_study: ReaderStudy, disputes: Sequence[DisputeRow]) -> Said:
    """What was refused to a control that the page has no more stands at its top."""
    settling = said.settling
    if settling and all(row.case != settling.case for row in disputes):
        return replace(said, refusal=settling.refusal)
    if reader_study.state != ReaderStudy.State.LOCKED:
        return said
    forms = [form for form in (said.invitation, said.extension) if form is not None]
    errors = [str(error) for form in forms for errors in form.errors.values() for error in errors]
    return replace(said, refusal=" ".join(errors)) if errors else said


def invitation_form(
    reader_study: ReaderStudy, request: HttpRequest, *, is_sent: bool = False
) -> InvitationForm:
    """`is_sent`: it is what was sent; else it shows what was in it when another form of the page was."""
    user = acting_user(request)
    return InvitationForm(
        request.POST if is_sent else None,
        readers=[
            (str(reader.uid), called(reader, viewer=user))
            for reader in overview.readers_to_invite(reader_study)
        ],
        initial={name: request.POST.get(f"invite-{name}", "") for name in ("reader", "deadline")},
        prefix="invite",
    )


def extension_form(
    reader_study: ReaderStudy, request: HttpRequest, *, is_sent: bool = False
) -> ExtensionForm:
    shown: dict[str, Any] = {
        "shows": reader_study.shows,
        "model_version": reader_study.model_version,
        "other_version": reader_study.other_version,
    }
    found = choices.readable_studies(**shown).exclude(pk__in=overview.studies_in(reader_study))
    same = saying_the_same(**shown)
    if same is not None:
        found = found.filter(~same) if reader_study.leaves_out_same else found.annotate(says_the_same=same)
    return ExtensionForm(
        request.POST if is_sent else None,
        offered=found.prefetch_related("series__instances")[: choices.MOST_OFFERED],
        initial={
            "deadline": request.POST.get("extend-deadline", ""),
            "studies": request.POST.getlist("extend-studies"),
        },
        prefix="extend",
    )


def _words(reader_study: ReaderStudy) -> dict[str, str]:
    """The choices of the design, in the words of the page on which it was made."""
    return {
        "design": dict(DESIGNS)[reader_study.design],
        "shows": dict(SHOWS)[reader_study.shows],
        "first_reads": dict(FIRST_READS)[reader_study.first_reads],
        "adjudication": dict(ADJUDICATION)[reader_study.adjudication],
    }
