"""Lets SIMULATED readers read and sign their cases by the services that the reading room's own pages call."""

import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.services import create_account
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.models import ReaderStudy, Reading, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.changes import (
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    DrawRegion,
    RateAnswer,
    RateStep,
)
from deepmedix_review.reviews.services import apply_change, mark_opened, sign_reading
from inference.phantom_truth import PhantomTruth
from inference.phantoms import draw_phantom
from inference.regions import Box, Frame, to_image_px
from rl_feedback.simulated_readers import (
    PANEL,
    Kind,
    SaidOfCompletion,
    SaidOfStep,
    SimulatedReader,
    SimulatedReading,
    read_case,
)

SIMULATED = frozenset(reader.name.replace(" reader ", "-") for reader in PANEL)


def ensure_simulated_readers() -> dict[int, SimulatedReader]:
    """An account for each of the panel, by primary key; nobody knows its password."""
    accounts = {}
    for reader in PANEL:
        username = reader.name.lower().replace(" ", "-")
        account = User.objects.filter(username=username).first()
        if account is None:
            account = create_account(
                username=username,
                password=secrets.token_urlsafe(24),
                role=Role.EXPERT,
                pseudonym=reader.name.replace(" reader ", "-"),
            )
        accounts[account.pk] = reader
    return accounts


def read_all(
    reader_study: ReaderStudy,
    *,
    films: Mapping[str, int],
    site: str,
    kind: Kind,
    seed: int,
    tell: Callable[[int, int], None],
) -> float:
    """Every reading of the reader study, signed; returns the minutes that they take by committed seconds.

    A reading that a stop left half is read again: the same words under the same names change nothing.
    """
    panel = ensure_simulated_readers()
    readings = (
        Reading.objects.filter(assignment__case__reader_study=reader_study)
        .select_related(
            "assignment__reader", "assignment__case", "completion_a__instance", "completion_b__instance"
        )
        .order_by("assignment__position", "pk")
    )
    seconds, total = 0.0, readings.count()
    for number, reading in enumerate(readings, 1):
        film = films[str(reading.assignment.case.study_id)]
        reader = panel[reading.assignment.reader_id]
        completions = [one for one in (reading.completion_a, reading.completion_b) if one]
        truth = draw_phantom(seed=film, width=56, height=56, site=site).truth
        said = read_case(
            reader,
            truth,
            [completion.text for completion in completions],
            kind=kind,
            seed=_seed_of(reader, film=film, seed=seed),
        )
        seconds += said.seconds
        if reading.signed_at is None:
            _read(reading, said, completions, truth)
            tell(number, total)
    return seconds / 60


def _seed_of(reader: SimulatedReader, *, film: int, seed: int) -> int:
    return film + 7919 * seed + 104_729 * PANEL.index(reader)


def _read(
    reading: Reading, said: SimulatedReading, completions: Sequence[Completion], truth: PhantomTruth
) -> None:
    reader, film = reading.assignment.reader, reading.completion_a.instance.sop_instance_uid
    mark_opened(reading, reader=reader)
    names = (uuid.uuid5(reading.uid, f"simulated {number}") for number in range(10_000))
    for change in _changes(reading, said, completions):
        apply_change(
            reading_uid=reading.uid,
            reader=reader,
            change_id=next(names),
            sop_instance_uid=film,
            change=change,
        )
    sign_reading(
        reading_uid=reading.uid,
        reader=reader,
        change_id=uuid.uuid5(reading.uid, "sign"),
        sop_instance_uid=film,
    )


def _changes(reading: Reading, said: SimulatedReading, completions: Sequence[Completion]) -> Iterator[Change]:
    for completion, of_it in zip(completions, said.completions, strict=True):
        steps = list(
            ReasoningStep.objects.filter(completion=completion)
            .order_by("position")
            .prefetch_related("regions")
        )
        for step, words in zip(steps, of_it.steps, strict=False):
            yield from _of_step(reading, step, words, completion)
        yield from _of_answer(reading, completion, of_it)
    if said.vote is not None:
        yield CastVote(Vote.Side(said.vote.grounded), Vote.Kind.GROUNDED)
        yield CastVote(Vote.Side(said.vote.overall), Vote.Kind.OVERALL)


def _of_step(
    reading: Reading, step: ReasoningStep, words: SaidOfStep, completion: Completion
) -> Iterator[Change]:
    if words.plausibility is not None or words.edited_text:
        yield RateStep(step.uid, words.plausibility, False, "", words.edited_text)
    regions: list[Region] = sorted(step.regions.all(), key=lambda region: region.position)
    for region, verdict in zip(regions, words.regions, strict=False):
        box = _on_film(verdict.box, completion) if verdict.box else None
        yield AnnotateRegion(region.uid, RegionAnnotation.Verdict(verdict.verdict), box)
    for number, drawn in enumerate(words.drawn):
        name = uuid.uuid5(reading.uid, f"{step.uid} {number}")
        yield DrawRegion(name, step.uid, None, None, _on_film(drawn, completion))


def _of_answer(reading: Reading, completion: Completion, said: SaidOfCompletion) -> Iterator[Change]:
    for number, (text, box) in enumerate(said.missed):
        finding = uuid.uuid5(reading.uid, f"{completion.uid} missed {number}")
        yield AddFinding(finding, completion.uid, text)
        drawn = uuid.uuid5(finding, "region")
        yield DrawRegion(drawn, None, finding, None, _on_film(box, completion))
    if said.correctness is not None or said.rewrite:
        yield RateAnswer(
            completion.uid,
            said.relevance,
            said.correctness,
            said.completeness,
            # A round does not ask how harmful an answer is.
            rewrite=said.rewrite,
        )


def _on_film(box: Box, completion: Completion) -> tuple[float, float, float, float]:
    size = (completion.image_width, completion.image_height)
    placed = to_image_px(
        box,
        frame=Frame.PROCESSED,
        model_size=(completion.model_width, completion.model_height),
        image_size=size,
    )
    width, height = size
    return (
        max(0.0, placed.x_min),
        max(0.0, placed.y_min),
        min(float(width), placed.x_max),
        min(float(height), placed.y_max),
    )
