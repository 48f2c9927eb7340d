"""Evaluations against references, and runs of the Report Arena."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deepmedix_client.connection import Connection
from deepmedix_client.data_frames import required_pandas
from deepmedix_client.errors import DeepMedixError
from deepmedix_client.shapes import shaped
from deepmedix_client.waiting import waited_for

if TYPE_CHECKING:
    import pandas

EVALUATIONS, ARENA = "/api/evaluations/", "/api/arena/"


@dataclass(frozen=True)
class Evaluation:
    """`result` is results.json once it is done; a list of evaluations leaves it out."""

    uid: str
    title: str
    version: str
    beside: str | None
    collection: str
    side: str
    against: str
    state: str
    error: str
    num_steps: int
    num_done: int
    result: Mapping[str, Any] | None = field(repr=False)
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def num_total(self) -> int:
        return self.num_steps

    def refreshed(self) -> Evaluation:
        """As it is now, with its result."""
        return evaluation_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> Evaluation:
        """Until it is done. Raises JobFailed, or TookTooLong after so many seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed,
            what="Evaluation",
            unit="step",
            seconds=seconds,
            shows_progress=self._shows_progress,
        )

    def cancel(self) -> Evaluation:
        return self._after("cancel")

    def go_on(self) -> Evaluation:
        """One that failed or was cancelled, with the same outputs."""
        return self._after("go-on")

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each figure, with its interval. Raises DeepMedixError before it is done. Needs pandas:
        pip install "deepmedix-client[pandas]"."""
        return self._frame("figures")

    def differences(self) -> pandas.DataFrame:
        """Of two versions, a row for each measure."""
        return self._frame("compared")

    def _frame(self, part: str) -> pandas.DataFrame:
        result = self.result if self.result is not None else self.refreshed().result
        if result is None:
            raise DeepMedixError(f"This evaluation is {self.state}: it has no result yet. Wait for it first.")
        frame: pandas.DataFrame = required_pandas().DataFrame(list(result[part]))
        return frame

    def _after(self, what: str) -> Evaluation:
        said = self._connection.post(f"{self._path}{what}/")
        return evaluation_of(self._connection, said, self._shows_progress)

    @property
    def _path(self) -> str:
        return f"{EVALUATIONS}{self.uid}/"


@dataclass(frozen=True)
class Battle:
    """Two outputs of the same film and question. `by_judge` and `by_experts` name the version that won, as
    v3, or say tie; empty where nobody judged."""

    uid: str
    study: str
    question: str
    left: str
    right: str
    by_judge: str
    by_experts: str
    num_votes: int
    is_invalid: bool
    is_flipped: bool
    disagrees: bool


@dataclass(frozen=True)
class WholeBattle:
    """`left` and `right` hold version, name and text of each output; `judgements` each one that counts, as
    the platform's reference tells them: first, better, criteria, problem, tokens, cost."""

    battle: Battle
    left: Mapping[str, Any] = field(repr=False)
    right: Mapping[str, Any] = field(repr=False)
    judgements: list[Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class ArenaRun:
    """`judge` is empty where experts judge alone; `judged_by` is server, version, recorded or experts.
    `board` is as the platform's reference tells it, empty before it is drawn; a list of runs leaves it
    out."""

    uid: str
    title: str
    judge: str
    judged_by: str
    prompt_version: str
    state: str
    error: str
    num_wanted: int
    num_judged: int
    board: Mapping[str, Any] = field(repr=False)
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def num_done(self) -> int:
        return self.num_judged

    @property
    def num_total(self) -> int:
        return self.num_wanted

    def refreshed(self) -> ArenaRun:
        """As it is now, with its board."""
        return arena_run_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> ArenaRun:
        """Until it is done. Raises JobFailed, as of a limit that was reached, or TookTooLong after so many
        seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed, what="Arena", unit="battle", seconds=seconds, shows_progress=self._shows_progress
        )

    def cancel(self) -> ArenaRun:
        """What is judged is kept."""
        return self._after("cancel")

    def go_on(self, *, num_wanted: int | None = None, limits: Mapping[str, Any] | None = None) -> ArenaRun:
        """One that ended takes the votes cast since; more battles or other limits where these are given."""
        said: dict[str, Any] = {} if num_wanted is None else {"num_wanted": num_wanted}
        said |= {} if limits is None else {"limits": dict(limits)}
        return self._after("go-on", said)

    def battles(self, *, pair: str = "", by: str = "", won: str = "", only: str = "") -> Iterator[Battle]:
        """The newest first. `pair`: numbers of two versions, as "3-4"; `by`: judge or experts; `won`: a
        version's number or tie; `only`: invalid, flipped or disagree."""
        chosen = {"pair": pair, "by": by, "won": won, "only": only}
        asked = {name: value for name, value in chosen.items() if value}
        for said in self._connection.pages(f"{self._path}battles/", **asked):
            yield shaped(Battle, said)

    def battle(self, uid: str) -> WholeBattle:
        """With both texts, and every judgement that counts."""
        said = self._connection.get(f"{self._path}battles/{uid}/")
        return shaped(WholeBattle, said, battle=shaped(Battle, said["battle"]))

    @property
    def says(self) -> list[str]:
        """What must be known of its judges before its board, in sentences."""
        board = self._drawn()
        told = [(one["judge"], [one["says"]]) for one in board["against_experts"]]
        told += [(one["judge"], one["says"]) for one in board["judge_bias"]]
        return [f"{judge}: {sentence}" for judge, says in told for sentence in says if sentence]

    def to_pandas(self, board: str | None = None) -> pandas.DataFrame:
        """A row for each version: judges, styled or experts; without a name, judges where the run has one.
        Raises DeepMedixError with the platform's reason where there is no such board. Needs pandas:
        pip install "deepmedix-client[pandas]"."""
        name = board or ("judges" if self.judge else "experts")
        told = self._drawn().get(name)
        if name not in ("judges", "styled", "experts") or told is None:
            raise DeepMedixError(f"There is no board {name!r}. There are: judges, styled, experts.")
        if told["refused"]:
            raise DeepMedixError(told["refused"])
        frame: pandas.DataFrame = required_pandas().DataFrame(list(_rows(told["rows"])))
        return frame

    def _drawn(self) -> Mapping[str, Any]:
        board = self.board or self.refreshed().board
        if not board:
            raise DeepMedixError(f"This run is {self.state}: its board is not drawn yet. Wait for it first.")
        return board

    def _after(self, what: str, said: Mapping[str, Any] | None = None) -> ArenaRun:
        answer = self._connection.post(f"{self._path}{what}/", said)
        return arena_run_of(self._connection, answer, self._shows_progress)

    @property
    def _path(self) -> str:
        return f"{ARENA}{self.uid}/"


def evaluation_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> Evaluation:
    return shaped(
        Evaluation,
        said,
        result=said.get("result"),
        _connection=connection,
        _shows_progress=shows_progress,
    )


def arena_run_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> ArenaRun:
    return shaped(
        ArenaRun,
        said,
        board=said.get("board", {}),
        _connection=connection,
        _shows_progress=shows_progress,
    )


def _rows(rows: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each interval as two columns."""
    for row in rows:
        told = dict(row)
        for name in ("interval", "rank_interval"):
            told[f"{name}_low"], told[f"{name}_high"] = told.pop(name)
        yield told
