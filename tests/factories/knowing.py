"""An engine that knows what is on every film of a benchmark, by its pixels, and says it as it is told to."""

from collections.abc import Callable, Generator, Sequence

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation, PatientAnswer
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.evaluation.suites import as_json, measure
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from inference.engines import Done, Event, GenerationRequest
from inference.phantoms import PhantomTruth, draw_phantom, ideal_reasoning
from rl_feedback.canaries import CanaryBenchmark, CanaryKind, draw_canaries
from rl_feedback.evaluation.phantoms import AskedHow

ASKED = AskedHow(prompt="Report.", box_frame="processed", max_new_tokens=8)
NOTHING = "<think> This is no chest </think> The answer is: \\boxed{no acute finding}"


class Knowing:
    """`say` gets the ideal text of each film."""

    def __init__(self, benchmark: Benchmark, *, say: Callable[[str], str] = str) -> None:
        how = (benchmark.first_seed, benchmark.num_phantoms, benchmark.site)
        self.texts = of_canaries(*how) if benchmark.suite == "canaries" else of_chests(*how)
        self.say = say

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        for request in requests:
            text = self.say(self.texts[request.shown_film.tobytes()])
            yield Done(request.key, text, request.prompt, 8, 0.1, (112, 112), "stop")


def measure_for(candidate: ModelVersion, version: ModelVersion, *, say: Callable[[str], str] = str) -> None:
    """As if the version had answered all that is asked before the gate decides on the candidate."""
    for benchmark in ensure_benchmarks_for(candidate):
        if Evaluation.objects.filter(benchmark=benchmark, model_version=version).exists():
            continue
        if benchmark.suite == Benchmark.Suite.PATIENTS:
            answer_patients(benchmark, version, say=say)
            continue
        engine = Knowing(benchmark, say=say)
        results = measure(benchmark, engine, asked=ASKED)
        Evaluation.objects.create(
            benchmark=benchmark,
            model_version=version,
            state=JobState.DONE,
            num_done=len(results),
            cases=[as_json(result) for result in results],
        )


def answer_patients(benchmark: Benchmark, version: ModelVersion, *, say: Callable[[str], str] = str) -> None:
    """As if it had written of each film what is on it, which is what a model said of it first."""
    evaluation = Evaluation.objects.create(
        benchmark=benchmark, model_version=version, state=JobState.DONE, num_done=benchmark.num_phantoms
    )
    for row in benchmark.patient_films.all():
        truth = Completion.objects.filter(instance=row.film).earliest("pk").text
        PatientAnswer.objects.create(
            evaluation=evaluation, of=row, text=say(truth), model_width=112, model_height=112
        )


def of_chests(first_seed: int, num_films: int, site: str) -> dict[bytes, str]:
    """Pixels of each film to its ideal text."""
    films = [draw_phantom(seed=seed, site=site) for seed in range(first_seed, first_seed + num_films)]
    return {film.to_uint8().tobytes(): ideal_reasoning(film.truth) for film in films}


def of_canaries(first_seed: int, num_films: int, site: str) -> dict[bytes, str]:
    """The same; of a mirrored film with its sides changed over."""
    return {
        canary.film.tobytes(): _text(canary.truth, is_mirrored=canary.kind is CanaryKind.MIRRORED)
        for canary in draw_canaries(CanaryBenchmark(first_seed, num_films, site))
    }


def _text(truth: PhantomTruth | None, *, is_mirrored: bool) -> str:
    text = NOTHING if truth is None else ideal_reasoning(truth)
    return swap_sides(text) if is_mirrored else text


def swap_sides(text: str) -> str:
    return text.replace("left", "\0").replace("right", "left").replace("\0", "right")
