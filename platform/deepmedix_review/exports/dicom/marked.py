"""What one reader said of one output, group by group, as objects of DICOM tell it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from deepmedix_review.exports.dicom import codes
from deepmedix_review.exports.dicom.codes import Code
from deepmedix_review.exports.pseudonyms import object_uid, reader_name, reading_name
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import DrawnRegion, Reading, RegionAnnotation
from deepmedix_review.studies.models import Instance

Box = tuple[float, float, float, float]
RELATED = (
    "assignment__reader",
    "amends",
    *(f"completion_{side}__{way}" for side in "ab" for way in ("model_version", "instance__series__study")),
)
PREFETCHED = (
    "completion_a__steps__regions",
    "completion_b__steps__regions",
    "step_ratings",
    "region_annotations",
    "answer_ratings",
    "missed_findings",
    "drawn_regions",
)


class Layer(StrEnum):
    """Whose a region is, and what became of it."""

    MODEL = "MODEL"
    KEPT = "KEPT"
    REJECTED = "REJECTED"
    CORRECTED = "CORRECTED"
    OWN = "OWN"


LAYER_OF = {
    "fits": Layer.KEPT,
    "wrong": Layer.REJECTED,
    # Where it was put is a region of its own.
    "adjusted": Layer.MODEL,
}


@dataclass(frozen=True)
class Group:
    """A measurement group. `box` in pixels of the film, edges, within it; None where there is none.

    `said` are pairs of concept and value. The model's own groups are of an algorithm, the others are not.
    """

    name: str
    uid: str
    kind: Code
    layer: Layer
    text: str
    box: Box | None
    said: tuple[tuple[Code, Code], ...] = ()

    @property
    def is_models(self) -> bool:
        return self.kind in (codes.MODEL_STEP, codes.MODEL_ANSWER)


@dataclass(frozen=True)
class Marked:
    """`secret` is the export's: names of readings and readers, and all UIDs made here, hold in it alone."""

    reading: Reading
    completion: Completion
    side: str
    secret: bytes

    @property
    def has_regions(self) -> bool:
        return any(group.box is not None for group in self.groups)

    @property
    def film(self) -> Instance:
        return self.completion.instance

    @property
    def model(self) -> ModelVersion:
        return self.completion.model_version

    @property
    def signed_at(self) -> datetime:
        if self.reading.signed_at is None:
            raise ValueError("a reading that is not signed leaves in no export")
        return self.reading.signed_at

    @property
    def reader(self) -> str:
        return reader_name(self.secret, self.reading.assignment.reader.uid)

    @property
    def name(self) -> str:
        """Of the reading as the tables have it, and of the side on which the output stood."""
        return f"{reading_name(self.secret, self.reading.uid)}-{self.side}"

    def uid(self, what: str) -> str:
        """Of an object that is made of it."""
        return object_uid(self.secret, f"{what} {self.reading.uid} {self.side}")

    @property
    def amended(self) -> "Marked | None":
        """What the reader had said before, of the same output."""
        before = self.reading.amends
        return None if before is None else Marked(before, self.completion, self.side, self.secret)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """In the order of the steps; the model's region, then where the reader put it."""
        return (
            *(group for step in self.completion.steps.all() for group in self._of_step(step)),
            *self._of_answer(),
            *self._of_missed_findings(),
            *self._of_first_read(),
        )

    def _of_step(self, step: ReasoningStep) -> Iterator[Group]:
        name = f"step {step.position}"
        rated = next((one for one in self.reading.step_ratings.all() if one.step_id == step.pk), None)
        said: tuple[tuple[Code, Code], ...] = ()
        if rated is not None and rated.cannot_judge:
            said = ((codes.PLAUSIBILITY, codes.CANNOT_JUDGE),)
        elif rated is not None and rated.plausibility is not None:
            said = ((codes.PLAUSIBILITY, codes.POINTS[rated.plausibility]),)
        regions = list(step.regions.all())
        if not regions:
            yield self._group(name, f"step {step.uid}", codes.MODEL_STEP, Layer.MODEL, step.text, None, said)
        for region in regions:
            # What is said of the step stands once, beside its first region.
            yield from self._of_region(region, step, said if region is regions[0] else ())
        for number, drawn in enumerate(self._drawn(step_id=step.pk), start=1):
            of = f"{name}, drawn {number}"
            yield self._group(of, f"drawn {drawn.uid}", codes.STEP_REGION, Layer.OWN, step.text, _box(drawn))

    def _of_region(
        self, region: Region, step: ReasoningStep, said: tuple[tuple[Code, Code], ...]
    ) -> Iterator[Group]:
        name = f"step {step.position}, region {region.position}"
        judged = self.reading.region_annotations.all()
        found = next((one for one in judged if one.region_id == region.pk), None)
        if found is not None:
            said = (*said, (codes.VERDICT, codes.VERDICTS[found.verdict]))
        if region.problem in codes.PROBLEMS:
            said = (*said, (codes.PROBLEM, codes.PROBLEMS[region.problem]))
        layer = Layer.MODEL if found is None else LAYER_OF[found.verdict]
        own = f"region {region.uid}"
        yield self._group(name, own, codes.MODEL_STEP, layer, step.text, _box(region), said)
        if found is not None and found.verdict == RegionAnnotation.Verdict.ADJUSTED:
            where = f"{name}, adjusted"
            own = f"adjusted {found.uid}"
            yield self._group(where, own, codes.ADJUSTED, Layer.CORRECTED, step.text, _box(found))

    def _of_answer(self) -> Iterator[Group]:
        if not self.completion.answer.strip():
            return
        said: list[tuple[Code, Code]] = []
        for rated in self.reading.answer_ratings.all():
            if rated.completion_id != self.completion.pk:
                continue
            for concept, points in (
                (codes.RELEVANCE, rated.relevance),
                (codes.CORRECTNESS, rated.correctness),
                (codes.COMPLETENESS, rated.completeness),
            ):
                if points is not None:
                    said.append((concept, codes.POINTS[points]))
            if rated.harm:
                said.append((codes.HARM, codes.HARMS[rated.harm]))
        answer = self.completion.answer
        own = f"answer {self.completion.uid}"
        yield self._group("answer", own, codes.MODEL_ANSWER, Layer.MODEL, answer, None, tuple(said))

    def _of_missed_findings(self) -> Iterator[Group]:
        missed = [
            one for one in self.reading.missed_findings.all() if one.completion_id == self.completion.pk
        ]
        for number, one in enumerate(sorted(missed, key=lambda finding: finding.pk), start=1):
            name, kind = f"missed finding {number}", codes.MISSED_FINDING
            drawn = self._drawn(missed_finding_id=one.pk)
            if not drawn:
                yield self._group(name, f"missed {one.uid}", kind, Layer.OWN, one.text, None)
            for place, region in enumerate(drawn, start=1):
                of, own = f"{name}, region {place}", f"drawn {region.uid}"
                yield self._group(of, own, kind, Layer.OWN, one.text, _box(region))

    def _of_first_read(self) -> Iterator[Group]:
        """Of no output, so told with the first."""
        if self.side != "a":
            return
        drawn = [one for one in self._drawn() if one.first_read_id is not None]
        for number, region in enumerate(drawn, start=1):
            name, own = f"first read, region {number}", f"drawn {region.uid}"
            yield self._group(name, own, codes.FIRST_READ, Layer.OWN, "", _box(region))

    def _drawn(self, **of: int) -> list[DrawnRegion]:
        found = self.reading.drawn_regions.all()
        chosen = [one for one in found if all(getattr(one, field) == key for field, key in of.items())]
        return sorted(chosen, key=lambda region: region.pk)

    def _group(
        self,
        name: str,
        own: str,
        kind: Code,
        layer: Layer,
        text: str,
        box: Box | None,
        said: tuple[tuple[Code, Code], ...] = (),
    ) -> Group:
        within = None if box is None else self._within_film(box)
        return Group(name, object_uid(self.secret, own), kind, layer, _plain(text), within, said)

    def _within_film(self, box: Box) -> Box | None:
        """Coordinates are 0 to Columns and 0 to Rows (PS3.3 C.18.6 and C.10.5.1.2)."""
        width, height = self.completion.image_width, self.completion.image_height
        x_min, y_min = max(0.0, box[0]), max(0.0, box[1])
        x_max, y_max = min(float(width), box[2]), min(float(height), box[3])
        return (x_min, y_min, x_max, y_max) if x_min < x_max and y_min < y_max else None


def marked_by(reading: Reading, *, secret: bytes) -> list[Marked]:
    """One for each output that the reader was shown. `reading` has what RELATED and PREFETCHED name."""
    shown = (("a", reading.completion_a), ("b", reading.completion_b))
    return [Marked(reading, one, side, secret) for side, one in shown if one is not None]


def _box(region: Region | DrawnRegion | RegionAnnotation) -> Box | None:
    edges = (region.x_min, region.y_min, region.x_max, region.y_max)
    known = [edge for edge in edges if edge is not None]
    return (known[0], known[1], known[2], known[3]) if len(known) == 4 else None


def _plain(text: str) -> str:
    """Without control characters that a text of DICOM may not hold (PS3.5, 6.1.3)."""
    return "".join(one if one.isprintable() or one in "\r\n" else " " for one in text).strip()
