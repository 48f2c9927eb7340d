"""What readers together said of one film: findings that are there, findings that are not, and right answers.

Readers judged what some model had written, and added what they saw beside it. So a reference knows of three
kinds of findings: confirmed, ruled out, and in dispute. Of every other finding it knows nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from inference.grounding import parse_completion
from inference.regions import Box, overlap
from rl_feedback.preferences.settling import LEAST_RIGHT, word_on_answer, word_on_step
from rl_feedback.preferences.striking import BELIEVED_FROM, model_of
from rl_feedback.raters import consensus_regions
from rl_feedback.raters.consensus import LEAST_OVERLAP
from rl_feedback.raters.oversight import fit_oversight
from rl_feedback.readings import JudgedCompletion, JudgedStep, SignedReading
from rl_feedback.sealed_patients.findings import Finding, Told, is_among, may_be_same, told_by


@dataclass(frozen=True)
class ReferenceFinding:
    """A finding that readers let stand or added themselves. `boxes` are where they see it, in film pixels,
    empty where nobody drew it by itself. `is_added`: no output that they read named it."""

    finding: Finding
    boxes: tuple[Box, ...] = ()
    is_added: bool = False


@dataclass(frozen=True)
class Reference:
    """`struck` was named by an output and is not there; `denied` was denied by one, and its readers let that
    stand; on `disputed` readers contradict each other, or a strike is doubtful. `answers` are right ones to
    the question that is asked. `num_unread`: additions in words that the rules don't understand."""

    confirmed: tuple[ReferenceFinding, ...]
    struck: tuple[Finding, ...]
    denied: tuple[Finding, ...]
    disputed: tuple[Finding, ...]
    answers: tuple[str, ...]
    num_readings: int
    readers: tuple[str, ...]
    num_unread: int = 0

    @property
    def tells(self) -> bool:
        """Whether anything can be measured against it."""
        return bool(self.confirmed or self.struck or self.denied or self.answers)

    def as_json(self) -> dict[str, Any]:
        """Without its readers."""
        return {name: value for name, value in asdict(self).items() if name != "readers"}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Reference:
        def some(name: str) -> tuple[Finding, ...]:
            return tuple(Finding(**one) for one in row[name])

        confirmed = tuple(
            ReferenceFinding(
                Finding(**one["finding"]), tuple(Box(*box) for box in one["boxes"]), one["is_added"]
            )
            for one in row["confirmed"]
        )
        answers, num_readings = tuple(row["answers"]), row["num_readings"]
        found = (some("struck"), some("denied"), some("disputed"))
        return cls(confirmed, *found, answers, num_readings, (), row["num_unread"])


@dataclass(frozen=True)
class _Word:
    """What one reading says of one finding. `by`: an output named it ("said") or denied it ("denied"), or the
    reader added it. `is_there` is None where a judge can't tell, and of a strike that is not believed."""

    finding: Finding
    reading: SignedReading
    is_there: bool | None
    by: str
    boxes: tuple[Box, ...] = ()

    @property
    def is_adjudication(self) -> bool:
        return self.reading.kind == "adjudication"


def references_of(films: Mapping[str, Sequence[SignedReading]], *, prompt: str) -> dict[str, Reference]:
    """Of each film by its readings; what readers struck out is believed as far as all films together bear it
    out (rl_feedback.raters.fit_oversight). `prompt` is what the measured models are asked: answers to other
    questions are passed by.

    Nobody is outvoted: what readers contradict each other on is in dispute, until an adjudication says it.
    """
    words = {film: _all_words(readings) for film, readings in films.items()}
    doubted = _doubted(words)
    return {
        film: _reference(readings, words[film], doubted[film], prompt) for film, readings in films.items()
    }


def reference_of(readings: Sequence[SignedReading], *, prompt: str) -> Reference:
    """Of one film alone, by whose readings no strike is doubted."""
    return _reference(readings, _all_words(readings), frozenset(), prompt)


def _reference(
    readings: Sequence[SignedReading], words: Sequence[_Word], doubted: frozenset[Finding], prompt: str
) -> Reference:
    believed = [replace(one, is_there=None) if _may_be_doubted(one, doubted) else one for one in words]
    confirmed, ruled_out, disputed = _settled(believed)
    added = [one for reading in readings for made in reading.completions for one in made.missed]
    return Reference(
        confirmed=tuple(_drawn(finding, behind) for finding, behind in sorted(confirmed.items())),
        struck=_named(ruled_out, by="said"),
        denied=_named(ruled_out, by="denied"),
        disputed=tuple(sorted(disputed)),
        answers=_answers(readings, prompt),
        num_readings=len(readings),
        readers=tuple(sorted({reading.reader for reading in readings})),
        num_unread=sum(not told_by([one.text]).present for one in added),
    )


def _may_be_doubted(word: _Word, doubted: frozenset[Finding]) -> bool:
    is_strike = word.by == "said" and word.is_there is False and not word.is_adjudication
    return is_strike and word.finding in doubted


def _doubted(words: Mapping[str, Sequence[_Word]]) -> Mapping[str, frozenset[Finding]]:
    """By film what readers struck out and likely overlooked; a judge's word is no doubt's."""
    said = [
        (film, word)
        for film, of_film in words.items()
        for word in of_film
        if word.by == "said" and word.is_there is not None
    ]
    first = [(film, word) for film, word in said if not word.is_adjudication]
    if not first:
        return {film: frozenset() for film in words}
    model = fit_oversight(
        [(film, word.finding) for film, word in first],
        [(model_of(word.reading), word.finding.kind) for _, word in first],
        [not word.is_there for _, word in first],
        known={(film, word.finding): not word.is_there for film, word in said if word.is_adjudication},
    )
    return {
        film: frozenset(
            word.finding
            for other, word in first
            if other == film and model.made_up[film, word.finding] < BELIEVED_FROM
        )
        for film in words
    }


def _named(ruled_out: Mapping[Finding, Sequence[_Word]], *, by: str) -> tuple[Finding, ...]:
    """What an output named and readers struck out is struck, whoever else denied it."""
    struck = {finding for finding, behind in ruled_out.items() if any(one.by == "said" for one in behind)}
    return tuple(sorted(struck if by == "said" else set(ruled_out) - struck))


def _all_words(readings: Iterable[SignedReading]) -> list[_Word]:
    """One of each reading on each finding."""
    return [
        word
        for reading in sorted(readings, key=lambda one: one.uid)
        for word in _of_one_mind(_words(reading), {one.finding: one.is_there for one in reading.findings})
    ]


def _words(reading: SignedReading) -> Iterator[_Word]:
    """On every part of every output that names or denies a finding, and on what the reader added."""
    for completion in reading.completions:
        parsed = parse_completion(completion.text)
        if not completion.is_malformed:
            for written, step in zip(parsed.steps, completion.steps, strict=False):
                yield from _on_step(reading, told_by([written.text]), step)
        yield from _on_answer(reading, parsed.answer or "", completion)
        for missed in completion.missed:
            found = told_by([missed.text]).present
            boxes = missed.boxes if len(found) == 1 else ()
            yield from (_Word(finding, reading, True, "added", boxes) for finding in found)


def _on_step(reading: SignedReading, said: Told, step: JudgedStep) -> Iterator[_Word]:
    kept = _kept_boxes(step)
    reworded = told_by([step.edited_text])
    for finding in said.present:
        word = word_on_step(step, names=_among(finding, reworded.present))
        if word is not None:
            # Of a step with several findings nobody says which region shows which.
            yield _Word(finding, reading, word, "said", kept if word and len(said.present) == 1 else ())
    for finding in said.absent:
        if word_on_step(step, names=_among(finding, reworded.absent)):
            yield _Word(finding, reading, False, "denied")
    added = {one for one in reworded.present if not is_among(one, said.present)}
    for finding in added:
        yield _Word(finding, reading, True, "added", kept if len(added) == 1 and not said.present else ())


def _among(finding: Finding, others: Iterable[Finding]) -> Callable[[str], bool]:
    """Of the only other wording that there is."""
    return lambda _: is_among(finding, others)


def _kept_boxes(step: JudgedStep) -> tuple[Box, ...]:
    """Readers' own regions before those of the model that they let stand."""
    moved = [region.adjusted for region in step.regions if region.verdict == "adjusted" and region.adjusted]
    fitting = [region.box for region in step.regions if region.verdict == "fits"]
    return (*step.drawn, *moved, *fitting)


def _on_answer(reading: SignedReading, answer: str, completion: JudgedCompletion) -> Iterator[_Word]:
    judged = completion.answer
    said, reworded = told_by(answer.split(",")), told_by(judged.rewrite.split(","))
    for finding in said.present:
        word = word_on_answer(judged, names=_among(finding, reworded.present))
        if word is not None:
            yield _Word(finding, reading, word, "said")
    for finding in said.absent:
        if word_on_answer(judged, names=_among(finding, reworded.absent)):
            yield _Word(finding, reading, False, "denied")
    for finding in reworded.present:
        if not is_among(finding, said.present):
            yield _Word(finding, reading, True, "added")


def _of_one_mind(words: Iterable[_Word], outright: Mapping[str, bool | None]) -> Iterator[_Word]:
    """A single part that a reading lets stand is enough: another part may point elsewhere. A judge who was
    asked of a kind has said it `outright`, whatever else was marked."""
    by_finding: _Behind = defaultdict(list)
    for word in words:
        by_finding[word.finding].append(word)
    for finding, said in sorted(by_finding.items()):
        standing = [one for one in said if one.is_there]
        named = any(one.by == "said" for one in said)
        is_there = outright.get(finding.kind, bool(standing)) if named else bool(standing)
        by = "said" if named else said[0].by
        yield _Word(
            finding, said[0].reading, is_there, by, tuple(box for one in standing for box in one.boxes)
        )


_Behind = dict[Finding, list[_Word]]


def _settled(words: Iterable[_Word]) -> tuple[_Behind, _Behind, set[Finding]]:
    """Confirmed, ruled out, in dispute."""
    by_finding: _Behind = defaultdict(list)
    for word in words:
        by_finding[word.finding].append(word)
    confirmed: _Behind = {}
    ruled_out: _Behind = {}
    disputed: set[Finding] = set()
    for finding, said in by_finding.items():
        settling = [one for one in said if one.is_adjudication]
        behind = settling or said
        match {one.is_there for one in behind}:
            case told if told == {True}:
                # Whoever judges may leave the regions as the readers have them.
                confirmed[finding] = [one for one in said if one.is_there]
            case told if told == {False}:
                ruled_out[finding] = behind
            case _:
                disputed.add(finding)
    for finding in sorted(ruled_out):
        for other in [one for one in sorted(confirmed) if may_be_same(finding, one)]:
            against, behind = ruled_out.pop(finding, []), confirmed[other]
            # Who keeps a left nodule and strikes "a nodule" out has said both with one mind.
            if not {one.reading.reader for one in against} <= {one.reading.reader for one in behind}:
                disputed |= {finding, other}
                del confirmed[other]
    return _merged(confirmed), ruled_out, disputed


def _merged(confirmed: _Behind) -> _Behind:
    """ "An effusion" and "a left effusion" of one film are one finding, by its fuller name."""
    found: _Behind = {}
    by_fullness = sorted(confirmed, key=lambda one: (not one.side, one.kind == "Lung Lesion", one))
    for finding in by_fullness:
        fuller = next((one for one in found if may_be_same(one, finding)), None)
        found.setdefault(fuller or finding, []).extend(confirmed[finding])
    return found


def _drawn(finding: Finding, behind: Sequence[_Word]) -> ReferenceFinding:
    """With the places on which its readers agree; all places where no two draw the same."""
    drawn: dict[str, list[Box]] = defaultdict(list)
    for word in behind:
        for box in word.boxes:
            own = drawn[word.reading.reader]
            # Two outputs that point at one place are one place.
            if not any(overlap(box, other) > LEAST_OVERLAP for other in own):
                own.append(box)
    valid = [
        (reader, box)
        for reader, boxes in drawn.items()
        for box in boxes
        if box.x_min < box.x_max and box.y_min < box.y_max
    ]
    places = consensus_regions(valid)
    most = max((place.num_readers for place in places), default=0)
    agreed = [place for place in places if place.num_readers > 1] if most > 1 else places
    is_added = all(word.by == "added" for word in behind)
    return ReferenceFinding(finding, tuple(place.box for place in agreed), is_added)


def _answers(readings: Sequence[SignedReading], prompt: str) -> tuple[str, ...]:
    """As readers would write it, and as the model did where all who judged it call it right."""
    judged: dict[str, list[tuple[SignedReading, JudgedCompletion]]] = defaultdict(list)
    for reading in readings:
        for completion in reading.completions:
            answer = completion.answer
            if completion.prompt == prompt and (answer.rewrite or answer.correctness is not None):
                judged[completion.uid].append((reading, completion))
    found: set[str] = set()
    for words in judged.values():
        settling = [one for reading, one in words if reading.kind == "adjudication"]
        every = settling or [one for _, one in words]
        found |= {one.answer.rewrite.strip() for one in every if one.answer.rewrite.strip()}
        if all(not one.answer.rewrite and (one.answer.correctness or 0) >= LEAST_RIGHT for one in every):
            found.add((parse_completion(every[0].text).answer or "").strip())
    return tuple(sorted(found - {""}))
