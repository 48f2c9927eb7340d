"""What two versions said of the same film, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.drawn import Drawn, drawn_of, font_px
from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.registry.wanted import NOT_TOLD
from deepmedix_review.studies.models import Instance, Study
from inference.grounding import PROBLEM_SENTENCES
from inference.regions import Box, overlap

MOST_STUDIES_OFFERED = 200


@dataclass(frozen=True)
class Side:
    """`pieces` are its steps and its answer, the words marked that the other side does not have there.
    `asked` is empty where nobody recorded it. `sample` of `num_samples` of the film, so asked, 1, 2, 3 …"""

    version: ModelVersion
    completion: Completion
    asked: str
    drawn: tuple[Drawn, ...]
    pieces: tuple[Piece, ...]
    problems: tuple[str, ...]
    sample: int
    num_samples: int


@dataclass(frozen=True)
class Figure:
    name: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        return self.a != self.b and NOT_TOLD not in (self.a, self.b)


@dataclass(frozen=True)
class SameCase:
    film: Instance
    a: Side
    b: Side
    figures: tuple[Figure, ...]
    mean_overlap: float | None
    is_same_text: bool
    num_samples: int

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.a, self.b

    @property
    def font_px(self) -> float:
        """Of the numbers beside regions, in film pixels."""
        return font_px(self.film)

    @property
    def is_asked_alike(self) -> bool:
        return self.a.asked == self.b.asked


def versions_to_compare() -> QuerySet[ModelVersion]:
    """Those that have said something."""
    said = Completion.objects.filter(model_version=OuterRef("pk"))
    return versions().filter(Exists(said))


def version_to_compare(uid: str) -> ModelVersion | None:
    try:
        return versions_to_compare().filter(uid=UUID(uid)).first()
    except ValueError:
        return None


def two_to_begin_with() -> tuple[ModelVersion | None, ModelVersion | None]:
    """The version that serves and the newest other one that spoke of a film of which it spoke too; where it
    shares none with any, the two newest that spoke."""
    spoke = list(versions_to_compare())
    first = next((one for one in spoke if one.state == ModelVersion.State.SERVING), None)
    for other in spoke if first else ():
        if other != first and _have_a_film_in_common(first, other):
            return first, other
    return spoke[0] if spoke else None, spoke[1] if len(spoke) > 1 else None


def _have_a_film_in_common(a: ModelVersion | None, b: ModelVersion) -> bool:
    of_b = Completion.objects.filter(model_version=b, instance=OuterRef("instance"))
    return Completion.objects.filter(Exists(of_b), model_version=a).exists()


def studies_of_both(user: User, a: ModelVersion, b: ModelVersion) -> list[Study]:
    """Studies with a film of which both said something, newest first. Raises NotYours."""
    require(user, Capability.VIEW_MODELS)
    require(user, Capability.VIEW_ALL_STUDIES)
    of_a = Completion.objects.filter(model_version=a, study=OuterRef("pk"))
    of_b = Completion.objects.filter(model_version=b, instance=OuterRef("instance"))
    found = Study.objects.filter(Exists(of_a.filter(Exists(of_b))), state=Study.State.READY)
    return list(found.order_by("-pk")[:MOST_STUDIES_OFFERED])


def same_case(a: ModelVersion, b: ModelVersion, study: Study, *, sample: int = 1) -> SameCase:
    """This sample of each on the same film. Raises RefusedByRule where they have no film in common."""
    own, others = _said(a, study), _said(b, study)
    films = {one.instance.pk for one in others}
    film = next((one.instance for one in own if one.instance.pk in films), None)
    if film is None:
        raise RefusedByRule(f"{a} and {b} have no completion of the same film of {study.label}.")
    of_film = [[one for one in said if one.instance.pk == film.pk] for said in (own, others)]
    pairs = _paired(*of_film)
    first, second = pairs[min(max(1, sample), len(pairs)) - 1]
    alike = [
        [one for one in said if _asked(one) == _asked(chosen)]
        for said, chosen in zip(of_film, (first, second), strict=True)
    ]
    pieces = differing_pieces(_text(first), _text(second))
    sides = tuple(
        Side(
            version,
            completion,
            _asked(completion),
            drawn_of(completion, film),
            told,
            tuple(PROBLEM_SENTENCES[problem] for problem in completion.problems),
            said.index(completion) + 1,
            len(said),
        )
        for version, completion, told, said in zip((a, b), (first, second), pieces, alike, strict=True)
    )
    return SameCase(
        first.instance,
        sides[0],
        sides[1],
        _figures(first, second),
        _mean_overlap(_boxes(first), _boxes(second)),
        is_same_text=first.text == second.text,
        num_samples=len(pairs),
    )


def _asked(completion: Completion) -> str:
    return completion.prompt if _is_recorded(completion) else completion.query


def _is_recorded(completion: Completion) -> bool:
    return completion.model_version.source == ModelVersion.Source.RECORDED


def _paired(own: Sequence[Completion], others: Sequence[Completion]) -> list[tuple[Completion, Completion]]:
    """Answers to the same question meet, sample by sample, the last one of a version that has fewer. Where
    they share no question, all that one said meets all that the other did."""
    of_others = {_asked(one) for one in others}
    shared = list(dict.fromkeys(_asked(one) for one in own if _asked(one) in of_others))
    groups: list[tuple[Sequence[Completion], Sequence[Completion]]] = [
        ([one for one in own if _asked(one) == question], [one for one in others if _asked(one) == question])
        for question in shared
    ]
    pairs = []
    for first, second in groups or [(own, others)]:
        for number in range(max(len(first), len(second))):
            pairs.append((first[min(number, len(first) - 1)], second[min(number, len(second) - 1)]))
    return pairs


def _said(version: ModelVersion, study: Study) -> list[Completion]:
    rows = Completion.objects.filter(model_version=version, study=study).order_by("seed", "pk")
    return list(rows.select_related("instance", "model_version").prefetch_related("steps__regions"))


def _text(completion: Completion) -> str:
    """Steps a line each and the answer; the text as written where it can't be read."""
    if completion.problems:
        return completion.text
    lines = [f"{step.position}. {step.text}" for step in completion.steps.all()]
    return "\n".join([*lines, f"Answer: {completion.answer}"])


def _regions(completion: Completion) -> list[Region]:
    return [region for step in completion.steps.all() for region in step.regions.all()]


def _boxes(completion: Completion) -> list[Box]:
    return [Box(one.x_min, one.y_min, one.x_max, one.y_max) for one in _regions(completion)]


def _figures(a: Completion, b: Completion) -> tuple[Figure, ...]:
    def row(name: str, of: Sequence[object]) -> Figure:
        return Figure(name, str(of[0]), str(of[1]))

    return (
        row("Steps", (len(a.steps.all()), len(b.steps.all()))),
        row("Regions", (len(_regions(a)), len(_regions(b)))),
        row(
            "Regions that lie beside the film",
            (sum(bool(r.problem) for r in _regions(a)), sum(bool(r.problem) for r in _regions(b))),
        ),
        row("Words of the answer", (len(a.answer.split()), len(b.answer.split()))),
        row("Problems", (len(a.problems), len(b.problems))),
        row("Tokens", (a.num_tokens or NOT_TOLD, b.num_tokens or NOT_TOLD)),
        row(
            "Seconds",
            (f"{a.seconds:.1f}" if a.job else NOT_TOLD, f"{b.seconds:.1f}" if b.job else NOT_TOLD),
        ),
        row("Seed", (a.seed, b.seed)),
        row("Temperature", (_temperature(a), _temperature(b))),
        row("Picture", (f"{a.model_width} x {a.model_height}", f"{b.model_width} x {b.model_height}")),
    )


def _temperature(completion: Completion) -> str:
    return NOT_TOLD if _is_recorded(completion) else str(completion.temperature)


def _mean_overlap(a: Sequence[Box], b: Sequence[Box]) -> float | None:
    """The mean over all regions of both of the IoU with the other side's nearest; None where one has none."""
    if not a or not b:
        return None
    nearest = [max(overlap(one, other) for other in b) for one in a]
    nearest += [max(overlap(one, other) for other in a) for one in b]
    return sum(nearest) / len(nearest)
