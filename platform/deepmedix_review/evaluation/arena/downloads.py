"""What a run found, to take away: every judgement as CSV, its boards as CSV and LaTeX."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from deepmedix_review.evaluation.arena.battle_list import counted
from deepmedix_review.evaluation.arena.shown import boards_of
from deepmedix_review.evaluation.arena.spending import cost_of
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.reviews.results.downloads import csv_lines, csv_of
from deepmedix_review.reviews.results.figures import Cell, Figure, Table
from deepmedix_review.reviews.results.latex import latex_lines

BATTLES, BOARD, BOARD_TEX = "battles.csv", "board.csv", "board.tex"
FILE_TYPES = {
    BATTLES: "text/csv; charset=utf-8",
    BOARD: "text/csv; charset=utf-8",
    BOARD_TEX: "text/x-tex; charset=utf-8",
}
AT_ONCE = 500
_BEFORE = (
    "study_uid",
    "battle",
    "version_a",
    "version_b",
    "judge",
    "kind",
    "prompt_version",
    "first",
    "second",
    "valid",
    "outcome",
    "better",
)
_AFTER = ("problem", "requests", "prompt_tokens", "answer_tokens", "cost")
_BOARD_COLUMNS = (
    "board",
    "rank",
    "rank_low",
    "rank_high",
    "version",
    "rating",
    "rating_low",
    "rating_high",
    "won",
    "battles",
    "note",
)


def may_leave(battles: QuerySet[Battle]) -> QuerySet[Battle]:
    """Without those of sources whose licence lets nothing that is said of their studies leave: a judge's
    reason may repeat the reference report."""
    return battles.exclude(study__source__is_credentialed=True)


def battle_lines(battles: QuerySet[Battle], *, of: ArenaRun) -> Iterator[str]:
    """A row for each judgement that counts, of `battles_for`."""
    columns = [f"{name}_{part}" for name in _criteria() for part in ("better", "reason")]
    return csv_of((*_BEFORE, *columns, *_AFTER), _rows(of, may_leave(battles)))


def board_figure(run: ArenaRun, *, has_notes: bool) -> Figure:
    """Notes are sentences, for which a page of a paper has no column."""
    width = len(_BOARD_COLUMNS) if has_notes else len(_BOARD_COLUMNS) - 1
    rows = tuple(
        row[:width] for name, board in boards_of(run.board).values() for row in _board_rows(name, board)
    )
    return Figure(
        key=f"arena-{str(run.uid)[:8]}",
        title=f"Report Arena: {run.title}",
        table=Table(_BOARD_COLUMNS[:width], rows),
        method="Bradley-Terry, ties as half, mean 1000, 400 points are odds of 10 to 1; intervals at 95 % "
        "by study",
        n=f"{run.board['num_judgements']:,} judgements",
        note=run.board["protocol"],
    )


def board_lines(run: ArenaRun, *, is_latex: bool) -> Iterator[str]:
    figure = board_figure(run, has_notes=not is_latex)
    return latex_lines(figure) if is_latex else csv_lines(figure.table)


def _board_rows(name: str, board: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    if board["refused"]:
        yield (name, *[None] * 8, board["num_battles"], board["refused"])
    for row in board.get("rows", ()):
        yield (
            name,
            row["rank"],
            *row["rank_interval"],
            row["model"],
            row["rating"],
            *row["interval"],
            row["num_won"],
            int(row["num_battles"]),
            board.get("note", ""),
        )


def _rows(run: ArenaRun, battles: QuerySet[Battle]) -> Iterator[tuple[Cell, ...]]:
    """In the order of the battles, some at a time. Experts have names of this file alone."""
    experts: dict[int, str] = {}
    keys = list(battles.order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(keys), AT_ONCE):
        rows = Battle.objects.filter(pk__in=keys[at : at + AT_ONCE]).order_by("pk")
        found = list(rows.select_related("study", "left__model_version", "right__model_version"))
        judgements = counted(run, found)
        for battle in found:
            for one in judgements[battle.pk]:
                yield _row(battle, one, experts)


def _row(battle: Battle, one: Judgement, experts: dict[int, str]) -> tuple[Cell, ...]:
    left, right = (_named(side.model_version) for side in (battle.left, battle.right))
    first, second = (left, right) if one.is_left_first else (right, left)
    is_expert = one.kind == Judgement.Kind.EXPERT
    better = {"first": first, "second": second}
    criteria: list[Cell] = []
    for name in _criteria():
        told = one.criteria.get(name)
        criteria += [better.get(told["better"], told["better"]), told["reason"]] if told else [None, None]
    spent: tuple[Cell, ...] = (None, None, None, None)
    if one.run is not None and one.run.asks_judge:
        cost = cost_of(one.run, num_prompt_tokens=one.num_prompt_tokens, num_tokens=one.num_tokens)
        is_told = one.num_prompt_tokens > 0
        spent = (
            one.num_requests,
            one.num_prompt_tokens if is_told else None,
            one.num_tokens,
            cost if is_told else None,
        )
    return (
        battle.study.study_instance_uid,
        str(battle.uid),
        left,
        right,
        experts.setdefault(one.reader_id or 0, f"expert {len(experts) + 1}") if is_expert else one.judge,
        one.kind,
        one.run.told_prompt if one.run else "",
        first,
        second,
        "false" if one.verdict == Judgement.Verdict.INVALID else "true",
        one.verdict,
        better.get(one.verdict, ""),
        *criteria,
        one.problem,
        *spent,
    )


def _criteria() -> tuple[str, ...]:
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.prompts import CRITERIA

    return tuple(CRITERIA)


def _named(version: Any) -> str:
    return f"{version} {version.name}"
