"""Judgements and votes as lines of a file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rl_feedback.evaluation.arena.judgements import Counts, Judgement, Kind, OnCriterion, Verdict
from rl_feedback.evaluation.arena.judging import Kept
from rl_feedback.evaluation.arena.limits import Spent


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """One JSON object a line. Raises ValueError, naming the line. A last line that was cut off while it was
    written is passed over: what it told is judged anew."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):
                if not line.endswith("\n"):
                    return
                raise ValueError(f"{path.name}, line {number} is no JSON. Write one object a line.") from None
            if not isinstance(told, dict):
                raise ValueError(f"{path.name}, line {number} is no JSON object.")
            yield told


def criteria_as_json(criteria: Mapping[str, OnCriterion]) -> dict[str, dict[str, str]]:
    return {name: {"better": str(one.better), "reason": one.reason} for name, one in criteria.items()}


def criteria_of(told: Mapping[str, Mapping[str, str]]) -> dict[str, OnCriterion]:
    return {name: OnCriterion(Verdict(one["better"]), one["reason"]) for name, one in told.items()}


def kept_as_json(kept: Kept) -> dict[str, Any]:
    judgement = kept.judgement
    return {
        "key": kept.key,
        "case": judgement.case,
        "study": judgement.study,
        "category": judgement.category,
        "first": judgement.first,
        "second": judgement.second,
        "judge": judgement.judge,
        "verdict": str(judgement.verdict),
        "criteria": criteria_as_json(judgement.criteria),
        "of_first": None if judgement.of_first is None else dataclasses.asdict(judgement.of_first),
        "of_second": None if judgement.of_second is None else dataclasses.asdict(judgement.of_second),
        "text": kept.text,
        "problem": kept.problem,
        "num_tries": kept.num_tries,
        "spent": dataclasses.asdict(kept.spent),
    }


def kept_of(told: Mapping[str, Any]) -> Kept:
    """What `kept_as_json` told. Raises ValueError where it is something else."""
    try:
        return Kept(
            key=told["key"],
            judgement=Judgement(
                case=told["case"],
                study=told["study"],
                first=told["first"],
                second=told["second"],
                judge=told["judge"],
                kind=Kind.MODEL,
                verdict=Verdict(told["verdict"]),
                category=told["category"],
                criteria=criteria_of(told["criteria"]),
                of_first=Counts(**told["of_first"]) if told["of_first"] else None,
                of_second=Counts(**told["of_second"]) if told["of_second"] else None,
                key=told["key"],
            ),
            text=told["text"],
            problem=told["problem"],
            num_tries=told["num_tries"],
            spent=Spent(**told["spent"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"judgements.jsonl holds a line that is no kept judgement ({error}). Begin in another folder."
        ) from None


def vote_of(told: Mapping[str, Any], called: str) -> Judgement:
    """`{"case": …, "first": …, "second": …, "expert": …, "verdict": "first", "second" or "tie"}`."""
    names = ("case", "first", "second", "expert")
    if not all(isinstance(told.get(name), str) for name in names) or told.get("verdict") not in (
        "first",
        "second",
        "tie",
    ):
        raise ValueError(
            f'{called}: a vote is {{"case": …, "first": …, "second": …, "expert": …, "verdict": "first", '
            '"second" or "tie"}.'
        )
    return Judgement(
        case=told["case"],
        study=str(told.get("study", told["case"])),
        first=told["first"],
        second=told["second"],
        judge=told["expert"],
        kind=Kind.EXPERT,
        verdict=Verdict(told["verdict"]),
        category=str(told.get("category", "")),
    )
