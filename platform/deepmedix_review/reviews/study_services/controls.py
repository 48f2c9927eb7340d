"""Makes control cases: an output with a box or a sentence that is wrong, to see whether readers look."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.reasoning.altered import record_foreign_sentence, record_wrong_region
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from inference.dialects import Dialect
from inference.regions import Box
from rl_feedback.labels import State, label_report
from rl_feedback.preferences.kinds import kinds_said, without_boxes

Alteration = Completion.Alteration
# A wrong box overlaps no box of its step by more than this.
MOST_OVERLAP = 0.1


@dataclass(frozen=True)
class Control:
    """`known_answer` names what was altered: `{"alterations": [{alteration, completion, step, region}]}`,
    each by uid; `region` is None for a foreign sentence."""

    completions: tuple[Completion, ...]
    known_answer: Mapping[str, Any]


def make_control(
    completions: Sequence[Completion],
    *,
    donors: Sequence[Completion],
    alters_all: bool,
    rng: random.Random,
) -> Control | None:
    """One of the completions altered (or all): a wrong box or another case's sentence, by chance.

    None where nothing in them can be altered.
    """
    places = list(range(len(completions)))
    rng.shuffle(places)
    shown = list(completions)
    altered: list[dict[str, Any]] = []
    for place in places:
        found = _alter(completions[place], donors=donors, rng=rng)
        if found is None:
            continue
        shown[place], what = found
        altered.append(what)
        if not alters_all:
            break
    if not altered or (alters_all and len(altered) < len(completions)):
        return None
    return Control(tuple(shown), {"alterations": altered})


def _alter(
    completion: Completion, *, donors: Sequence[Completion], rng: random.Random
) -> tuple[Completion, dict[str, Any]] | None:
    # An altered text is written anew by DeepMedix's grammar.
    if completion.is_malformed or completion.model_version.dialect != Dialect.DEEPMEDIX:
        return None
    ways = [_with_wrong_region, _with_foreign_sentence]
    rng.shuffle(ways)
    for way in ways:
        found = way(completion, donors, rng)
        if found is not None:
            return found
    return None


def _with_wrong_region(
    completion: Completion, donors: Sequence[Completion], rng: random.Random
) -> tuple[Completion, dict[str, Any]] | None:
    size = (completion.image_width, completion.image_height)
    regions = list(
        Region.objects.filter(step__completion=completion, problem="").select_related("step").order_by("pk")
    )
    rng.shuffle(regions)
    for region in regions:
        siblings = [_box(other) for other in regions if other.step_id == region.step_id]
        wrong = _wrong_place(_box(region), siblings, size=size, rng=rng)
        if wrong is None:
            continue
        copy = record_wrong_region(original=completion, region=region, box=wrong)
        moved = Region.objects.select_related("step").get(
            step__completion=copy, step__position=region.step.position, position=region.position
        )
        return copy, _known(Alteration.WRONG_REGION, copy, moved.step, moved)
    return None


def _with_foreign_sentence(
    completion: Completion, donors: Sequence[Completion], rng: random.Random
) -> tuple[Completion, dict[str, Any]] | None:
    steps = list(ReasoningStep.objects.filter(completion=completion))
    # Whatever any output says of this film may be true of it.
    of_film = ReasoningStep.objects.filter(
        completion__instance=completion.instance_id, completion__alteration=""
    )
    own = list(of_film.values_list("text", flat=True))
    others = ReasoningStep.objects.filter(completion__in=donors).order_by("pk").values_list("text", flat=True)
    foreign = _foreign_among(others, own)
    if not steps or not foreign:
        return None
    step, text = rng.choice(steps), rng.choice(foreign)
    copy = record_foreign_sentence(original=completion, step=step, text=text)
    return copy, _known(
        Alteration.FOREIGN_SENTENCE, copy, copy.steps.get(position=step.position), region=None
    )


def _foreign_among(texts: Iterable[str], own: Sequence[str]) -> list[str]:
    """Sentences that say what none of a film's own outputs say, or say may be: another finding. What only
    denies one may be true of this film too. Of words without any known finding the words alone tell."""
    words = {_plain(one) for one in own}
    told = [mention for one in own for mention in label_report(without_boxes(one)).mentions]
    kinds = {mention.finding for mention in told if mention.state is not State.ABSENT}
    return [
        text
        for text in texts
        if _plain(text) not in words
        and (stated - kinds if (stated := kinds_said([text])) else not label_report(text).mentions)
    ]


def _wrong_place(
    box: Box, siblings: Sequence[Box], *, size: tuple[int, int], rng: random.Random
) -> Box | None:
    """The same box elsewhere on the film, away from every box of its step; None where there is no room."""
    width, height = box.x_max - box.x_min, box.y_max - box.y_min
    free_x, free_y = size[0] - width, size[1] - height
    places = [(free_x - box.x_min, box.y_min), (free_x - box.x_min, free_y - box.y_min)]
    places += [(rng.uniform(0, free_x), rng.uniform(0, free_y)) for _ in range(40)]
    for x_min, y_min in places:
        if not (0 <= x_min <= free_x and 0 <= y_min <= free_y):
            continue
        moved = Box(x_min, y_min, x_min + width, y_min + height)
        if all(_iou(moved, other) <= MOST_OVERLAP for other in siblings):
            return moved
    return None


def _iou(one: Box, other: Box) -> float:
    across = min(one.x_max, other.x_max) - max(one.x_min, other.x_min)
    down = min(one.y_max, other.y_max) - max(one.y_min, other.y_min)
    shared = max(0.0, across) * max(0.0, down)
    areas = [(box.x_max - box.x_min) * (box.y_max - box.y_min) for box in (one, other)]
    return shared / (sum(areas) - shared)


def _known(
    alteration: Completion.Alteration, completion: Completion, step: ReasoningStep, region: Region | None
) -> dict[str, Any]:
    return {
        "alteration": alteration.value,
        "completion": str(completion.uid),
        "step": str(step.uid),
        "region": str(region.uid) if region else None,
    }


def _box(region: Region) -> Box:
    return Box(region.x_min, region.y_min, region.x_max, region.y_max)


def _plain(text: str) -> str:
    """Words alone: the same sentence with its regions elsewhere is no other one."""
    return " ".join(without_boxes(text).lower().split()).rstrip(".")
