"""Runs of the Report Arena, judged by a SIMULATED judge in this process."""

from collections.abc import Callable, Generator, Iterable, Sequence

from django.test import override_settings

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.running import carry_out
from deepmedix_review.evaluation.arena.services import make_run
from deepmedix_review.evaluation.arena.wanted import WantedRun
from deepmedix_review.evaluation.models import ArenaRun
from deepmedix_review.registry.models import ModelVersion
from inference.engines import Done, Failed, GenerationRequest
from tests.rl_feedback.evaluation.arena.judged import verdict

ORIGIN = "http://127.0.0.1:9"
URL = f"{ORIGIN}/v1"


class SimulatedJudge:
    """Takes the report that names the nodule; answers nothing more once `most` questions came."""

    def __init__(self, says: Callable[[str], str] | None = None, *, most: int | None = None) -> None:
        self.says, self.most = says or truthful, most
        self.prompts: list[str] = []

    def generate(self, requests: Iterable[GenerationRequest]) -> Generator[Done | Failed]:
        for request in requests:
            assert request.film is None
            if self.most is not None and len(self.prompts) >= self.most:
                yield Failed(request.key, "The model server can't be reached.")
                continue
            self.prompts.append(request.prompt)
            text = self.says(request.prompt)
            yield Done(request.key, text, request.prompt, 10, 0.1, (0, 0), "stop", num_prompt_tokens=100)


def truthful(prompt: str) -> str:
    first, second = ("nodule" in prompt.split(f"report_{which}>")[1] for which in "AB")
    return verdict("tie" if first == second else "A" if first else "B")


def judged_run(versions: Sequence[ModelVersion], *, actor: User) -> ArenaRun:
    """Done, with its board."""
    wanted = WantedRun(title="Nightly", versions=versions, url=URL, served_model="judge", num_wanted=6)
    with override_settings(INFERENCE_ENDPOINTS=[ORIGIN]):
        run = jobs.claim(ArenaRun, job_id=make_run(wanted, actor=actor).pk)
        assert run is not None
        carry_out(run, SimulatedJudge(), check=lambda: None)
    jobs.finish(run, state=JobState.DONE)
    return run
