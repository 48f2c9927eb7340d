"""The process that opens what strangers sent: one file, little memory, little time, no secrets, then it ends.

`python -m deepmedix_review.studies.intake.decoder_process` stands ready: it imports what decoding needs,
reads a line at a time, which names a JSON file, the request, and forks a process for it, whose exit code it
answers in a line. That process alone opens the file. Its answer is written beside the request: `film.json`,
one codestream a frame, and a picture for lists; or `refused.json` with a sentence.
"""

import errno
import gc
import json
import os
import select
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepmedix_review.studies.intake.content import DISK_IS_FULL, Content, FilmRefused
from deepmedix_review.studies.intake.limits import Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture
    from pydicom import Dataset

    from deepmedix_review.studies.intake.pixels import Box, Film

# After so long without a film what stands ready ends.
IDLE_SECONDS = 60.0


def serve(asked: int = 0, answers: int = 1) -> None:
    """By these file descriptors, until the one is closed or long silent."""
    _prepare()
    # What is forked shares these pages as long as nobody writes to them.
    gc.collect()
    gc.freeze()
    lines = b""
    while select.select([asked], [], [], IDLE_SECONDS)[0]:
        read = os.read(asked, 4096)
        if not read:
            return
        lines += read
        if lines.endswith(b"\n"):
            request, lines = Path(os.fsdecode(lines[:-1])), b""
            os.write(answers, b"%d\n" % _fork(request))


def _prepare() -> None:
    """No library that decoding needs is left to be found and compiled for each film."""
    import numpy as np
    from PIL import Image

    from deepmedix_review.studies.intake import fingerprint, header, pixels, tags  # noqa: F401
    from inference import images  # noqa: F401

    Image.init()
    # imagecodecs imports a codec when it is first used.
    tuple(pixels.encode(pixels.Film(np.zeros((1, 64, 64), np.uint16), 12, "MONOCHROME2")))


def _fork(request: Path) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        code = _end_of(request)
    except BaseException:
        code = 1
    os._exit(code)


def _end_of(request: Path) -> int:
    """In the forked process: it leaves the other's pipes, and does what a program of its own would."""
    try:
        os.chdir(request.parent)
        os.environ["TMPDIR"] = str(request.parent)
        messages = os.open(request.parent / "messages", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for standard, target in ((0, os.open(os.devnull, os.O_RDONLY)), (1, messages), (2, messages)):
            os.dup2(target, standard)
        main(request)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except OSError as error:
        traceback.print_exc()
        return DISK_IS_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main(request: Path) -> None:
    try:
        _answer(request)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(DISK_IS_FULL)
        raise


def _answer(request: Path) -> None:
    asked = json.loads(request.read_text("utf-8"))
    limits = Limits(**asked["limits"])
    _restrain(limits)
    work = request.parent
    try:
        answer = _decode(
            Path(asked["path"]),
            Content(asked["content"]),
            limits=limits,
            work=work,
            is_named=asked["is_named"],
            boxes=[tuple(box) for box in asked["boxes"]],
            finds_text=asked["finds_text"],
        )
    except FilmRefused as refusal:
        _write(work / "refused.json", {"reason": str(refusal), "kind": refusal.kind})
    except RecursionError:
        _write(work / "refused.json", {"reason": "The header nests its parts deeper than any film needs."})
    except MemoryError:
        _write(work / "refused.json", {"reason": "The film needs more memory than a film may take."})
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = f"The file is damaged and can't be read ({type(error).__name__}). Export it again."
        _write(work / "refused.json", {"reason": reason})
    else:
        _write(work / "film.json", answer)


def _restrain(limits: Limits) -> None:
    """Before the first byte of the file is read. macOS accepts but does not hold RLIMIT_AS."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 2 * limits.max_inflated_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            continue


def _decode(
    path: Path,
    content: Content,
    *,
    limits: Limits,
    work: Path,
    is_named: bool,
    boxes: "Sequence[Box]",
    finds_text: bool,
) -> dict[str, Any]:
    from pydicom import Dataset

    from deepmedix_review.studies.intake import fingerprint, pixels, tags

    source = Dataset()
    if content is Content.DICOM:
        from deepmedix_review.studies.intake.header import read_film

        header = read_film(path, limits=limits, work=work, is_named=is_named)
        film = pixels.decode_dicom(header)
        source = tags.pick(header.dataset, tags.READ)
    else:
        film = pixels.decode_picture(path, limits=limits)
    came_as = film.sha256
    if boxes:
        # Before anything is written: what the boxes hide leaves this process in no file.
        background = pixels.background_of(film, _described(film, tags.kept(source)))
        film = pixels.overwrite(film, boxes, value=background)
    for index, stream in enumerate(pixels.encode(film)):
        (work / f"frame-{index}").write_bytes(stream)
    try:
        shown, picture = _show(film, _described(film, tags.kept(source)), work=work)
    except (MemoryError, RecursionError, OSError):
        raise
    except Exception as error:
        raise FilmRefused(
            "The film's tables for display are damaged, so it can't be shown right. Export it again."
        ) from error
    num_frames, rows, columns = film.pixels.shape
    is_blank = fingerprint.is_blank(picture, film.pixels[0])
    return {
        "tags": source.to_json_dict(),
        "rows": rows,
        "columns": columns,
        "num_frames": num_frames,
        "bits_stored": film.bits_stored,
        "is_signed": film.pixels.dtype.kind == "i",
        "photometric": film.photometric,
        "pixel_sha256": film.sha256 if boxes else came_as,
        "came_as_sha256": came_as,
        "held_bits_more": film.held_bits_more,
        "looks_inverted": pixels.looks_inverted(shown),
        "is_blank": is_blank,
        "picture_bands": [] if is_blank else fingerprint.bands_of(picture),
        "text_lines": _lines_on(shown) if finds_text else [],
    }


def _described(film: "Film", kept: "Dataset") -> "Dataset":
    """What the header says of the film's greys, beside what was decoded of it."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    # In which pydicom reads the bytes of a lookup table; `tags.kept` writes them so.
    kept.file_meta = FileMetaDataset()
    kept.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    kept.PhotometricInterpretation = film.photometric
    kept.PixelRepresentation = int(film.pixels.dtype.kind == "i")
    kept.BitsStored = film.bits_stored
    return kept


def _show(film: "Film", described: "Dataset", *, work: Path) -> "tuple[NDArray[np.uint8], Picture]":
    """The first frame as screens show it: whole, to judge its polarity, and small, as the file for lists."""
    from PIL import Image

    from inference.images import render_values

    shown = render_values(film.pixels[0], described)
    picture = Image.fromarray(shown)
    picture.thumbnail((512, 512), Image.Resampling.LANCZOS)
    # As small as at the level that PIL takes by itself, in half of the time.
    picture.save(work / "picture.png", compress_level=4)
    return shown, picture


def _lines_on(shown: "NDArray[np.uint8]") -> "list[Box]":
    from deepmedix_review.studies.intake import text_lines

    return text_lines.find_lines(shown)


def _write(path: Path, answer: dict[str, Any]) -> None:
    path.write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    serve()
