"""Has a file decoded by a process of its own, and believes nothing of its answer that it can check."""

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset

from deepmedix_review.studies.intake.content import DISK_IS_FULL, Content, FilmRefused, Refusal, recognise
from deepmedix_review.studies.intake.decoders import run_decoder
from deepmedix_review.studies.intake.fingerprint import NUM_BANDS, SIDE
from deepmedix_review.studies.intake.limits import Limits

# pydicom's warnings quote the values that it doubts, and logs must hold no name.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
_MAX_ANSWER_BYTES = 4 * 1024**2
_HEX_SHA256 = set("0123456789abcdef")


@dataclass(frozen=True)
class DecodedFilm:
    """`tags`: what `intake.tags.READ` names, not yet de-identified. `frames`: one HTJ2K file each.
    `picture_bands`: see `intake.fingerprint`; none of a blank film. `came_as_sha256`: of the pixels before
    any were overwritten, else `pixel_sha256` once more. `text_lines`: where the first frame may hold
    print, if that was asked for, as `boxes` of `decode_film`."""

    content: Content
    tags: Dataset
    rows: int
    columns: int
    num_frames: int
    bits_stored: int
    is_signed: bool
    photometric: str
    pixel_sha256: str
    came_as_sha256: str
    held_bits_more: bool
    looks_inverted: bool
    is_blank: bool
    picture_bands: tuple[int, ...]
    text_lines: tuple[tuple[int, int, int, int], ...]
    frames: tuple[Path, ...]
    picture: Path


def decode_film(
    path: Path,
    *,
    limits: Limits,
    work: Path,
    is_named: bool = True,
    boxes: Sequence[tuple[int, int, int, int]] = (),
    finds_text: bool = False,
) -> DecodedFilm:
    """Decode into the empty folder `work`. Raises FilmRefused with a sentence, whatever the file did;
    OSError where the disk is full. `is_named`: a DICOM file without UIDs is refused. `boxes`: what is
    overwritten by the film's background, each by its left column, upper row, and the column and row behind
    its last ones."""
    size = path.stat().st_size
    if size > limits.max_file_bytes:
        raise FilmRefused(
            f"The file has {size / 1024**2:.0f} MB; the platform takes up to "
            f"{limits.max_file_bytes // 1024**2} MB. Export the film alone.",
            kind=Refusal.TOO_LARGE,
        )
    content = recognise(path)
    request = work / "request.json"
    asked = {
        "path": str(path.resolve()),
        "content": content,
        "limits": asdict(limits),
        "is_named": is_named,
        "boxes": list(boxes),
        "finds_text": finds_text,
    }
    request.write_text(json.dumps(asked), "utf-8")
    _run(request, limits=limits)
    refused = work / "refused.json"
    if refused.exists():
        answer = _read_answer(refused)
        raise FilmRefused(str(answer["reason"]), kind=_kind(answer.get("kind")))
    return _checked(_read_answer(work / "film.json"), content=content, limits=limits, work=work)


def _run(request: Path, *, limits: Limits) -> None:
    try:
        code = run_decoder(request, seconds=limits.seconds + 5)
    except TimeoutError:
        raise FilmRefused(
            f"The film took longer than {limits.seconds} seconds to decode, so it was left."
        ) from None
    if code == DISK_IS_FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    answered = any((request.parent / name).exists() for name in ("film.json", "refused.json"))
    if code != 0 or not answered:
        raise FilmRefused(
            "The file broke the process that decodes films, so it was not taken. It is damaged or harmful."
        )


def _read_answer(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MAX_ANSWER_BYTES:
        raise FilmRefused("The header holds more than any film needs.")
    answer: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return answer


def _box(told: Any) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(edge) for edge in told)
    return left, top, right, bottom


def _kind(told: Any) -> Refusal:
    return Refusal(told) if told in tuple(Refusal) else Refusal.NOT_UNDERSTOOD


def _checked(answer: dict[str, Any], *, content: Content, limits: Limits, work: Path) -> DecodedFilm:
    try:
        film = DecodedFilm(
            content=content,
            tags=Dataset.from_json(answer["tags"]),
            rows=int(answer["rows"]),
            columns=int(answer["columns"]),
            num_frames=int(answer["num_frames"]),
            bits_stored=int(answer["bits_stored"]),
            is_signed=bool(answer["is_signed"]),
            photometric="MONOCHROME1" if answer["photometric"] == "MONOCHROME1" else "MONOCHROME2",
            pixel_sha256=str(answer["pixel_sha256"]),
            came_as_sha256=str(answer["came_as_sha256"]),
            held_bits_more=bool(answer["held_bits_more"]),
            looks_inverted=bool(answer["looks_inverted"]),
            is_blank=bool(answer["is_blank"]),
            picture_bands=tuple(int(band) for band in answer["picture_bands"]),
            text_lines=tuple(_box(line) for line in answer["text_lines"]),
            frames=tuple(work / f"frame-{index}" for index in range(min(int(answer["num_frames"]), 10_000))),
            picture=work / "picture.png",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FilmRefused("The header can't be read as DICOM. Export the film again.") from error
    whole = (
        film.rows > 0 < film.columns
        and film.rows * film.columns * film.num_frames <= limits.max_pixels
        and 1 <= film.bits_stored <= 16
        and len(film.pixel_sha256) == 64
        and set(film.pixel_sha256) <= _HEX_SHA256
        and [band >> SIDE for band in film.picture_bands] in ([], list(range(NUM_BANDS)))
        and all(0 <= a < c <= film.columns and 0 <= b < d <= film.rows for a, b, c, d in film.text_lines)
        and film.picture.is_file()
        and all(frame.is_file() for frame in film.frames)
    )
    if not whole:
        raise FilmRefused("The decoded film does not hold together, so it was not taken.")
    return film
