"""Where a program begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from deepmedix_client.asking import BATCHES as INFERENCE_BATCHES
from deepmedix_client.asking import WORKERS as INFERENCE_WORKERS
from deepmedix_client.asking import InferenceBatch, InferenceWorker, worker_of
from deepmedix_client.asking import batch_of as inference_batch_of
from deepmedix_client.connection import Connection
from deepmedix_client.erasing import Erasure, ErasurePreview, erasure_of, of_what, preview_of
from deepmedix_client.errors import DeepMedixError
from deepmedix_client.exports import Export, Readings, export_of
from deepmedix_client.held import Decided, HeldStudy, decide, held_studies
from deepmedix_client.learning import (
    DataSet,
    Gate,
    Model,
    Run,
    data_set_of,
    model_of,
    run_of,
    waited_for_gate,
)
from deepmedix_client.measuring import ARENA, EVALUATIONS, ArenaRun, Evaluation, arena_run_of, evaluation_of
from deepmedix_client.retention import (
    BATCHES,
    RULES,
    DuePreview,
    DueStudy,
    RetentionBatch,
    RetentionRule,
    batch_of,
    due_preview_of,
    due_studies,
    rule_of,
)
from deepmedix_client.studies import Study, Uploaded, study_of, upload

PARQUET = "parquet"


class Client:
    """The platform, as one account's token may use it.

    `token` may come from the variable DEEPMEDIX_TOKEN. `data_use` is the sentence that travels with what
    leaves: what the data may be used for; a call may name its own. Raises DeepMedixError for an address or a
    token that can't be right; every call raises ApiError with the platform's sentence where it is refused.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        data_use: str = "",
        shows_progress: bool = True,
        insecure: bool = False,
    ) -> None:
        self._connection = Connection(url, token=token, insecure=insecure)
        self._data_use = data_use
        self._shows_progress = shows_progress

    # Studies

    def studies(self, *, state: str = "", search: str = "") -> Iterator[Study]:
        """The newest first, page by page; `state` ready, unseen, held or rejected, `search` the start of a
        label."""
        return map(study_of, self._connection.pages("/api/studies/", state=state, search=search))

    def study(self, uid: str) -> Study:
        return study_of(self._connection.get(f"/api/studies/{_uid(uid)}/"))

    def upload(self, paths: str | Path | Iterable[str | Path]) -> Uploaded:
        """Films, or folders of them, one import. A refused file stops no other: its reason says why."""
        return upload(self._connection, _each(paths), shows_progress=self._shows_progress)

    def held(self, *, kind: str = "") -> Iterator[HeldStudy]:
        """What waits for a decision, the newest hundred first; `kind` of what is odd, as `view` or `near`."""
        return held_studies(self._connection, kind=kind)

    def accept(self, held: Iterable[HeldStudy], *, looked: bool) -> Decided:
        """Those that `held` listed. `looked` is your word that you looked at every film of each, and no name
        is written on any."""
        return decide(self._connection, held, decision="accept", looked=looked)

    def reject(self, held: Iterable[HeldStudy]) -> Decided:
        return decide(self._connection, held, decision="reject")

    # Erasure and retention

    def preview_erasure(self, *, study: str | None = None, patient: str | None = None) -> ErasurePreview:
        """What would go with a study (uid) or a patient (pseudonym), and what had used it. Nothing goes."""
        return preview_of(self._connection.post("/api/erasures/preview/", of_what(study, patient)))

    def erase(
        self,
        *,
        study: str | None = None,
        patient: str | None = None,
        confirmed: str,
        why: str,
        note: str = "",
    ) -> Erasure:
        """For good. `confirmed` is the preview's `name`; `why` is withdrawn, retention, agreement, identity,
        mistake or other, with a `note` in words, without names."""
        said = {**of_what(study, patient), "confirmed": confirmed, "why": why, "note": note}
        return erasure_of(
            self._connection, self._connection.post("/api/erasures/", said), self._shows_progress
        )

    def erasures(self) -> Iterator[Erasure]:
        """The newest first."""
        for said in self._connection.pages("/api/erasures/"):
            yield erasure_of(self._connection, said, self._shows_progress)

    def retention_rules(self) -> list[RetentionRule]:
        """Those that are on first."""
        return [rule_of(self._connection, one) for one in self._connection.get(RULES)["results"]]

    def make_retention_rule(self, of: str, *, value: str = "", keep_days: int, because: str) -> RetentionRule:
        """`of` is every, came_by (`value`: upload, archive, listener, pacs, stow or command), profile or
        data_set. It erases nothing by itself."""
        said = {"of": of, "value": value, "keep_days": keep_days, "because": because}
        return rule_of(self._connection, self._connection.post(RULES, said))

    def due(self, *, days: int = 0) -> Iterator[DueStudy]:
        """What is due, or falls due within so many days; the longest due first."""
        return due_studies(self._connection, days=days)

    def keep(self, study: str, *, until: date, because: str) -> None:
        """Longer than rules say, up to the end of that day."""
        said = {"last_day": until.isoformat(), "because": because}
        self._connection.post(f"/api/retention/keep/{_uid(study)}/", said)

    def end_keeping(self, study: str) -> None:
        """The rules hold again."""
        self._connection.delete(f"/api/retention/keep/{_uid(study)}/")

    def preview_due(self) -> DuePreview:
        """What `erase_due` would erase now. Nothing goes."""
        return due_preview_of(self._connection.post(f"{BATCHES}preview/"))

    def erase_due(self, preview: DuePreview) -> RetentionBatch:
        """What that preview told, for good. Raises Refused where as many are due no longer."""
        said = {"as_of": preview.as_of.isoformat(), "num_confirmed": preview.num_studies}
        return batch_of(self._connection, self._connection.post(BATCHES, said), self._shows_progress)

    def retention_batches(self) -> Iterator[RetentionBatch]:
        """The newest first."""
        for said in self._connection.pages(BATCHES):
            yield batch_of(self._connection, said, self._shows_progress)

    # Readings

    def reader_studies(self) -> Iterator[Mapping[str, Any]]:
        """Those whose readings may leave, the newest first: uid, title, state, created_at."""
        return self._connection.pages("/api/exports/reader-studies/")

    def readings(
        self,
        study: str | Sequence[str] | None = None,
        *,
        data_use: str = "",
        as_of: datetime | None = None,
        seconds: float | None = None,
    ) -> Readings:
        """What was signed of a reader study, by its title or uid, of several, or of all.

        Asks for an export, waits and fetches it; the audit record has both, and the archive lies at the
        platform until it is deleted there. `as_of` has its time zone; the same moment gives the same bytes.
        """
        asked = self.export(study, formats=[PARQUET], data_use=data_use, as_of=as_of)
        return Readings(asked.wait(seconds))

    def export(
        self,
        study: str | Sequence[str] | None = None,
        *,
        formats: Sequence[str] = (PARQUET,),
        data_use: str = "",
        as_of: datetime | None = None,
    ) -> Export:
        """Asks for one: csv, jsonl, parquet, coco, pictures, sr, gsps. Raises DeepMedixError for a title that
        is not there, or that several reader studies have."""
        said: dict[str, Any] = {"formats": list(formats), "data_use": self._use(data_use)}
        if study is not None:
            said["reader_studies"] = self._uids_of(study)
        if as_of is not None:
            if as_of.tzinfo is None:
                raise DeepMedixError("as_of has no time zone. Give one: datetime(…, tzinfo=timezone.utc).")
            said["as_of"] = as_of.isoformat()
        return export_of(self._connection, self._connection.post("/api/exports/", said), self._shows_progress)

    def export_data_set(self, data_set: DataSet | str, *, data_use: str = "") -> Export:
        """A frozen data set, whole, as a folder that `datasets` and TRL load."""
        said = {"data_set": _uid(data_set), "data_use": self._use(data_use)}
        return export_of(self._connection, self._connection.post("/api/exports/", said), self._shows_progress)

    def exports(self) -> Iterator[Export]:
        """The newest first."""
        for said in self._connection.pages("/api/exports/"):
            yield export_of(self._connection, said, self._shows_progress)

    # Asking models

    def ask(
        self,
        model: int | None = None,
        *,
        collection: str | None = None,
        question: str | None = None,
        num_samples: int = 2,
        temperature: float | None = None,
        first_seed: int = 1,
    ) -> InferenceBatch:
        """Asks a version, by its number (the one that serves, without), about every ready study, or about
        those of a collection's version (uid), that it has not answered so. Without a question or a
        temperature these are the version's own. Each completion of a study has the next seed."""
        said: dict[str, Any] = {"num_samples": num_samples, "first_seed": first_seed}
        said |= {} if temperature is None else {"temperature": temperature}
        said |= {} if model is None else {"model": model}
        said |= {} if collection is None else {"collection": _uid(collection)}
        said |= {} if question is None else {"query": question}
        return inference_batch_of(
            self._connection, self._connection.post(INFERENCE_BATCHES, said), self._shows_progress
        )

    def inference_batches(self) -> Iterator[InferenceBatch]:
        """The newest first."""
        for said in self._connection.pages(INFERENCE_BATCHES):
            yield inference_batch_of(self._connection, said, self._shows_progress)

    def inference_batch(self, uid: str) -> InferenceBatch:
        said = self._connection.get(f"{INFERENCE_BATCHES}{_uid(uid)}/")
        return inference_batch_of(self._connection, said, self._shows_progress)

    def inference_workers(self) -> list[InferenceWorker]:
        """Those that are there, then those that left within the hour."""
        return [worker_of(said) for said in self._connection.get(INFERENCE_WORKERS)]

    # Measuring models

    def evaluate(
        self,
        title: str,
        model: Model | str,
        *,
        collection: str,
        beside: Model | str | None = None,
        **how: Any,
    ) -> Evaluation:
        """Measures what a version wrote of a collection's version (uid) against the references there, alone
        or beside another version. `how`: side ("test" where left out, "" all), against, query,
        is_report_question (where it is not known that `query` asks for a report), is_missing_wrong, seed."""
        said = {"title": title, "version": _uid(model), "collection_version": _uid(collection), **how}
        said |= {} if beside is None else {"beside": _uid(beside)}
        return evaluation_of(self._connection, self._connection.post(EVALUATIONS, said), self._shows_progress)

    def evaluations(self) -> Iterator[Evaluation]:
        """The newest first."""
        for said in self._connection.pages(EVALUATIONS):
            yield evaluation_of(self._connection, said, self._shows_progress)

    def evaluation(self, uid: str) -> Evaluation:
        said = self._connection.get(f"{EVALUATIONS}{_uid(uid)}/")
        return evaluation_of(self._connection, said, self._shows_progress)

    def compete(
        self,
        title: str,
        models: Iterable[Model | str],
        *,
        url: str = "",
        judge: str = "",
        num_wanted: int = 200,
        limits: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> ArenaRun:
        """Lets versions compete in the Report Arena, judged by the language model that the server at `url`
        calls `judge`, by a version (`judge_version`, its uid), or as `recorded` says, a text of one judgement
        a line, of the judge called `judge`; without any by experts' votes alone. `limits`: most_requests,
        most_tokens, most_cost, price_of_prompt, price_of_answer, requests_per_minute. `how`: judge_version,
        recorded, leaves_out, revision, key_name, random_share, seed."""
        said: dict[str, Any] = {
            "title": title,
            "versions": [_uid(model) for model in models],
            "url": url,
            "served_model": judge,
            "num_wanted": num_wanted,
            **how,
        }
        said |= {} if limits is None else {"limits": dict(limits)}
        return arena_run_of(self._connection, self._connection.post(ARENA, said), self._shows_progress)

    def arena_runs(self) -> Iterator[ArenaRun]:
        """The newest first."""
        for said in self._connection.pages(ARENA):
            yield arena_run_of(self._connection, said, self._shows_progress)

    def arena_run(self, uid: str) -> ArenaRun:
        said = self._connection.get(f"{ARENA}{_uid(uid)}/")
        return arena_run_of(self._connection, said, self._shows_progress)

    # Learning

    def data_sets(self) -> Iterator[DataSet]:
        return map(data_set_of, self._connection.pages("/api/data-sets/"))

    def freeze(self, title: str, *, studies: Sequence[str] | None = None) -> DataSet:
        """Signed readings of reader studies, by title or uid, become preference data; of all, without."""
        said: dict[str, Any] = {"title": title}
        if studies is not None:
            said["reader_studies"] = self._uids_of(studies)
        return data_set_of(self._connection.post("/api/data-sets/", said))

    def train(
        self,
        data_set: DataSet | str,
        *,
        recipe: Mapping[str, Any] | None = None,
        placement: Mapping[str, Any] | None = None,
    ) -> Run:
        """Starts a run; without a recipe, corrections and then preferences."""
        said: dict[str, Any] = {"dataset": _uid(data_set)}
        said |= {"recipe": dict(recipe)} if recipe is not None else {}
        said |= {"placement": dict(placement)} if placement is not None else {}
        return run_of(
            self._connection, self._connection.post("/api/training-runs/", said), self._shows_progress
        )

    def run(self, uid: str) -> Run:
        said = self._connection.get(f"/api/training-runs/{_uid(uid)}/")
        return run_of(self._connection, said, self._shows_progress)

    def models(self) -> Iterator[Model]:
        return map(model_of, self._connection.get("/api/models/"))

    def model(self, uid: str) -> Model:
        return model_of(self._connection.get(f"/api/models/{_uid(uid)}/"))

    def wait_for_gate(self, uid: str, seconds: float | None = None) -> Gate:
        """What the gate decides on a candidate, some minutes after its run. Raises TookTooLong after so many
        seconds; the measuring goes on meanwhile."""
        return waited_for_gate(lambda: self.model(uid), seconds=seconds, shows_progress=self._shows_progress)

    def _use(self, data_use: str) -> str:
        said = data_use or self._data_use
        if not said.strip():
            raise DeepMedixError(
                "Say in a sentence what the data may be used for: data_use=…, here or of the Client. It "
                "travels with the data."
            )
        return said

    def _uids_of(self, studies: str | Sequence[str]) -> list[str]:
        wanted = [studies] if isinstance(studies, str) else list(studies)
        if all(_is_uid(one) for one in wanted):
            return wanted
        known = [(str(one["uid"]), str(one["title"])) for one in self.reader_studies()]
        return [_uid_of(one, known) for one in wanted]


def _uid_of(wanted: str, known: Sequence[tuple[str, str]]) -> str:
    if _is_uid(wanted):
        return wanted
    found = [uid for uid, title in known if title == wanted]
    if len(found) > 1:
        raise DeepMedixError(f"{len(found)} reader studies are called {wanted!r}. Name one by its uid.")
    if not found:
        titles = ", ".join(repr(title) for _, title in known[:10]) or "none"
        raise DeepMedixError(f"No reader study {wanted!r} whose readings may leave. There are: {titles}.")
    return found[0]


def _is_uid(words: str) -> bool:
    try:
        UUID(words)
    except ValueError:
        return False
    return True


def _uid(named: DataSet | Model | str) -> str:
    if isinstance(named, DataSet | Model):
        return named.uid
    if not _is_uid(named):
        raise DeepMedixError(f"{named!r} is no uid. Lists and addresses of pages have them.")
    return named


def _each(paths: str | Path | Iterable[str | Path]) -> Iterable[str | Path]:
    return [paths] if isinstance(paths, str | Path) else paths
