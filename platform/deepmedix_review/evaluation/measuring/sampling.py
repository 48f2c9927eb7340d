"""Turns a plan into samples and predictions of the evaluation library: reports, labels and regions."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deepmedix_review.evaluation.measuring.planning import Plan, PlannedStudy, Wanted, section_of
from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.studies.models import Instance, Label, Reference, ReferenceRegion
from inference.regions import Box
from rl_feedback.evaluation.samples import Prediction, Sample, System, Task
from rl_feedback.labels import CHEXPERT_14, NO_FINDING, label_report

AT_ONCE = 500
LABEL_QUESTION = "Does the report say {}?"
# By the source's name in small letters: CheXpert's own names, and one that means the same.
_FINDINGS = {name.lower(): name for name in CHEXPERT_14 if name != NO_FINDING} | {
    "effusion": "Pleural Effusion"
}


@dataclass
class Sampled:
    """Samples, each version's predictions of them, the study of each name, and what of the references says
    nothing that could be measured."""

    samples: list[Sample] = field(default_factory=list)
    predictions: list[list[Prediction | None]] = field(default_factory=list)
    studies: dict[str, int] = field(default_factory=dict)
    num_doubted: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample, predictions: Sequence[Prediction | None]) -> None:
        self.samples.append(sample)
        for own, one in zip(self.predictions, predictions, strict=True):
            own.append(one)

    def systems(self, wanted: Wanted) -> list[System]:
        none = (None,) * len(self.samples)
        return [
            System(
                name=f"{version} {version.name}",
                own=tuple(own),
                blank=none,
                shuffled=none,
                sha256=_sha256(own),
            )
            for version, own in zip(wanted.versions, self.predictions, strict=True)
        ]


def sampled(plan: Plan, wanted: Wanted) -> Sampled:
    """What was erased since the plan was made is in none of them."""
    found = Sampled(predictions=[[] for _ in wanted.versions])
    width = len(str(len(plan.studies)))
    for start in range(0, len(plan.studies), AT_ONCE):
        some = plan.studies[start : start + AT_ONCE]
        of_studies = _Rows.of(some)
        for number, planned in enumerate(some, start=start + 1):
            reference = of_studies.references.get(planned.study)
            film = of_studies.films.get(planned.film)
            if reference is not None and film is not None:
                name = f"study-{number:0{width}d}"
                found.studies[name] = planned.study
                _add_study(found, name, planned, reference, film, of_studies, wanted)
    return found


@dataclass(frozen=True)
class _Rows:
    """What the database holds of some studies, by primary key; boxes by film and by completion."""

    references: Mapping[int, Reference]
    films: Mapping[int, Instance]
    outputs: Mapping[int, Completion]
    true_boxes: Mapping[int, list[Box]]
    written: Mapping[int, list[Box]]

    @classmethod
    def of(cls, planned: Sequence[PlannedStudy]) -> "_Rows":
        studies = [one.study for one in planned]
        outputs = Completion.objects.in_bulk([pk for one in planned for pk in one.outputs if pk is not None])
        true_boxes: dict[int, list[Box]] = {}
        for region in ReferenceRegion.objects.filter(reference__study__in=studies).order_by("pk"):
            true_boxes.setdefault(region.film_id, []).append(_box(region))
        written: dict[int, list[Box]] = {}
        regions = Region.objects.filter(step__completion__in=list(outputs)).select_related("step")
        for drawn in regions.order_by("step__position", "position"):
            written.setdefault(drawn.step.completion_id, []).append(_box(drawn))
        return cls(
            {one.study_id: one for one in Reference.objects.filter(study__in=studies)},
            Instance.objects.select_related("series__study__source").in_bulk([one.film for one in planned]),
            outputs,
            true_boxes,
            written,
        )


def _add_study(
    found: Sampled,
    name: str,
    planned: PlannedStudy,
    reference: Reference,
    film: Instance,
    rows: _Rows,
    wanted: Wanted,
) -> None:
    source = film.series.study.source
    dataset, view = source.name if source else "own", film.view_position or "view not named"
    outputs = [rows.outputs.get(pk) if pk is not None else None for pk in planned.outputs]
    if section := section_of(reference, wanted.against):
        sample = Sample(f"{name} report", Task.REPORT, dataset, view, section, name)
        found.add(sample, [_prediction(sample, one) for one in outputs])
    for finding, is_there in _labels(found, reference):
        # Of findings that are there the share is sensitivity, of those that are not specificity.
        sample = Sample(
            uid=f"{name} {finding}",
            task=Task.VQA,
            dataset=dataset,
            category=f"{finding}, {'present' if is_there else 'absent'}",
            reference="yes" if is_there else "no",
            study=name,
            question=LABEL_QUESTION.format(finding),
        )
        found.add(sample, [_prediction(sample, one, finding=finding) for one in outputs])
    if film.pk in rows.true_boxes:
        sample = Sample(
            uid=f"{name} regions",
            task=Task.GROUNDING,
            dataset=dataset,
            category=view,
            reference="",
            study=name,
            boxes=tuple(rows.true_boxes[film.pk]),
            image_size=(film.columns, film.rows),
        )
        boxes = [tuple(rows.written.get(one.pk, ())) if one else () for one in outputs]
        found.add(
            sample, [_prediction(sample, one, boxes=own) for one, own in zip(outputs, boxes, strict=True)]
        )


def _labels(found: Sampled, reference: Reference) -> Iterator[tuple[str, bool]]:
    """Each finding that the rules can look for once, with whether the source says that it is there."""
    known: dict[str, bool] = {}
    for name, said in sorted(reference.labels.items()):
        finding = _FINDINGS.get(name.lower())
        if finding is None:
            found.unknown[name] += 1
        elif said == Label.UNCERTAIN:
            found.num_doubted += 1
        else:
            known.setdefault(finding, said == Label.PRESENT)
    yield from known.items()


def _prediction(
    sample: Sample, output: Completion | None, *, finding: str = "", boxes: tuple[Box, ...] = ()
) -> Prediction | None:
    if output is None:
        return None
    answer = output.answer.strip() or None
    if finding and answer:
        answer = "yes" if label_report(answer).as_chexpert()[finding] in (1, -1) else "no"
    return Prediction(
        uid=sample.uid,
        text=answer or "",
        answer=answer,
        problems=tuple(output.problems),
        boxes=boxes,
        prompt=output.prompt,
    )


def _box(region: Region | ReferenceRegion) -> Box:
    return Box(region.x_min, region.y_min, region.x_max, region.y_max)


def _sha256(predictions: Sequence[Prediction | None]) -> str:
    """Of what was written, sample by sample."""
    digest = hashlib.sha256()
    for one in predictions:
        row = None if one is None else [one.uid, one.text, one.boxes]
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()
