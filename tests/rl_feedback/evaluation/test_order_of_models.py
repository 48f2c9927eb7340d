"""The model that ships beside two that see worse, asked and measured as a user does at a shell: findings,
impression, questions, regions, and a board of SIMULATED readers' votes. Each finds their order."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.__main__ import main as inference
from inference.phantoms import draw_phantom
from rl_feedback.__main__ import main
from rl_feedback.evaluation.arena.boards import arena_of
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict
from rl_feedback.evaluation.results import Report, from_json
from rl_feedback.simulated_readers import PANEL, read_case
from tests.factories.models import SHIPPED_MODEL, write_pruned_model

FIRST_SEED, NUM_FILMS, SIDE_PX = 2_100_000, 40, 256
NAMES = ("shipped", "pruned-60", "pruned-75")  # best first
QUESTION = "Which findings are on this film?"
_REGIONS = re.compile(r" with(?: \[[^\]]*\])+")


def write_lines(path: Path, rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with their truth, and what each model wrote of them in `NAME.out`."""
    folder = tmp_path_factory.mktemp("asked")
    films = folder / "films"
    drawn = ["--num-films", NUM_FILMS, "--first-seed", FIRST_SEED, "--size", SIDE_PX]
    assert inference(["phantoms", str(films), *map(str, drawn)]) == 0
    models = {
        "shipped": SHIPPED_MODEL,
        "pruned-60": write_pruned_model(folder / "60", share=0.6),
        "pruned-75": write_pruned_model(folder / "75", share=0.75),
    }
    for name in NAMES:
        with pytest.MonkeyPatch.context() as patch, (folder / f"{name}.out").open("w") as out:
            patch.setattr("sys.stdout", out)
            paths = sorted(map(str, films.glob("*.dcm")))
            assert inference(["generate", "--model", str(models[name]), "--temperature", "0", *paths]) == 0
    return folder


def truths(folder: Path) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = json.loads((folder / "films" / "truth.json").read_text("utf-8"))
    return told


def written(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    rows = map(json.loads, (folder / f"{name}.out").read_text("utf-8").splitlines())
    return {Path(row["film"]).name: row for row in rows}


def references(folder: Path) -> Iterator[dict[str, Any]]:
    for film, truth in truths(folder).items():
        of_film = {"study": film, "image": f"films/{film}"}
        yield of_film | {
            "id": f"{film} findings",
            "task": "report",
            "category": "findings",
            "answer": truth["findings"],
        }
        yield of_film | {
            "id": f"{film} impression",
            "task": "report",
            "category": "impression",
            "answer": truth["impression"],
        }
        yield of_film | {
            "id": f"{film} question",
            "task": "vqa",
            "category": "findings",
            "question": QUESTION,
            "answer": truth["answer"].split(", "),
        }
        yield of_film | {
            "id": f"{film} regions",
            "task": "grounding",
            "boxes": list(truth["regions_px"].values()),
            "image_size": [SIDE_PX, SIDE_PX],
        }


def predictions(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    for film, row in written(folder, name).items():
        steps = ". ".join(_REGIONS.sub("", step["text"]) for step in row["steps"])
        yield {"id": f"{film} findings", "text": f"{steps}." if steps else ""}
        yield {"id": f"{film} impression", "text": row["answer"] or ""}
        yield {"id": f"{film} question", "text": row["answer"] or ""}
        # Of the healthy heart and lungs the truth of a film names no region.
        boxes = [
            region["box"]
            for step in row["steps"]
            for region in step["regions"]
            if "normal" not in step["text"] and "clear" not in step["text"]
        ]
        yield {"id": f"{film} regions", "text": row["text"], "boxes": boxes}


@pytest.fixture(scope="module")
def report(asked: Path) -> Report:
    write_lines(asked / "references.jsonl", references(asked))
    files = []
    for name in NAMES:
        write_lines(asked / f"{name}.jsonl", predictions(asked, name))
        files.append(str(asked / f"{name}.jsonl"))
    out, right = asked / "out", str(asked / "references.jsonl")
    told = [
        "--predictions",
        files[0],
        "--beside",
        *files[1:],
        "--references",
        str(asked / "references.jsonl"),
    ]
    few = ["--weight-free", "--num-draws", "200", "--num-shuffles", "1000", "--with-films"]
    assert main(["evaluate", *told, "--references", right, "--out", str(out), *few]) == 0
    return from_json((out / "results.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("task", "measure"),
    [
        ("report", "bleu_4"),
        ("report", "rule_chexpert_f1_micro_14"),
        ("vqa", "score"),
        ("grounding", "mean_iou"),
    ],
)
def test_each_task_finds_the_order(report: Report, task: str, measure: str) -> None:
    values = []
    for name in NAMES:
        figure = report.figure(task, measure, name)
        assert figure is not None
        assert figure.value is not None
        values.append(figure.value)
    assert values == sorted(values, reverse=True), values
    assert values[0] > values[1] > values[2]
    first = next(
        one for one in report.compared if (one.task, one.measure, one.beside) == (task, measure, "pruned-60")
    )
    assert first.p_holm is not None
    assert first.p_holm < 0.05


def test_the_board_of_simulated_votes_finds_the_order(asked: Path) -> None:
    texts = {name: written(asked, name) for name in NAMES}
    judgements = []
    for number, (film, told) in enumerate(truths(asked).items()):
        truth = draw_phantom(seed=told["seed"], width=56, height=56).truth
        for place, (first, second) in enumerate(itertools.permutations(NAMES, 2)):
            reader = PANEL[(number + place) % len(PANEL)]
            pair = [texts[name][film]["text"] for name in (first, second)]
            reading = read_case(reader, truth, pair, kind="votes", seed=number * 10 + place)
            assert reading.vote is not None
            judgements.append(
                Judgement(
                    case=film,
                    study=film,
                    first=first,
                    second=second,
                    judge=reader.name,
                    kind=Kind.EXPERT,
                    verdict={"a": Verdict.FIRST, "b": Verdict.SECOND}.get(reading.vote.overall, Verdict.TIE),
                )
            )
    board = arena_of(judgements).experts.board
    assert board is not None
    rows = board.rows()
    assert [row.model for row in rows] == list(NAMES)
    for better, worse in itertools.pairwise(rows):
        assert better.interval[0] > worse.interval[1]
