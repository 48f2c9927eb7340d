"""What a job takes along to where it learns, in one folder that all its machines see, and brings back whole.

Ray uploads a job's code by itself, up to 512 MiB (`working_dir`), and brings nothing back; its own trainer
asks for storage that all nodes share. So films, model, checkpoints and candidate lie on that storage, and
only the code travels by Ray.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.engines.folders import folder_sha256
from rl_feedback.counting import counted
from rl_feedback.engines.placement import Placement
from rl_feedback.engines.telling import FILE, Teller
from rl_feedback.training.recipe import Recipe, begun_with_other
from rl_feedback.training.view import FilmView

JOB = "job.json"
MANIFEST = "candidate.json"
MODELS = "models"
FILM_FILES = "films.json"


class DamagedCandidate(ValueError):
    """What came back is not what the job wrote; the message says what to do."""


@dataclass(frozen=True)
class Job:
    """One run's folder, with the parent and the data folder that every process sees at the same place."""

    folder: Path
    recipe: Recipe
    view: FilmView
    parent: Path
    data: Path
    placement: Placement

    @property
    def work(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def out(self) -> Path:
        return self.folder / "candidate"

    def teller(self, number: int) -> Teller:
        """Of the job's attempt of this number."""
        return Teller(self.folder / "attempts" / str(number) / FILE)

    def num_attempts(self) -> int:
        return num_attempts(self.folder)

    def films(self) -> dict[str, str]:
        """Names of packed films to those in the data folder that was packed; nothing where none was."""
        path = self.folder / FILM_FILES
        found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return found

    def write(self) -> None:
        values = {
            "recipe": self.recipe.as_json(),
            "view": asdict(self.view),
            "parent": str(self.parent),
            "data": str(self.data),
            "placement": self.placement.as_json(),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        _put(self.folder / JOB, json.dumps(values, sort_keys=True))


def num_attempts(folder: Path) -> int:
    """How often the run in this folder was begun on other processes."""
    tried = (path.name for path in (folder / "attempts").glob("*"))
    return max((int(name) for name in tried if name.isdigit()), default=0)


def pack(
    folder: Path,
    *,
    recipe: Recipe,
    view: FilmView,
    parent: Path,
    data: Path,
    placement: Placement,
    models: Path,
) -> Job:
    """Write the run's folder anew. What an earlier attempt learned stays, unless it learned from something
    else.

    The parent is copied once to `models`, named by its sha256, however many runs begin from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = _keep_model(parent, models)
    job = Job(folder, recipe, view, kept, folder / "data", placement)
    shutil.rmtree(job.data, ignore_errors=True)
    _put(folder / FILM_FILES, json.dumps(_copy_examples(data, job.data), sort_keys=True))
    if begun_with_other(job.work, recipe, parent=kept, data=job.data):
        shutil.rmtree(job.work)
        for told in (folder / "attempts").glob(f"*/{FILE}"):
            told.unlink()
    job.write()
    return job


def read_job(folder: Path) -> Job:
    """Raises ValueError where there is none."""
    try:
        values: dict[str, Any] = json.loads((folder / JOB).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no job in {folder}. Is it the storage that all nodes of the cluster share?"
        ) from error
    return Job(
        folder,
        Recipe.from_json(values["recipe"]),
        FilmView(**values["view"]),
        Path(values["parent"]),
        Path(values["data"]),
        Placement.from_json(values["placement"]),
    )


def seal_candidate(job: Job) -> str:
    """Write the sha256 of every file of the candidate. Returns the sha256 of that list."""
    content = json.dumps(_digests(job.out), sort_keys=True)
    _put(job.folder / MANIFEST, content)
    return hashlib.sha256(content.encode()).hexdigest()


def fetch_candidate(job: Job, *, manifest: str, out: Path) -> None:
    """Copy the candidate to `out`. Raises DamagedCandidate unless every file is as the job wrote it."""
    try:
        content = (job.folder / MANIFEST).read_bytes()
    except FileNotFoundError as error:
        raise DamagedCandidate(
            "The job's list of what it wrote is gone. Go on: it writes it anew."
        ) from error
    if hashlib.sha256(content).hexdigest() != manifest:
        raise DamagedCandidate("The list of what the job wrote is not the job's. Go on: it writes it anew.")
    part = out.with_name(out.name + ".part")
    for stale in (part, out):
        shutil.rmtree(stale, ignore_errors=True)
    if job.out.is_dir():
        shutil.copytree(job.out, part)
    # Of the copy: what was read well once may be copied badly.
    expected, found = json.loads(content), _digests(part)
    wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if wrong:
        shutil.rmtree(part, ignore_errors=True)
        raise DamagedCandidate(
            f"Of the trained model {counted(len(wrong), 'file')} differ{'s' if len(wrong) == 1 else ''} from "
            f"what the job wrote: {', '.join(wrong[:5])}. "
            "Go on: the job writes them anew from its last checkpoint."
        )
    part.rename(out)


def _keep_model(parent: Path, models: Path) -> Path:
    kept = models / folder_sha256(parent)
    if not kept.is_dir():
        part = kept.with_name(kept.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(parent, part)
        part.rename(kept)
    return kept


def _copy_examples(data: Path, out: Path) -> dict[str, str]:
    """Films get numbers for names, so that no path and no name of a patient's film leaves with them."""
    out.mkdir(parents=True)
    numbered: dict[str, str] = {}
    for path in sorted(data.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        for row in rows:
            row["film"] = _copy_film(row["film"], data=data, out=out, numbered=numbered)
        (out / path.name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {number: film for film, number in numbered.items()}


def _copy_film(film: str, *, data: Path, out: Path, numbered: dict[str, str]) -> str:
    if film not in numbered:
        name = f"films/{len(numbered) + 1:06d}{Path(film).suffix}"
        (out / "films").mkdir(exist_ok=True)
        try:
            shutil.copyfile(data / film, out / name)
        except FileNotFoundError as error:
            raise ValueError("A film of the data set is missing. Restore it, then go on.") from error
        numbered[film] = name
    return numbered[film]


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(path: Path, content: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(content, encoding="utf-8")
    part.rename(path)
