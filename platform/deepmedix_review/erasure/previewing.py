"""What an erasure would take, what would stay, and what stands against it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.erasure.files import files_of
from deepmedix_review.erasure.in_use import hindrances
from deepmedix_review.erasure.models import NamedUse
from deepmedix_review.erasure.rows import KINDS, count_rows
from deepmedix_review.erasure.scope import Scope
from deepmedix_review.erasure.uses import WAYS, Use, data_sets_with, uses_of
from deepmedix_review.studies.models import (
    ArchiveImport,
    Instance,
    MaskedPicture,
    PacsPull,
    SentMessage,
    Study,
)


@dataclass(frozen=True)
class UsesOfKind:
    """All uses of one kind, with what a person can do about them."""

    kind: str
    title: str
    way: str
    uses: Sequence[Use]


@dataclass(frozen=True)
class Preview:
    """`counts` are rows by kind; `twins` are studies that have the same picture and stay."""

    counts: Mapping[str, int]
    num_files: int
    num_bytes: int
    num_archives: int
    num_pulls: int
    twins: Sequence[Study]
    uses: Sequence[UsesOfKind]
    hindrances: Sequence[str]

    @property
    def lines(self) -> list[tuple[str, int]]:
        return lines_of(self.counts)


def preview(scope: Scope) -> Preview:
    keys = scope.keys
    films = films_in(keys)
    archives, messages = archives_kept(keys), messages_kept(keys)
    sets = list(data_sets_with(keys))
    return Preview(
        counts=count_rows(keys),
        num_files=len(files_of(films, archives=archives, messages=messages, sets=sets)),
        num_bytes=sum(film.file_bytes for film in films),
        num_archives=len(archives),
        num_pulls=len(pulls_kept(keys)),
        twins=twins_of(films),
        uses=by_kind(uses_of(keys)),
        hindrances=hindrances(keys),
    )


def lines_of(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """As a page lists them."""
    return [(title, counts[kind]) for kind, title in KINDS.items() if counts.get(kind)]


def by_kind(uses: Sequence[Use]) -> list[UsesOfKind]:
    found = [
        UsesOfKind(kind.value, kind.label, WAYS[kind], [use for use in uses if use.kind == kind])
        for kind in NamedUse.Kind
    ]
    return [one for one in found if one.uses]


def films_in(studies: Sequence[int]) -> list[Instance]:
    return list(Instance.objects.filter(series__study__in=studies).order_by("pk"))


def archives_kept(studies: Sequence[int]) -> list[ArchiveImport]:
    """With films of them, kept so that they can be tried again."""
    found = ArchiveImport.objects.filter(is_here=True, state__in=FINAL_STATES)
    return list(found.filter(batch__items__instance__series__study__in=studies).distinct().order_by("pk"))


def messages_kept(studies: Sequence[int]) -> list[SentMessage]:
    """That failed with films of them, or of which is told by what names these came."""
    found = SentMessage.objects.filter(is_here=True, state__in=FINAL_STATES)
    return list(found.filter(batch__items__instance__series__study__in=studies).distinct().order_by("pk"))


def pulls_kept(studies: Sequence[int]) -> list[PacsPull]:
    """That know what a PACS calls them."""
    found = PacsPull.objects.filter(is_kept=True, state__in=FINAL_STATES)
    return list(found.filter(studies__study__in=studies).distinct().order_by("pk"))


def twins_of(films: Sequence[Instance]) -> list[Study]:
    """Other studies with the same picture, under other tags."""
    others = {film.series.study_id for film in same_elsewhere(films)}
    return list(Study.objects.filter(pk__in=others).order_by("pk"))


def pictures_of(films: Sequence[Instance]) -> list[str]:
    """The digests of their pixels, as they are and as they were before text on them was overwritten."""
    before = MaskedPicture.objects.filter(film__in=films).order_by("pk")
    now = [film.pixel_sha256 for film in films]
    return list(dict.fromkeys([*now, *before.values_list("pixel_sha256", flat=True)]))


def same_elsewhere(films: Sequence[Instance]) -> list[Instance]:
    """Other films that show one of these pictures, or did."""
    pictures = pictures_of(films)
    before = MaskedPicture.objects.filter(pixel_sha256__in=pictures)
    same = Instance.objects.filter(Q(pixel_sha256__in=pictures) | Q(pk__in=before.values("film")))
    return list(same.exclude(pk__in=[film.pk for film in films]).select_related("series"))
