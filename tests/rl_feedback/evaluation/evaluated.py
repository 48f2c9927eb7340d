"""What `python -m rl_feedback evaluate` is given, and what it wrote."""

import json
from pathlib import Path

from rl_feedback.evaluation.results import Report, from_json

QUICK = ["--num-draws", "60", "--num-shuffles", "200"]


def lines(path: Path, told) -> str:
    path.write_text("\n".join(map(json.dumps, told)) + "\n", "utf-8")
    return str(path)


def result_of(folder: Path) -> Report:
    return from_json((folder / "results.json").read_text("utf-8"))


def two_reports(folder: Path) -> list[str]:
    """Of two models, one of which writes one report only."""
    told = [{"id": "a", "text": "Effusion."}, {"id": "b", "text": "Edema."}]
    right = [{"id": one["id"], "task": "report", "answer": f"{one['text']} Nodule."} for one in told]
    worse = lines(folder / "worse.jsonl", [{**one, "text": "Edema."} for one in told])
    return [
        *("--predictions", lines(folder / "good.jsonl", told), "--beside", worse),
        *("--references", lines(folder / "right.jsonl", right), "--weight-free", *QUICK),
    ]
