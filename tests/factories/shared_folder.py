"""What a shared data set is made of: ratings of drawn films, and the folder that is written of them."""

from dataclasses import replace
from pathlib import Path

from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from rl_feedback.__main__ import main
from rl_feedback.training.examples import (
    JudgedText,
    RatedStep,
    RewardedCase,
    TrainingPair,
    read_examples,
    write_examples,
)
from rl_feedback.training.phantom_data import write_phantom_data

NUM_FILMS = 4
USE = "Research alone. <b>Not</b> to be passed on."
PREFIX = "<think> The heart size is normal with [30, 50, 80, 90]; "


def true_text(seed: int) -> str:
    return ideal_reasoning(draw_phantom(seed=seed).truth)


def write_data(folder: Path) -> None:
    """Of each film a pair, two judged texts, a case, and ratings of the first two steps of three."""
    write_phantom_data(folder, seeds=range(NUM_FILMS), site="first")
    films = [case.film for case in read_examples(folder, RewardedCase)]
    cases = list(read_examples(folder, RewardedCase))
    cases[0] = replace(cases[0], regions=None)
    step = {"text": "The heart is big", "criterion": "plausibility", "value": 0.8, "variance": None}
    cases[1] = replace(cases[1], steps=[step])
    write_examples(folder, cases, kind=RewardedCase)
    pairs = [
        TrainingPair(film, REPORT_QUERY, 0.64, "vote", true_text(seed), true_text(seed + 50))
        for seed, film in enumerate(films)
    ]
    ones = [
        TrainingPair(films[0], REPORT_QUERY, 1.0, "step", "Both lungs are clear", "A left effusion", PREFIX),
        TrainingPair(films[1], REPORT_QUERY, 1.0, "step", "A left effusion", "Both lungs are clear", PREFIX),
    ]
    write_examples(folder, [*pairs, *ones], kind=TrainingPair)
    judged = [
        JudgedText(film, REPORT_QUERY, 0.9, "rating", true_text(seed + n), not n)
        for seed, film in enumerate(films)
        for n in (0, 50)
    ]
    write_examples(folder, judged, kind=JudgedText)
    text = "<think> Clear; Big heart [1, 2, 3, 4]; No nodule </think> \\boxed{big heart}"
    rated = [
        RatedStep(film, REPORT_QUERY, 1.0, "rating", text, place, points, reader, "p")
        for film in films
        for reader, ratings in (("a", (5, 3)), ("b", (4, 2)))
        for place, points in enumerate(ratings)
    ]
    write_examples(folder, rated, kind=RatedStep)


def written(data: Path, out: Path) -> Path:
    told = ("--title", "Round [1]: # first", "--use", USE, "--as-of", "2026-11-29", "--preset", "phantom")
    assert main(["hugging-face", "--data", str(data), "--out", str(out), *told]) == 0
    return out
