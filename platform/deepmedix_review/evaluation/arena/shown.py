"""Lays a board out for its page: where each mark of the forest plot stands, how dark each cell is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# As wide as the axis above it.
WIDTH, HEIGHT = 180, 22
_MARGIN = 8
_GOOD, _BAD = "#3fb984", "#ef7a73"


@dataclass(frozen=True)
class BoardRow:
    """x values in the row's own pixels."""

    rank: int
    ranks: str
    model: str
    rating: str
    interval: str
    num_won: str
    num_battles: int
    low_x: float
    high_x: float
    middle_x: float
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Cell:
    """`share` is empty where the two never met, and on the diagonal."""

    share: str
    title: str
    colour: str
    opacity: float


@dataclass(frozen=True)
class ShownBoard:
    name: str
    refused: str
    note: str
    num_battles: int
    num_studies: int
    rows: tuple[BoardRow, ...]
    low: str
    high: str
    mean_x: float
    matrix: tuple[tuple[str, tuple[Cell, ...]], ...]
    style: tuple[tuple[str, str], ...]


def shown_board(board: Mapping[str, Any], *, name: str) -> ShownBoard:
    rows: Sequence[Mapping[str, Any]] = board.get("rows", ())
    low = min((row["interval"][0] for row in rows), default=900.0)
    high = max((row["interval"][1] for row in rows), default=1100.0)
    low, high = min(low, 990.0), max(high, 1010.0)

    def place(rating: float) -> float:
        return round(_MARGIN + (rating - low) / (high - low) * (WIDTH - 2 * _MARGIN), 1)

    return ShownBoard(
        name=name,
        refused=board["refused"],
        note=board.get("note", ""),
        num_battles=board["num_battles"],
        num_studies=board.get("num_studies") or 0,
        rows=tuple(
            BoardRow(
                rank=row["rank"],
                ranks="{} to {}".format(*row["rank_interval"]),
                model=row["model"],
                rating=f"{row['rating']:.0f}",
                interval="{:.0f} to {:.0f}".format(*row["interval"]),
                num_won=f"{row['num_won']:g}",
                num_battles=int(row["num_battles"]),
                low_x=place(row["interval"][0]),
                high_x=place(row["interval"][1]),
                middle_x=place(row["rating"]),
            )
            for row in rows
        ),
        low=f"{low:.0f}",
        high=f"{high:.0f}",
        mean_x=place(1000.0),
        matrix=tuple(
            (row["model"], tuple(_cell(board, rows, place, other) for other in range(len(rows))))
            for place, row in enumerate(rows)
        ),
        style=tuple((effect["name"], _effect(effect)) for effect in board.get("style", ())),
    )


def _effect(effect: Mapping[str, Any]) -> str:
    low, high = effect["interval"]
    return f"{effect['value']:+.2f} ({low:+.2f} to {high:+.2f})"


def figure(told: Mapping[str, Any] | None, *, percent: bool = False) -> str:
    """With its interval, as people read it."""
    if told is None or told["value"] is None:
        return "none"

    def form(value: float) -> str:
        return f"{100 * value:.0f} %" if percent else f"{value:.2f}"

    if told["interval"] is None:
        return form(told["value"])
    return f"{form(told['value'])} ({form(told['interval'][0])} to {form(told['interval'][1])})"


@dataclass(frozen=True)
class ShownJudge:
    """One judge's figures: against experts, and what it goes by."""

    judge: str
    is_expert: bool
    num_pairs: int
    num_experts: int
    kappa: str
    ac1: str
    observed: str
    between_experts: str
    num_judgements: int
    num_answers: int | None
    first_place: str
    flip_rate: str
    between_orders: str
    longer: str
    experts_longer: str
    num_invalid: int
    says: tuple[str, ...]


def shown_judges(board: Mapping[str, Any]) -> tuple[ShownJudge, ...]:
    """Language models first, then experts."""
    beside = {one["judge"]: one for one in board["against_experts"]}
    biases = sorted(board["judge_bias"], key=lambda one: (one["kind"] != "model", one["judge"]))
    return tuple(_judge(one, beside.get(one["judge"])) for one in biases)


def _judge(bias: Mapping[str, Any], beside: Mapping[str, Any] | None) -> ShownJudge:
    said = [beside["says"]] if beside is not None and beside["says"] else []
    told = beside or {"num_battles": 0, "num_experts": 0}
    return ShownJudge(
        judge=bias["judge"],
        is_expert=bias["kind"] == "expert",
        num_pairs=told["num_battles"],
        num_experts=told["num_experts"],
        kappa=figure(told.get("kappa")),
        ac1=figure(told.get("ac1")),
        observed=figure(told.get("observed"), percent=True),
        between_experts=figure(told.get("between_experts")),
        num_judgements=bias["num_judgements"],
        # Boards that were drawn before answers were counted tell none.
        num_answers=bias.get("num_answers"),
        first_place=figure(bias["first_place"], percent=True),
        flip_rate=figure(bias["flip_rate"], percent=True),
        between_orders=figure(bias["between_orders"]),
        longer=figure(bias["longer"], percent=True),
        experts_longer=figure(bias["experts_longer"], percent=True),
        num_invalid=bias["num_invalid"],
        says=(*said, *bias["says"]),
    )


def _cell(board: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], place: int, other: int) -> Cell:
    met = board["met"][place][other]
    if not met:
        return Cell("", "", _GOOD, 0.0)
    won = board["won"][place][other]
    share = won / met
    return Cell(
        share=f"{100 * share:.0f} %",
        title=f"{rows[place]['model']} won {won:g} of {met:g} against {rows[other]['model']}",
        colour=_GOOD if share >= 0.5 else _BAD,
        opacity=round(abs(share - 0.5) * 1.8, 2),
    )


def boards_of(board: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """By what an address says: each board there is, with its title."""
    found = {
        "judges": ("Language models", board["judges"]),
        "styled": ("Language models, at equal style", board["styled"]),
        "experts": ("Experts", board["experts"]),
    }
    for kind, word in (("by_judge", "Judge"), ("by_category", "Question")):
        for place, one in enumerate(board[kind]):
            found[f"{kind}-{place}"] = (f"{word}: {one['name']}", one)
    return found
