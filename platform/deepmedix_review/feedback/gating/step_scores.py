"""Scores the steps of candidate and parent on sealed films, where readers' ratings taught a scorer that knows
more than a step's length and place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.selectors import results_of
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.rated_steps import rated_steps
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.registry.models import ModelVersion
from inference.prompts import template
from rl_feedback.gate import BenchmarkScores, Suite
from rl_feedback.training.examples import RatedStep, write_examples
from rl_feedback.training.view import FilmView

# Any fixed number: the same ratings and model give the same scorer.
SEED = 7


@dataclass(frozen=True)
class StepsCompared:
    """`absent` says why there are no scores."""

    scores: tuple[BenchmarkScores, ...]
    absent: str = ""


def compare_steps_of(
    candidate: ModelVersion, *, parent: ModelVersion, both: Sequence[tuple[Evaluation, Evaluation]]
) -> StepsCompared:
    """`both` are the finished measurements of parent and candidate. For the learning worker: it loads the
    parent where a scorer may be used."""
    run = TrainingRun.objects.filter(candidate=candidate).select_related("dataset").first()
    if run is None:
        return StepsCompared((), "It was not trained on ratings that are known here.")
    # The web process must not load torch.
    from rl_feedback.steps.comparing import compare_steps
    from rl_feedback.steps.learning import lacking
    from rl_feedback.steps.reading import StepReader, ensure_step_scorer, on_threads
    from rl_feedback.training.films import Films

    rated = rated_steps(run.dataset, parent=parent)
    too_few = lacking(rated)
    if too_few:
        return StepsCompared((), f"Not used: {too_few}")
    # A scorer reads the states of one model: each version that the candidate stands beside has its own.
    folder, model = run_folder(run) / "gate" / str(parent.uid), Path(parent.folder)
    view = FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels)
    write_examples(folder / "data", rated, kind=RatedStep)
    about = ensure_step_scorer(
        folder / "step_scorer", data=folder / "data", model=model, view=view, seed=SEED
    )
    if not about["may_be_used"]:
        return StepsCompared((), about["sentence"])
    reader = StepReader.of(folder / "step_scorer", model=model, films=Films(folder / "data", view))
    asked = template(parent.prompt_template)
    with on_threads(1):
        return StepsCompared(
            tuple(
                compare_steps(
                    reader,
                    site=before.benchmark.site,
                    parent=results_of(before),
                    candidate=results_of(after),
                    prompt=asked.render(asked.default_query),
                    rated=rated,
                )
                for before, after in both
                if before.benchmark.suite == Suite.SEALED
            )
        )
