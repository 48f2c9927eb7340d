"""Brings in completions that a model wrote elsewhere, so that published outputs are rated as any."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_events
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reasoning.selectors import films_to_read
from deepmedix_review.reasoning.services import read_regions, recorded_key
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import read_by
from deepmedix_review.registry.services import register_recorded
from deepmedix_review.registry.wanted import LONGEST_NAME, NOT_TOLD, WantedVersion
from deepmedix_review.studies.models import Instance, Study
from inference.presets import ServingPreset
from inference.prompts import template
from inference.recorded import RecordedCompletion, read_recorded
from inference.regions import model_size

MOST_COMPLETIONS = 20_000
NOT_HERE = "No film here has this name."
NOT_READY = "Its study is held, rejected or not looked at yet, so no output of it is shown."
TOO_SMALL = "Its picture can't be made as the preset makes it."
_FILE_ENDINGS = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Unmatched:
    """`image` as the file names it; `number` of its completions."""

    image: str
    reason: str
    number: int


@dataclass(frozen=True)
class ReadFile:
    """One model's part of a file: completions with their films, and what has none."""

    called: str
    model: str
    sha256: str
    matched: Sequence[tuple[Instance, RecordedCompletion]]
    unmatched: Sequence[Unmatched]

    @property
    def num_unmatched(self) -> int:
        return sum(one.number for one in self.unmatched)

    @property
    def num_films(self) -> int:
        return len({film.pk for film, _ in self.matched})

    @property
    def num_repeated(self) -> int:
        """Completions that are, word for word, one before them of the same film."""
        return len(self.matched) - len({(film.pk, one.text, one.model_size) for film, one in self.matched})

    @property
    def repeats(self) -> str:
        """That in words; empty where none is."""
        match self.num_repeated:
            case 0:
                return ""
            case 1:
                return "1 line repeats a line before it word for word: it becomes a further sample."
            case number:
                return f"{number} lines repeat a line before them word for word: they become further samples."


@dataclass(frozen=True)
class Imported:
    """`num_new` completions were not here before."""

    version: ModelVersion
    read: ReadFile
    num_new: int


def read_file(path: Path, *, called: str, model: str) -> ReadFile:
    """Match each completion with its film; nothing is kept. Raises RefusedByRule, naming the line, where the
    file can't be read, and where it holds several models and none of them is named."""
    if path.stat().st_size > settings.MAX_RECORDED_BYTES:
        raise RefusedByRule(f"{called} is larger than {settings.MAX_RECORDED_BYTES // 1024**2} MB. Split it.")
    try:
        recorded = read_recorded(path, called=called)
    except ValueError as error:
        raise RefusedByRule(str(error)) from error
    models = sorted({one.model for one in recorded})
    wanted = model.strip() or models[0]
    if wanted not in models or (not model.strip() and len(models) > 1):
        raise RefusedByRule(
            f"{called} holds completions of {', '.join(models)}. Name one of them as the model."
        )
    own = [one for one in recorded if one.model == wanted]
    if len(own) > MOST_COMPLETIONS:
        raise RefusedByRule(
            f"{called} holds {len(own)} completions of {wanted}; at most {MOST_COMPLETIONS} come in at once."
        )
    films, held = _films_named({_stem(one.image) for one in own})
    matched = [(films[_stem(one.image)], one) for one in own if _stem(one.image) in films]
    absent = Counter(one.image for one in own if _stem(one.image) not in films)
    unmatched = [
        Unmatched(image, NOT_READY if _stem(image) in held else NOT_HERE, number)
        for image, number in sorted(absent.items())
    ]
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ReadFile(called, wanted, sha256, matched, unmatched)


def import_recorded(
    path: Path, *, called: str, model: str, wanted: WantedVersion, leaves_out: bool, actor: User | None
) -> Imported:
    """A version of kind "recorded" with its completions, whole or not at all. `leaves_out`: what matches no
    film is left out; else it refuses the file. The same file again adds what has a film by now."""
    if actor is not None:
        require(actor, Capability.REGISTER_MODELS)
    read = read_file(path, called=called, model=model)
    if read.unmatched and not leaves_out:
        raise RefusedByRule(
            f"{read.num_unmatched} of {read.num_unmatched + len(read.matched)} completions match no film, so "
            "none was brought in. Correct their names, or say that they shall be left out."
        )
    if not read.matched:
        raise RefusedByRule("No completion matches a film that is here, so none was brought in.")
    preset = wanted.settings()
    # The preset says how they are read, not under which licence somebody's file came.
    preset = replace(
        preset,
        name=wanted.name.strip() or read.model[:LONGEST_NAME],
        licence=wanted.licence.strip() or NOT_TOLD,
        limits=wanted.limits.strip(),
        temperature=0.0,
    )
    with transaction.atomic():
        keep_whole()
        version = register_recorded(
            sha256=read.sha256,
            model=read.model,
            preset=preset,
            num_completions=len(read.matched),
            actor=actor,
        )
        num_new = _keep(version, read, preset, actor=actor)
    return Imported(version, read, num_new)


def _keep(version: ModelVersion, read: ReadFile, preset: ServingPreset, *, actor: User | None) -> int:
    # Beside outputs of other models it stands as an answer to the preset's question, where none was told.
    usual = template(preset.prompt_template).default_query
    wishes = {
        recorded_key(
            film=film, version=version, query=one.question or usual, draw=(version.temperature, one.seed)
        ): (film, one)
        for film, one in read.matched
    }
    known = set(Completion.objects.filter(content_key__in=wishes).values_list("content_key", flat=True))
    new = [(key, film, one) for key, (film, one) in wishes.items() if key not in known]
    parsed = [read_by(version, one.text, question=one.question) for _, _, one in new]
    completions = Completion.objects.bulk_create(
        Completion(
            study=film.study,
            instance=film,
            model_version=version,
            content_key=key,
            query=one.question or usual,
            prompt=one.question,
            text=one.text,
            answer=found.answer or "",
            problems=list(found.problems),
            temperature=0.0,
            seed=one.seed,
            num_tokens=0,
            seconds=0.0,
            image_width=film.columns,
            image_height=film.rows,
            **dict(zip(("model_width", "model_height"), _seen(film, one, preset), strict=True)),
        )
        for (key, film, one), found in zip(new, parsed, strict=True)
    )
    steps, regions = [], []
    for completion, found in zip(completions, parsed, strict=True):
        for step, read_regions_of in read_regions(completion, found):
            steps.append(step)
            regions += read_regions_of
    ReasoningStep.objects.bulk_create(steps)
    Region.objects.bulk_create(regions)
    record_events(
        actor=actor,
        action="record_completion",
        about=[(one, {"model": version.number, "problems": one.problems}) for one in completions],
    )
    return len(completions)


def _seen(film: Instance, one: RecordedCompletion, preset: ServingPreset) -> tuple[int, int]:
    try:
        return one.model_size or model_size(
            (film.columns, film.rows),
            preparation=preset.preparation,
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            factor=preset.size_multiple,
        )
    except ValueError as error:
        raise RefusedByRule(f"{one.image}: {TOO_SMALL} {error}") from error


def _stem(image: str) -> str:
    name = image.strip()
    for ending in _FILE_ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _films_named(names: set[str]) -> tuple[dict[str, Instance], set[str]]:
    """By name: the film whose uid or SOP Instance UID it is, or the film to read of the study whose uid,
    label or Study Instance UID it is. The second are names of what is here and may not be shown."""
    uids = {name: uid for name in names if (uid := _uid(name)) is not None}
    by_uid = {uid: name for name, uid in uids.items()}
    labels = {name[2:].lower(): name for name in names if name.startswith("S-") and len(name) == 10}
    films: dict[str, Instance] = {}
    held: set[str] = set()
    own = Instance.objects.filter(Q(uid__in=by_uid) | Q(sop_instance_uid__in=names))
    for film in own.select_related("series__study"):
        for name in (by_uid.get(film.uid), film.sop_instance_uid):
            if name in names:
                _put(film, str(name), films, held)
    of_study = Q(uid__in=by_uid) | Q(study_instance_uid__in=names)
    for label in labels:
        of_study |= (
            Q(uid__gte=UUID(f"{label:0<32}"), uid__lte=UUID(f"{label:f<32}")) if _is_hex(label) else Q()
        )
    studies = Study.objects.filter(of_study) if names else Study.objects.none()
    for film in films_to_read(studies):
        study = film.study
        for name in (by_uid.get(study.uid), study.study_instance_uid, labels.get(study.uid.hex[:8])):
            if name in names:
                _put(film, str(name), films, held)
    return films, held


def _put(film: Instance, name: str, films: dict[str, Instance], held: set[str]) -> None:
    if film.study.state == Study.State.READY:
        films.setdefault(name, film)
    else:
        held.add(name)


def _uid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _is_hex(label: str) -> bool:
    return all(sign in "0123456789abcdef" for sign in label)
