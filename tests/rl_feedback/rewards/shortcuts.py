"""Ways of earning a reward on drawn films without reading them, or without saying all that was seen."""

from __future__ import annotations

import re
from statistics import fmean

from inference.grounding import format_completion
from inference.phantom_truth import LESIONS, SIDES, PhantomTruth, ideal_reasoning
from inference.phantoms import HELD_OUT_SEEDS, draw_phantom
from rl_feedback.rewards import grounded_reward, paper_reward, phantom_case

HEART = "The heart size is normal with [34, 48, 78, 92]"
LUNGS = "Both lungs are clear with [10, 12, 50, 96] and [62, 12, 102, 96]"
EVERYTHING = [f"{side} {kind}" for kind in LESIONS for side in SIDES]


def ways(truth: PhantomTruth) -> dict[str, str]:
    """What each way writes of a film, beside the perfect reading."""
    perfect = ideal_reasoning(truth)
    heart = perfect.removeprefix("<think> ").partition(";")[0].partition(" </think>")[0]
    boxes = {"right": "[10, 30, 50, 90]", "left": "[60, 30, 100, 90]"}
    named = [f"There is a {name} with {boxes[name.split()[0]]}" for name in EVERYTHING]
    other = {"left": "right", "right": "left"}
    padding = "; The lungs were looked at with care" * 15
    return {
        "the perfect reading": perfect,
        "nothing is wrong, with the same boxes on every film": format_completion(
            [HEART, LUNGS], "no acute finding"
        ),
        "every finding on both sides": format_completion(
            [HEART, *named], ", ".join(["cardiomegaly", *EVERYTHING])
        ),
        "every finding is possible": format_completion(
            [HEART], ", ".join(f"possible {name}" for name in ["cardiomegaly", *EVERYTHING])
        ),
        "all lesions left out": format_completion(
            [heart, "Both lungs are clear"], "cardiomegaly" if truth.enlarged_heart else "no acute finding"
        ),
        "left and right swapped": re.sub("left|right", lambda word: other[word.group()], perfect),
        "one box for everything": re.sub(r"\[[^]]*\]", "[30, 30, 80, 80]", perfect),
        "padded with one sentence": perfect.replace(" </think>", f"{padding} </think>"),
        "the answer without reasoning": f"\\boxed{{{truth.answer}}}",
    }


def means(site: str, num_films: int) -> dict[str, tuple[float, float]]:
    """Mean published reward and mean of ours for each way, over held-out films."""
    paid: dict[str, list[tuple[float, float]]] = {}
    for seed in HELD_OUT_SEEDS[:num_films]:
        truth = draw_phantom(seed=seed, width=56, height=56, site=site).truth
        case = phantom_case(truth)
        for way, text in ways(truth).items():
            published = paper_reward([text], [case.answer])[0].overall
            paid.setdefault(way, []).append((published, grounded_reward([text], [case])[0].overall))
    return {
        way: (fmean(published for published, _ in pairs), fmean(ours for _, ours in pairs))
        for way, pairs in paid.items()
    }
