"""`python -m rl_feedback arena`: lets a judge compare models' reports from files, and prints the board."""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inference.engines import EndpointSettings, EngineSettings, load_engine
from rl_feedback.evaluation.arena.asking import Comparison, Judge, JudgeFailed
from rl_feedback.evaluation.arena.boards import arena_of
from rl_feedback.evaluation.arena.files import kept_as_json, kept_of, read_lines, vote_of
from rl_feedback.evaluation.arena.judgements import Judgement
from rl_feedback.evaluation.arena.judges import EngineJudge, RecordedJudge
from rl_feedback.evaluation.arena.judging import (
    JudgeSettings,
    Kept,
    both_orders,
    judge_all,
)
from rl_feedback.evaluation.arena.limits import LimitReached, Limits, Spent
from rl_feedback.evaluation.arena.prompts import NEWEST, PROMPTS
from rl_feedback.evaluation.arena.recorded import read_answers


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--reports",
        type=Path,
        required=True,
        help="one JSON object a line: case, model and text, and where there are any study, category and "
        "reference",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder: judgements.jsonl, which a run that was stopped goes on from, and board.json",
    )
    judge = parser.add_mutually_exclusive_group()
    judge.add_argument("--model", type=Path, help="folder of a language model that judges here")
    judge.add_argument(
        "--endpoint",
        metavar="URL",
        help="of a judge that speaks the OpenAI chat protocol, as in http://127.0.0.1:8000/v1; other "
        "machines must be named in INFERENCE_ENDPOINTS. INFERENCE_ENDPOINT_KEY holds the key",
    )
    judge.add_argument(
        "--recorded",
        type=Path,
        help="judgements made elsewhere, one a line: case, first, second, and text, or verdict and criteria",
    )
    parser.add_argument("--judge", default="", help="the judge's name, at its server too")
    parser.add_argument("--revision", default="", help="of the judge: its release or the hash of its weights")
    parser.add_argument("--votes", type=Path, help="of experts: case, first, second, expert, verdict a line")
    parser.add_argument("--prompt", choices=sorted(PROMPTS), default=NEWEST, help="version of the question")
    parser.add_argument("--max-new-tokens", type=int, default=2048)
    parser.add_argument("--num-in-flight", type=int, default=16)
    parser.add_argument("--requests-per-minute", type=int)
    parser.add_argument("--most-requests", type=int)
    parser.add_argument("--most-tokens", type=int)
    parser.add_argument("--most-cost", type=float)
    parser.add_argument("--price-of-prompt", type=float, default=0.0, help="of a million tokens")
    parser.add_argument("--price-of-answer", type=float, default=0.0, help="of a million tokens")
    parser.add_argument("--prior", type=float, default=0.0, help="tied battles that each model is given")
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> Iterator[str]:
    """Lines of the board. Raises ValueError, saying the way out, for files that can't be used."""
    comparisons = list(both_orders(_comparisons(options.reports)))
    options.out.mkdir(parents=True, exist_ok=True)
    kept_file = options.out / "judgements.jsonl"
    known = {kept.key: kept for kept in map(kept_of, read_lines(kept_file))} if kept_file.is_file() else {}
    judgements: list[Judgement] = []
    ended = ""
    if options.model or options.endpoint or options.recorded:
        try:
            for kept in _judged(comparisons, options, known):
                judgements.append(kept.judgement)
                if not kept.is_cached:
                    with kept_file.open("a", encoding="utf-8") as lines:
                        lines.write(json.dumps(kept_as_json(kept), ensure_ascii=False) + "\n")
        except (LimitReached, JudgeFailed) as reason:
            ended = str(reason)
    votes = [vote_of(line, options.votes.name) for line in read_lines(options.votes)] if options.votes else []
    arena = arena_of([*judgements, *votes], prior=options.prior, seed=options.seed)
    board = arena.as_json() | {"ended": ended}
    (options.out / "board.json").write_text(json.dumps(board, indent=1, allow_nan=False), "utf-8")
    yield from _told(board)


def _judged(
    comparisons: list[Comparison], options: argparse.Namespace, known: dict[str, Kept]
) -> Iterator[Kept]:
    settings = JudgeSettings(
        judge=options.judge or (options.model or options.recorded or Path("judge")).stem,
        revision=options.revision,
        prompt_version=options.prompt,
        max_new_tokens=options.max_new_tokens,
        seed=options.seed,
        is_by_pair=options.recorded is not None,
    )
    limits = Limits(
        requests_per_minute=options.requests_per_minute,
        most_requests=options.most_requests,
        most_tokens=options.most_tokens,
        most_cost=options.most_cost,
        price_of_prompt=options.price_of_prompt,
        price_of_answer=options.price_of_answer,
    )
    spent = sum((kept.spent for kept in known.values()), Spent())
    return judge_all(comparisons, _judge(options), settings, known=known.get, limits=limits, spent=spent)


def _judge(options: argparse.Namespace) -> Judge:
    if options.recorded:
        return RecordedJudge(read_answers(options.recorded), called=options.recorded.name)
    if options.num_in_flight < 1:
        raise ValueError("--num-in-flight is at least 1.")
    if options.model:
        return EngineJudge(
            load_engine(EngineSettings(folder=options.model)), num_at_once=options.num_in_flight
        )
    named = os.environ.get("INFERENCE_ENDPOINTS", "").split(",")
    engine = load_engine(
        EndpointSettings(
            url=options.endpoint,
            served_model=options.judge,
            origins=frozenset(origin.strip() for origin in named if origin.strip()),
            key=os.environ.get("INFERENCE_ENDPOINT_KEY", ""),
            num_in_flight=options.num_in_flight,
        )
    )
    return EngineJudge(engine, num_at_once=options.num_in_flight)


def _comparisons(path: Path) -> Iterator[Comparison]:
    """Every pair of models on every case. Raises ValueError where a model has two reports of one case, or no
    case has two models."""
    by_case: dict[str, dict[str, dict[str, Any]]] = {}
    for told in read_lines(path):
        for name in ("case", "model", "text"):
            if not isinstance(told.get(name), str):
                raise ValueError(
                    f'{path.name}: a report has no {name}. Write {{"case": …, "model": …, "text": …}}.'
                )
        of_case = by_case.setdefault(told["case"], {})
        if told["model"] in of_case:
            raise ValueError(
                f"{path.name} holds two reports of {told['case']} by {told['model']}. Leave one out."
            )
        of_case[told["model"]] = told
    if not any(len(reports) > 1 for reports in by_case.values()):
        raise ValueError(f"{path.name} holds no case that two models reported. Battles need pairs.")
    for case, reports in by_case.items():
        reference = next((str(told["reference"]) for told in reports.values() if told.get("reference")), "")
        for one, other in itertools.combinations(sorted(reports), 2):
            yield Comparison(
                case=case,
                study=str(reports[one].get("study", case)),
                category=str(reports[one].get("category", "")),
                first=one,
                second=other,
                first_text=reports[one]["text"],
                second_text=reports[other]["text"],
                reference=reference,
            )


def _told(board: dict[str, Any]) -> Iterator[str]:
    yield board["protocol"]
    for beside in board["against_experts"]:
        kappa, ac1 = beside["kappa"], beside["ac1"]
        figures = f"kappa {_figure(kappa)}, AC1 {_figure(ac1)}" if kappa else "no common pair"
        number = beside["num_battles"]
        yield f"{beside['judge']} against experts on {number:,} pairs: {figures}. {beside['says']}"
    for bias in board["judge_bias"]:
        for sentence in bias["says"]:
            yield f"{bias['judge']}: {sentence}"
    for name in ("judges", "styled", "experts"):
        of_name = board[name]
        if of_name["refused"]:
            yield f"{name}: {of_name['refused']}"
            continue
        yield f"{name}, {of_name['num_battles']:,} battles. {of_name['note']}".rstrip()
        for row in of_name["rows"]:
            low, high = row["interval"]
            best, worst = row["rank_interval"]
            yield (
                f"  {row['rank']:>3} ({best} to {worst})  {row['model']:<30} {row['rating']:7.1f} "
                f"({low:.1f} to {high:.1f})"
            )
    if board["ended"]:
        yield board["ended"]


def _figure(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "none"
    if figure["interval"] is None:
        return f"{figure['value']:.2f}"
    return f"{figure['value']:.2f} ({figure['interval'][0]:.2f} to {figure['interval'][1]:.2f})"
