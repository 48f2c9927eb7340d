"""Starts a reader study: fixes its completions, makes its controls, and draws every reader's list."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.criteria.versions import Asked
from deepmedix_review.reviews.designs import DesignCase, DesignReader, ReaderStudyDesign, draw, prepare
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy
from deepmedix_review.reviews.same_texts import saying_the_same
from deepmedix_review.reviews.study_services.assigning import (
    as_design_case,
    ground_of,
    staying,
    write_assignments,
)
from deepmedix_review.reviews.study_services.controls import make_control
from deepmedix_review.reviews.study_services.drafting import (
    StudyDraft,
    TaughtCase,
    design_of,
    design_reader_study,
    draft_of,
)
from deepmedix_review.reviews.study_services.readiness import find_unready
from deepmedix_review.reviews.study_services.showing import choose_completions
from deepmedix_review.studies.models import Study


@transaction.atomic
def create_reader_study(
    *,
    title: str,
    studies: Sequence[Study],
    readers: Sequence[User],
    actor: User | None,
    seed: int,
    model_version: ModelVersion | None = None,
    design: ReaderStudyDesign | None = None,
    asked: Sequence[Asked] = (),
    taught: Sequence[TaughtCase] = (),
    instructions: str = "",
    is_demo: bool = False,
) -> ReaderStudy:
    """The short way: designed, accepted by its readers, and started at once.

    By default every reader reads all, and completions are those of the model that serves. `is_demo`: the one
    study whose readings are tried out, not read.
    """
    draft = StudyDraft(
        title=title,
        studies=studies,
        readers=readers,
        seed=seed,
        model_version=model_version,
        design=design or ReaderStudyDesign(),
        asked=asked,
        taught=taught,
        instructions=instructions,
    )
    reader_study = design_reader_study(draft=draft, actor=actor)
    ReaderStudy.objects.filter(pk=reader_study.pk).update(is_demo=is_demo)
    Invitation.objects.filter(reader_study=reader_study).update(
        state=Invitation.State.ACCEPTED, answered_at=timezone.now()
    )
    return start_reader_study(reader_study=reader_study, actor=actor)


@transaction.atomic
def start_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """From the draft to its readers' worklists. Refuses, by name, what the draft still lacks."""
    if actor is not None:
        require(actor, Capability.DESIGN_READER_STUDIES)
    keep_whole()
    reader_study = ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
    if reader_study.state != ReaderStudy.State.DRAFT:
        raise RefusedByRule("This reader study has begun already.")
    reader_study.model_version = reader_study.model_version or serving_model()
    num_left_out = _leave_out_same(reader_study) if reader_study.leaves_out_same else 0
    if reader_study.num_same_left_out is not None:
        reader_study.num_same_left_out += num_left_out
    unready = find_unready(draft_of(reader_study))
    if unready:
        raise RefusedByRule(" ".join(unready))
    reader_study.state = ReaderStudy.State.RUNNING
    reader_study.save(update_fields=["model_version", "num_same_left_out", "state"])
    cases = list(Case.objects.filter(reader_study=reader_study).select_related("study"))
    readers = tuple(
        DesignReader(str(invitation.reader.uid), block=-1) for invitation in staying(reader_study)
    )
    readers = deal(reader_study, cases, readers=readers, seed=reader_study.seed)
    ground = ground_of(reader_study)
    planned = draw(
        design_of(reader_study), cases=ground.design_cases, readers=readers, seed=reader_study.seed
    )
    write_assignments(planned, ground)
    record_event(
        actor=actor,
        action="start_reader_study",
        subject=reader_study,
        details={
            "design": asdict(design_of(reader_study)),
            "cases": len(cases),
            "left_out": num_left_out,
            "readers": list(ground.readers),
            "assignments": len(planned),
            "seed": reader_study.seed,
        },
    )
    return reader_study


def _leave_out_same(reader_study: ReaderStudy) -> int:
    """The cases whose pair would say the same, of what the models have said by now. Returns how many."""
    same = saying_the_same(
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    )
    if same is None:
        return 0
    of_data = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA)
    studies = Study.objects.filter(pk__in=of_data.values("study")).filter(same)
    _, by_kind = of_data.filter(study__in=list(studies.values_list("pk", flat=True))).delete()
    return by_kind.get(Case._meta.label, 0)


def deal(
    reader_study: ReaderStudy, cases: Sequence[Case], *, readers: Sequence[DesignReader], seed: int
) -> tuple[DesignReader, ...]:
    """Give new cases their role, block and completions, and readers without a block theirs."""
    design = design_of(reader_study)
    before = Case.objects.filter(reader_study=reader_study).exclude(pk__in=[case.pk for case in cases])
    completions = choose_completions(
        [case.study for case in cases],
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    )
    dealt, prepared = prepare(
        design,
        cases=[DesignCase(case.pk, role=case.role, block=-1) for case in cases],  # type: ignore[arg-type]
        readers=readers,
        seed=seed,
        before=[as_design_case(case) for case in before],
    )
    for case, drawn in zip(cases, dealt, strict=True):
        case.role, case.block, case.is_anchor = Case.Role(drawn.role), drawn.block, drawn.is_anchor
        if design.is_pool and case.role in (Case.Role.DATA, Case.Role.CONTROL):
            case.num_free = design.readers_per_case or 1
    _make_controls(cases, completions, shows=reader_study.shows, seed=seed)
    Case.objects.bulk_update(cases, ["role", "block", "is_anchor", "num_free", "known_answer"])
    for reader in prepared:
        Invitation.objects.filter(reader_study=reader_study, reader__uid=reader.key).update(
            block=reader.block
        )
    return prepared


def _make_controls(
    cases: Sequence[Case], completions: Mapping[int, Sequence[Completion]], *, shows: str, seed: int
) -> None:
    """Write down what each case shows; a control shows an altered completion, and knows what is wrong.

    A case that offers nothing to alter stays data.
    """
    rng = random.Random(f"{seed}:controls")
    shown: dict[int, Sequence[Completion]] = {case.pk: completions[case.study_id] for case in cases}
    for case in cases:
        if case.role != Case.Role.CONTROL:
            continue
        donors = [
            c for other in cases if other.study_id != case.study_id for c in completions[other.study_id]
        ]
        control = make_control(
            shown[case.pk], donors=donors, alters_all=shows == ReaderStudy.Shows.ONE_OF_TWO, rng=rng
        )
        if control is None:
            case.role = Case.Role.DATA
            continue
        shown[case.pk], case.known_answer = control.completions, control.known_answer
    Case.completions.through.objects.bulk_create(
        Case.completions.through(case=case, completion=completion)
        for case in cases
        for completion in shown[case.pk]
    )
