"""Writes a frozen data set as a folder that Hugging Face's libraries load, some hundred films at once."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.exports.archive import audit_head, said_models, told_of_text
from deepmedix_review.exports.described_data_set import described_data_set
from deepmedix_review.exports.files import measure
from deepmedix_review.exports.finishing import MOST_TRIES, Progress, finish_archive
from deepmedix_review.exports.folders import parts_folder
from deepmedix_review.exports.models import Export, WrittenFile
from deepmedix_review.exports.own_code import said_code
from deepmedix_review.exports.pseudonyms import data_set_secret, film_name
from deepmedix_review.exports.services import NOTHING_TO_SHARE
from deepmedix_review.feedback.datasets.card import as_markdown, card_of
from deepmedix_review.feedback.datasets.page import page_of_dataset
from deepmedix_review.feedback.datasets.sharing import (
    SharedPart,
    Sharing,
    films_of_part,
    licences_of,
    models_of,
    sharing_of,
)
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.studies.selectors import film_path
from rl_feedback import hugging_face
from rl_feedback.croissant import CROISSANT
from rl_feedback.hugging_face import PartWriter, show_film
from rl_feedback.training.view import FilmView

LINE = "\n"


def write_data_set(export: Export, dataset: PreferenceDataset, *, check: Callable[[], None]) -> None:
    """Raises RefusedByRule or ValueError with a sentence."""
    for _ in range(MOST_TRIES):
        sharing = sharing_of(dataset)
        files = _write_parts(export, dataset, sharing, check=check)
        # A film that was withdrawn meanwhile is in no file.
        if sharing_of(dataset).basis == sharing.basis:
            break
    else:
        raise RefusedByRule(
            "Films were withdrawn or let in again and again meanwhile. Ask for the data set anew."
        )
    if not files:
        raise RefusedByRule(NOTHING_TO_SHARE)
    export.left_out = [dict(one) for one in sharing.left_out]
    licences, said = licences_of(dataset), card_of(dataset, page_of_dataset(dataset).summary)
    card = hugging_face.card_of(
        parts_folder(export),
        title=dataset.title,
        data_use=export.data_use,
        licences=licences,
        # Its title stands above already.
        about=f"## The frozen data set\n{as_markdown(said).partition(LINE)[2]}",
    )
    told: dict[str, dict[str, Any]] = {
        one.name: {"sha256": one.sha256, "rows": one.num_rows, "bytes": one.num_bytes} for one in files
    }
    told[hugging_face.README] = told_of_text(card)
    described = described_data_set(export, dataset, said=said, licences=licences)
    croissant = hugging_face.described_as_croissant(described, dict(sorted(told.items())))
    told[CROISSANT] = told_of_text(croissant)
    manifest = hugging_face.manifest_of(
        dict(sorted(told.items())),
        title=dataset.title,
        data_set={"uid": str(dataset.uid), "sha256": dataset.sha256},
        as_of=export.as_of.isoformat(),
        data_use=export.data_use,
        films="names of this data set alone; the platform's own are not in it",
        audit=audit_head(export),
        models=said_models(models_of(dataset)),
        code=said_code(),
        left_out=export.left_out,
    )
    texts = {hugging_face.README: card, CROISSANT: croissant, hugging_face.MANIFEST: manifest}
    finish_archive(export, files, texts=texts, check=check)


def _write_parts(
    export: Export, dataset: PreferenceDataset, sharing: Sharing, *, check: Callable[[], None]
) -> list[WrittenFile]:
    """Those that a worker before left whole are kept; what else lies there goes."""
    before = _whole(export) if export.basis == sharing.basis else {}
    export.basis, export.files, export.num_total = sharing.basis, {}, sharing.num_films
    progress = Progress(export, check)
    progress.tell(basis=export.basis, num_total=export.num_total)
    written: list[WrittenFile] = []
    for part in sharing.parts:
        kept = before.get(_ending(part), [])
        if kept:
            progress.add(num=len(part.films), num_rows=sum(one.num_rows for one in kept))
        files = kept or _write_part(export, dataset, part, progress)
        written += files
        _keep(export, files)
        progress.tell(is_kept=not kept, files=export.files)
    _forget_others(parts_folder(export), {one.name for one in written})
    return sorted(written, key=lambda one: one.name)


def _write_part(
    export: Export, dataset: PreferenceDataset, part: SharedPart, progress: Progress
) -> list[WrittenFile]:
    folder, view = parts_folder(export), part.view
    # Of a worker that was thought dead and goes on, nothing comes between.
    growing = folder / f".growing.{export.attempt}"
    writer = PartWriter(growing, split=part.split, number=part.number)
    secret = data_set_secret(dataset.uid)
    num_left = len(part.films)
    for instance, found in films_of_part(dataset, part):
        shown = show_film(
            film_path(instance),
            name=film_name(secret, instance.sop_instance_uid),
            view=FilmView(view.image_preparation, view.min_pixels, view.max_pixels),
            box_frame=view.box_frame,
        )
        progress.add(num=1, num_rows=writer.add(shown, found))
        num_left -= 1
    progress.add(num=num_left, num_rows=0)
    written = []
    for file in writer.close():
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        (growing / file.name).replace(path)
        size = measure(path)
        written.append(WrittenFile(file.name, size.sha256, file.num_rows, size.num_bytes, export.attempt))
    shutil.rmtree(growing, ignore_errors=True)
    return written


def _whole(export: Export) -> dict[str, list[WrittenFile]]:
    """What lies there as it was written, by its part."""
    found: dict[str, list[WrittenFile]] = {}
    damaged = set()
    for one in export.written:
        path, ending = parts_folder(export) / one.name, Path(one.name).name
        found.setdefault(ending, []).append(one)
        if not path.is_file() or measure(path).sha256 != one.sha256:
            damaged.add(ending)
    return {ending: files for ending, files in found.items() if ending not in damaged}


def _ending(part: SharedPart) -> str:
    """The name of the part's files, in the folder of each subset."""
    return f"{part.split}-{part.number:05d}.parquet"


def _keep(export: Export, files: Iterable[WrittenFile]) -> None:
    for one in files:
        export.files[one.name] = {name: value for name, value in vars(one).items() if name != "name"}


def _forget_others(folder: Path, names: set[str]) -> None:
    """The card counts what lies there."""
    for path in folder.rglob("*.parquet"):
        if path.relative_to(folder).as_posix() not in names:
            path.unlink()
