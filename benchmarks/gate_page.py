"""How long a candidate's page takes after the gate: 500 sealed patients, 200 drawn films a site."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer, median_seconds
from inference.engines import Done, Event, GenerationRequest
from inference.grounding import parse_completion
from inference.phantoms import draw_phantom, ideal_reasoning
from inference.regions import Box
from rl_feedback.evaluation.phantoms import AskedHow
from rl_feedback.sealed_patients import Finding, Reference, ReferenceFinding
from rl_feedback.sealed_patients.findings import told_by

if TYPE_CHECKING:
    from deepmedix_review.evaluation.models import Benchmark
    from deepmedix_review.registry.models import ModelVersion
    from deepmedix_review.studies.models import Instance

NUM_PATIENTS, NUM_PHANTOMS = 500, 200
NUM_RUNS = 5
FIRST_SEED = 2_000_000
ASKED = AskedHow(prompt="Report.", box_frame="processed", max_new_tokens=8)
NOTHING = "<think> Both lungs are clear </think> The answer is: \\boxed{no acute finding}"


def run() -> list[Figure]:
    with private_installation():
        from django.test import Client
        from django.urls import reverse

        from deepmedix_review.accounts.models import User

        candidate = decided_candidate()
        client = Client()
        client.force_login(User.objects.get(username="researcher"))
        address = reverse("model-detail", args=[candidate.uid])

        def view() -> None:
            page = client.get(address).content.decode()
            if page.count('class="changed-case"') != 12:
                raise RuntimeError("the page lacks films where the candidate changed most")

        view()
        return [
            Figure(
                f"the page of a candidate compared on {NUM_PATIENTS} sealed patients and "
                f"{2 * NUM_PHANTOMS} sealed drawn films",
                median_seconds(view, num_runs=NUM_RUNS),
                "s",
                Peer("the time in which a page seems to answer at once", 0.3),
                NUM_RUNS,
            )
        ]


def decided_candidate() -> ModelVersion:
    """Beside its parent, on all that the gate looks at; on half of the films it says nothing."""
    from django.conf import settings
    from django.db import connection

    from deepmedix_review.accounts.models import Role, User
    from deepmedix_review.evaluation.models import Benchmark
    from deepmedix_review.evaluation.services import ensure_benchmarks_for, set_patients
    from deepmedix_review.feedback.services import pass_or_hold
    from deepmedix_review.registry.models import ModelVersion

    settings.GATE_NUM_PHANTOMS = NUM_PHANTOMS
    settings.ALLOWED_HOSTS = ["testserver"]
    User.objects.create(username="researcher", role=Role.RESEARCHER)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    kinds = {"name": "Phantom", "box_frame": "processed", "prompt_template": "phantom", "folder": "/none"}
    kinds |= {"preset": "phantom", "dialect": "deepmedix"}
    sizes = {"min_pixels": 12544, "max_pixels": 12544, "size_multiple": 28}
    sizes |= {"max_new_tokens": 8, "temperature": 0, "prompt_version": 1}
    parent = ModelVersion.objects.create(number=1, state="serving", **kinds, **sizes)
    candidate = ModelVersion.objects.create(number=2, parent=parent, **kinds, **sizes)
    set_patients(candidate, films=_films(), num_patients=NUM_PATIENTS)
    for benchmark in ensure_benchmarks_for(candidate):
        for version in (parent, candidate):
            if benchmark.suite == Benchmark.Suite.PATIENTS:
                _answer(benchmark, version, is_silent=version == candidate)
            else:
                _measure(benchmark, version, is_silent=version == candidate)
    pass_or_hold(candidate)
    return candidate


def _films() -> dict[Instance, Reference]:
    """Each with what readers have confirmed of it, which is all that it shows, and a finding struck out."""
    from benchmarks.bulk_rows import fill, series
    from deepmedix_review.studies.models import Instance, Series, Study

    rows = series(1, NUM_PATIENTS)
    study = {"study_instance_uid": "'2.25.' || n", "patient_pseudonym": "'P-' || n", "state": "'ready'"}
    fill(Study, rows, id="n", **study)
    fill(Series, rows, id="n", study_id="n", series_instance_uid="'2.25.1' || n", modality="'DX'")
    size = {"rows": "112", "columns": "112", "bits_stored": "12", "file_bytes": "1000000"}
    keys = {"sop_instance_uid": "'2.25.2' || n", "pixel_sha256": "md5(n::text)"}
    fill(Instance, rows, id="n", series_id="n", **keys, **size)
    return {film: _known(film.pk) for film in Instance.objects.select_related("series__study").order_by("pk")}


def _known(number: int) -> Reference:
    parsed = parse_completion(_text(FIRST_SEED + number))
    confirmed: dict[Finding, tuple[Box, ...]] = {}
    for step in parsed.steps:
        for finding in told_by([step.text]).present:
            confirmed.setdefault(finding, tuple(step.boxes))
    struck = tuple({Finding("Fracture")} - set(confirmed))
    return Reference(
        confirmed=tuple(ReferenceFinding(finding, boxes) for finding, boxes in sorted(confirmed.items())),
        struck=struck,
        denied=(),
        disputed=(),
        answers=(parsed.answer or "",),
        num_readings=1,
        readers=(f"R{number % 8}",),
    )


def _text(seed: int) -> str:
    return ideal_reasoning(draw_phantom(seed=seed, width=112, height=112).truth)


def _answer(benchmark: Benchmark, version: ModelVersion, *, is_silent: bool) -> None:
    from deepmedix_review.common import jobs
    from deepmedix_review.evaluation.models import Evaluation
    from deepmedix_review.evaluation.patients import keep_answers, record_patients

    waiting = Evaluation.objects.create(benchmark=benchmark, model_version=version)
    evaluation = jobs.claim(Evaluation, job_id=waiting.pk)
    if evaluation is None:
        raise RuntimeError("another worker took the measurement")
    texts = [
        (row.pk, NOTHING if is_silent and row.film_id % 2 else _text(FIRST_SEED + row.film_id))
        for row in benchmark.patient_films.all()
    ]
    keep_answers(
        evaluation, [(pk, Done(str(pk), text, "", 8, 0.1, (112, 112), "stop")) for pk, text in texts]
    )
    record_patients(evaluation)


def _measure(benchmark: Benchmark, version: ModelVersion, *, is_silent: bool) -> None:
    from deepmedix_review.evaluation.models import Evaluation
    from deepmedix_review.evaluation.suites import as_json, measure

    results = measure(benchmark, _Truthful(benchmark.site, is_silent=is_silent), asked=ASKED)
    Evaluation.objects.create(
        benchmark=benchmark,
        model_version=version,
        state="done",
        num_done=len(results),
        cases=[as_json(result) for result in results],
    )


class _Truthful:
    """An engine that writes what is on a drawn film, and nothing of every other one where it is silent."""

    def __init__(self, site: str, *, is_silent: bool) -> None:
        self.site, self.is_silent = site, is_silent

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        for request in requests:
            yield Done(request.key, self._text(request.key), request.prompt, 8, 0.1, (112, 112), "stop")

    def _text(self, key: str) -> str:
        if not key.isdigit() or (self.is_silent and int(key) % 2):
            return NOTHING
        return ideal_reasoning(draw_phantom(seed=int(key), width=112, height=112, site=self.site).truth)
