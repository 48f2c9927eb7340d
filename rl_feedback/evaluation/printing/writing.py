"""Writes an evaluation into a new folder, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from rl_feedback.evaluation.printing.page import draw_page
from rl_feedback.evaluation.printing.tables import differences_csv, figures_csv, latex, model_card
from rl_feedback.evaluation.results import Report, from_json, to_json


def require_new(folder: Path) -> None:
    """Raises ValueError where something lies there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty. Name a new folder.")


def files_of(told: str) -> dict[str, str]:
    """Each file's text by its name, from results.json alone, so that it holds all that the others show.
    Raises ValueError for what is no result."""
    report = from_json(told)
    return {
        "results.json": told,
        "report.html": draw_page(report),
        "figures.csv": figures_csv(report),
        "differences.csv": differences_csv(report),
        "tables.tex": latex(report),
        "model-card.md": model_card(report),
    }


def write_report(report: Report, folder: Path) -> Path:
    """results.json, and from it report.html, figures.csv, differences.csv, tables.tex and model-card.md;
    returns the page. What is written appears at once: a failure leaves nothing behind."""
    require_new(folder)
    files = files_of(to_json(report))
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8")
        beside.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return folder / "report.html"
