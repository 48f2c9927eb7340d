"""Scores the steps that two versions wrote of the same sealed films, by one scorer that belongs to neither.

The scorer reads by the parent. A film counts what its weakest step's lower bound is, as in the reward; a text
without steps counts nothing. Steps that name a kind of finding of which no reader rated a step are passed by:
the scorer gives nothing for what it does not know, and a version that learned to name what its parent never
saw would be held for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from inference.grounding import parse_completion
from inference.phantoms import draw_phantom
from rl_feedback.evaluation.phantoms import FILM_SIDE_PX, CaseResult
from rl_feedback.gate.deciding import BenchmarkScores
from rl_feedback.gate.policy import CaseScores, Suite
from rl_feedback.preferences.kinds import kinds_said
from rl_feedback.steps.rated import kinds_rated
from rl_feedback.steps.reading import StepReader
from rl_feedback.training.examples import RatedStep
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView

STEP_SCORE = "step_score"


class SealedFilms(Films):
    """The sealed films of one site, drawn when they are asked for by their seed."""

    def __init__(self, view: FilmView, *, site: str) -> None:
        self.view, self.site = view, site

    def film(self, name: str) -> Image.Image:
        drawn = draw_phantom(seed=int(name), width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=self.site)
        shown: Any = self.prepared(drawn.to_uint8())
        return shown  # type: ignore[no-any-return]


def compare_steps(
    reader: StepReader,
    *,
    site: str,
    parent: Sequence[CaseResult],
    candidate: Sequence[CaseResult],
    prompt: str,
    rated: Sequence[RatedStep],
    on_text: Callable[[], None] = lambda: None,
) -> BenchmarkScores:
    """Both versions on the same films of a site; `prompt` is what they were asked, `rated` what taught the
    scorer."""
    known = kinds_rated(rated)
    at_site = StepReader(reader.loaded, SealedFilms(reader.films.view, site=site), reader.scorer)

    def scores(results: Sequence[CaseResult]) -> CaseScores:
        values = []
        for one in results:
            on_text()
            [bounds] = at_site.lower_bounds([(str(one.seed), prompt, one.text)])
            steps = parse_completion(one.text).steps
            told = [
                bound for bound, step in zip(bounds, steps, strict=True) if kinds_said([step.text]) <= known
            ]
            values.append(min(told, default=0.0))
        return CaseScores(tuple(values), (1.0,) * len(values))

    return BenchmarkScores(
        f"the {site} site by the step scorer",
        {STEP_SCORE: scores(parent)},
        {STEP_SCORE: scores(candidate)},
        Suite.STEPS,
    )
