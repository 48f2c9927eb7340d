"""Studies that wait for a decision: listed with what is odd, and decided on by the hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deepmedix_client.connection import Connection
from deepmedix_client.errors import DeepMedixError
from deepmedix_client.shapes import shaped
from deepmedix_client.studies import Study, study_of

HELD = "/api/held-studies/"
# As many as the platform takes at once.
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class HeldStudy:
    """`kind` is the gravest of what is odd, `study.held_reasons` say all of it. `objection`: why it can't be
    accepted with others. `near` are uids of studies that look nearly the same. `token` names it as it was
    listed: what came to it since was not looked at."""

    token: str
    kind: str
    objection: str
    near: Sequence[str]
    study: Study


@dataclass(frozen=True)
class Decided:
    """`decisions` are what takes it back; `objections` are of those that can't be accepted, `num_left` counts
    those that changed since they were listed. Both stay as they were."""

    num_done: int
    num_left: int
    objections: Sequence[str]
    decisions: Sequence[str]
    _connection: Connection = field(repr=False, compare=False)

    def take_back(self) -> int:
        """How many are held again; what was done to one since stays."""
        answers = [self._connection.post(f"{HELD}decisions/{uid}/take-back/") for uid in self.decisions]
        return sum(int(answer["num_back"]) for answer in answers)


def held_studies(connection: Connection, *, kind: str) -> Iterator[HeldStudy]:
    for row in connection.pages(HELD, kind=kind):
        yield shaped(HeldStudy, row, study=study_of(row["study"]))


def decide(
    connection: Connection, held: Iterable[HeldStudy], *, decision: str, looked: bool = False
) -> Decided:
    """Those that were listed, a hundred at a time. Raises DeepMedixError where there is none."""
    tokens = [one.token for one in held]
    if not tokens:
        raise DeepMedixError("There is no study to decide on.")
    said: dict[str, Any] = {"decision": decision, "looked": looked}
    answers: list[Mapping[str, Any]] = [
        connection.post(HELD, {**said, "tokens": tokens[first : first + MOST_AT_ONCE]})
        for first in range(0, len(tokens), MOST_AT_ONCE)
    ]
    return Decided(
        num_done=sum(one["num_done"] for one in answers),
        num_left=sum(one["num_left"] for one in answers),
        objections=[each for one in answers for each in one["objections"]],
        decisions=[one["decision"] for one in answers if one["decision"]],
        _connection=connection,
    )
