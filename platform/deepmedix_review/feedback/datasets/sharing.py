"""What of a frozen data set may leave for use elsewhere: which films, and all that is learned from each."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from deepmedix_review.feedback.examples import (
    cases_known,
    judged_of,
    known_of,
    may_leave,
    pair_of,
    step_labels,
    writable_by,
)
from deepmedix_review.feedback.expert_spreads import spreads_of
from deepmedix_review.feedback.judgements import asked
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Instance, SourceDataset, Split, Study
from deepmedix_review.studies.selectors import film_path
from inference.grounding import parse_completion
from inference.regions import model_size
from rl_feedback.hugging_face import FILMS_PER_PART, SPLIT_NAMES, JudgedSteps, Shared

_SPLITS = {
    Split.TRAIN: SPLIT_NAMES["train"],
    Split.TUNE: SPLIT_NAMES["tune"],
    Split.TEST: SPLIT_NAMES["test"],
}


@dataclass(frozen=True)
class View:
    """How some models see films, and count the regions in their texts."""

    box_frame: str
    image_preparation: str
    min_pixels: int
    max_pixels: int


@dataclass(frozen=True)
class SharedPart:
    """Some hundred films of one side of patients, by primary key, as models of one view saw them. `number`
    counts the parts of a side."""

    side: Split
    number: int
    view: View
    films: tuple[int, ...]

    @property
    def split(self) -> str:
        return _SPLITS[self.side]


@dataclass(frozen=True)
class Sharing:
    """All of a data set that may leave now, and of what does not how much and why. `films_held`: sha256 of
    what the files of its films hold."""

    parts: Sequence[SharedPart]
    left_out: Sequence[Mapping[str, Any]]
    films_held: str = ""

    @property
    def num_films(self) -> int:
        return sum(len(part.films) for part in self.parts)

    @property
    def basis(self) -> str:
        """sha256 of what is in it: another once a film is withdrawn, or let in again, or text on it is
        overwritten."""
        told = json.dumps(
            [[asdict(part) for part in self.parts], list(self.left_out), self.films_held], sort_keys=True
        )
        return hashlib.sha256(told.encode()).hexdigest()


def sharing_of(dataset: PreferenceDataset) -> Sharing:
    views = [
        View(*row)
        for row in ModelVersion.objects.filter(pk__in=_completions(dataset).values("model_version"))
        .order_by("box_frame", "image_preparation", "min_pixels", "max_pixels")
        .values_list("box_frame", "image_preparation", "min_pixels", "max_pixels")
        .distinct()
    ]
    parts = []
    for side in _SPLITS:
        number = 0
        for view in views:
            films = _films(dataset, side, view)
            for first in range(0, len(films), FILMS_PER_PART):
                parts.append(SharedPart(side, number, view, tuple(films[first : first + FILMS_PER_PART])))
                number += 1
    return Sharing(parts, _left_out(dataset), _held_by_files(parts))


def may_anything_leave(dataset: PreferenceDataset) -> bool:
    return any(_leaving(rows).exists() for rows in (dataset.pairs.all(), dataset.labels.all()))


def films_of_part(dataset: PreferenceDataset, part: SharedPart) -> Iterator[tuple[Instance, list[Shared]]]:
    """Each film with what is learned from it, in the order of their keys."""
    pairs, labels = (
        _fitting(writable_by(part.view, _leaving(rows.filter(split=part.side))), part.films)
        for rows in (dataset.pairs.all(), dataset.labels.all())
    )
    rows = list(pairs)
    judged, good = judged_of(labels)
    known = known_of(rows, good)
    steps = step_labels(dataset, [completion.pk for _, completion, _ in known])
    spreads = spreads_of(dataset.regions.filter(completion__instance__in=part.films))
    every: list[Shared] = [
        *map(pair_of, rows),
        *judged,
        *_judged_steps(labels),
        *cases_known(known, steps, spreads=spreads),
    ]
    by_film: dict[str, list[Shared]] = defaultdict(list)
    for one in every:
        by_film[one.film].append(one)
    for instance in Instance.objects.filter(pk__in=part.films).order_by("pk"):
        found = by_film.get(str(film_path(instance)))
        if found:
            yield instance, found


def licences_of(dataset: PreferenceDataset) -> list[str]:
    """Where films and texts come from, a sentence for each."""
    studies = Study.objects.filter(pk__in=_completions(dataset).values("study"))
    sources = SourceDataset.objects.filter(pk__in=studies.values("source"), is_credentialed=False)
    models = ModelVersion.objects.filter(pk__in=_completions(dataset).values("model_version"))
    return [
        *(f"Films of {one.name}: {one.licence}" for one in sources.order_by("pk")),
        *(f"Texts of {one.name} ({one}): {one.licence}" for one in models.order_by("number")),
    ]


def models_of(dataset: PreferenceDataset) -> list[ModelVersion]:
    """Whose texts are in it."""
    models = ModelVersion.objects.filter(pk__in=_completions(dataset).values("model_version"))
    return list(models.order_by("number"))


def readers_behind(dataset: PreferenceDataset) -> Mapping[str, Mapping[int, int]]:
    """Of pairs and of labels that leave: by how many readers a row rests on, the number of rows."""
    found = {}
    for name, rows in (("pairs", dataset.pairs.all()), ("labels", dataset.labels.all())):
        counts = _leaving(rows).order_by("num_readers").values_list("num_readers").annotate(Count("pk"))
        found[name] = dict(counts)
    return found


def _completions(dataset: PreferenceDataset) -> "QuerySet[Completion]":
    pairs, labels = (rows.order_by().values("completion") for rows in (dataset.pairs, dataset.labels))
    return Completion.objects.filter(Q(pk__in=pairs) | Q(pk__in=labels))


def _leaving(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Of studies in use; nothing whose licence forbids it."""
    return may_leave(rows.filter(completion__study__state=Study.State.READY))


def _films(dataset: PreferenceDataset, side: Split, view: View) -> list[int]:
    found: set[int] = set()
    for rows in (dataset.pairs.all(), dataset.labels.all()):
        leaving = writable_by(view, _leaving(rows.filter(split=side))).order_by()
        found |= set(leaving.values_list("completion__instance", flat=True).distinct())
    return sorted(found)


def _held_by_files(parts: Sequence[SharedPart]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        held = Instance.objects.filter(pk__in=part.films).order_by("pk").values_list("pk", "file_sha256")
        for key, sha256 in held:
            digest.update(f"{key} {sha256}\n".encode())
    return digest.hexdigest()


def _fitting(rows: "QuerySet[Any]", films: Sequence[int]) -> "QuerySet[Any]":
    """Of these films, without texts whose regions would not fit the picture."""
    there = rows.filter(completion__instance__in=films)
    named = Completion.objects.filter(pk__in=there.order_by().values("completion"))
    return there.exclude(completion__in=list(_misfits(named)))


def _misfits(completions: "QuerySet[Completion]") -> Iterator[int]:
    """Those that were written on a picture of another size than their model's settings make of the film."""
    rows = completions.order_by("pk").values_list(
        *("pk", "image_width", "image_height", "model_width", "model_height"),
        *("model_version__image_preparation", "model_version__min_pixels", "model_version__max_pixels"),
    )
    for key, width, height, model_width, model_height, preparation, least, most in rows.iterator():
        size = model_size((width, height), preparation=preparation, min_pixels=least, max_pixels=most)
        if size != (model_width, model_height):
            yield key


def _judged_steps(labels: "QuerySet[Any]") -> Iterator[JudgedSteps]:
    """Of each text the steps from the first on, as far as readers judged them."""
    values: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    texts: dict[tuple[int, int], str] = {}
    rows = labels.filter(step__isnull=False).order_by("completion", "position")
    for completion, place, text, value in rows.values_list(
        "completion", "step__position", "step__text", "value"
    ):
        values[completion][place - 1].append(value)
        texts[completion, place - 1] = text
    completions = Completion.objects.select_related("instance", "model_version").in_bulk(values)
    for key, by_place in values.items():
        completion = completions[key]
        steps = []
        for place, step in enumerate(parse_completion(completion.text).steps):
            if texts.get((key, place)) != step.text:
                break
            steps.append((step.text, min(by_place[place])))
        if steps:
            told, deserved = zip(*steps, strict=True)
            yield JudgedSteps(str(film_path(completion.instance)), asked(completion), told, deserved)


def _left_out(dataset: PreferenceDataset) -> list[dict[str, Any]]:
    """Only what is more than none."""
    every = (dataset.pairs.all(), dataset.labels.all())
    misfits = list(_misfits(_completions(dataset)))
    counts = {
        "pairs and labels of films that are held, unseen or rejected now": sum(
            rows.exclude(completion__study__state=Study.State.READY).count() for rows in every
        ),
        "pairs and labels of films whose licence lets nothing of them leave": sum(
            rows.filter(
                completion__study__state=Study.State.READY, completion__study__source__is_credentialed=True
            ).count()
            for rows in every
        ),
        "pairs and labels of texts whose regions would not fit the picture that their model sees": sum(
            _leaving(rows).filter(completion__in=misfits).count() for rows in every
        ),
    }
    return [{"reason": reason, "num": num} for reason, num in counts.items() if num]
