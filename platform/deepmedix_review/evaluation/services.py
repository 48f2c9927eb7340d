"""Keeps the benchmarks that every version is measured on, and what a measurement found."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation, PatientFilm
from deepmedix_review.evaluation.suites import AnyResult, as_json, figures
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Instance
from inference.phantoms import HELD_OUT_SEEDS, SITES, Site
from rl_feedback.sealed_patients import Reference

# The gate's films lie beyond those that model cards give figures for, and the sites share none.
_GATE_SEEDS = {"first": HELD_OUT_SEEDS.start + 5000, "second": HELD_OUT_SEEDS.start + 7500}
_CANARY_SEED = HELD_OUT_SEEDS.start + 3000
_MOST_PHANTOMS = 2500
# Twins are drawn from this many seeds, far beyond any that films were ever written from.
_TWIN_SEEDS = range(2**40, 2**52)
# Counts up with every change of what is measured of a film.
_FIGURES = 4


def ensure_gate_benchmarks() -> list[Benchmark]:
    """The sealed films of the gate, one benchmark a site; settings.GATE_NUM_PHANTOMS says how many films each
    has."""
    number = settings.GATE_NUM_PHANTOMS
    if not 1 <= number <= _MOST_PHANTOMS:
        raise ValueError(f"GATE_NUM_PHANTOMS must lie between 1 and {_MOST_PHANTOMS}, not at {number}.")
    return [
        Benchmark.objects.get_or_create(
            name=_benchmark_name(number, SITES[site]),
            defaults={"first_seed": first_seed, "num_phantoms": number, "site": site},
        )[0]
        for site, first_seed in _GATE_SEEDS.items()
    ]


def ensure_benchmarks_for(candidate: ModelVersion) -> list[Benchmark]:
    """All that a candidate and its parent are measured on: sealed films, canaries, twins of the sealed films,
    which are drawn by the installation's secret when they are first asked for, and sealed patients of the
    site where `set_patients` found any."""
    sealed = ensure_gate_benchmarks()
    number = settings.GATE_NUM_PHANTOMS
    canaries, _ = Benchmark.objects.get_or_create(
        name=f"{number} canaries, figures {_FIGURES}",
        defaults={
            "first_seed": _CANARY_SEED,
            "num_phantoms": number,
            "site": "first",
            "suite": Benchmark.Suite.CANARIES,
        },
    )
    twins = [
        Benchmark.objects.get_or_create(
            name=f"{max(1, number // 2)} twins for {candidate.uid.hex[:12]}, {benchmark.site} site, "
            f"figures {_FIGURES}",
            defaults={
                "first_seed": _twin_seed(candidate, benchmark.site),
                "num_phantoms": max(1, number // 2),
                "site": benchmark.site,
                "suite": Benchmark.Suite.TWINS,
                "drawn_for": candidate,
            },
        )[0]
        for benchmark in sealed
    ]
    patients = Benchmark.objects.filter(
        drawn_for=candidate, suite=Benchmark.Suite.PATIENTS, num_phantoms__gt=0
    )
    return [*sealed, canaries, *twins, *patients]


def patients_of(candidate: ModelVersion) -> Benchmark | None:
    """The sealed patients that it meets, none at all among them; None where nobody has looked yet."""
    return Benchmark.objects.filter(drawn_for=candidate, suite=Benchmark.Suite.PATIENTS).first()


def set_patients(
    candidate: ModelVersion, *, films: Mapping[Instance, Reference], num_patients: int
) -> Benchmark:
    """The films of sealed patients that candidate and parent are measured on, with what readers have said of
    them by now: for this candidate, once and for all."""
    with transaction.atomic():
        benchmark = Benchmark.objects.create(
            name=f"patients for {candidate.uid.hex[:12]}",
            suite=Benchmark.Suite.PATIENTS,
            drawn_for=candidate,
            first_seed=0,
            num_phantoms=len(films),
            num_patients=num_patients,
            num_readings=sum(known.num_readings for known in films.values()),
            num_readers=len({reader for known in films.values() for reader in known.readers}),
        )
        PatientFilm.objects.bulk_create(
            PatientFilm(benchmark=benchmark, film=film, reference=known.as_json())
            for film, known in films.items()
        )
        record_event(
            actor=None,
            action="set_sealed_patients",
            subject=candidate,
            details={
                "num_films": len(films),
                "num_patients": num_patients,
                "num_readings": benchmark.num_readings,
            },
        )
    return benchmark


def _twin_seed(candidate: ModelVersion, site: str) -> int:
    """Nobody without the installation's secret can know it before the gate asks."""
    about = f"twins for {candidate.uid} at {site}"
    digest = hmac.new(settings.SECRET_KEY.encode(), about.encode(), hashlib.sha256).digest()
    return _TWIN_SEEDS.start + int.from_bytes(digest[:8]) % (len(_TWIN_SEEDS) - _MOST_PHANTOMS)


def _benchmark_name(number: int, site: Site) -> str:
    """Films that were drawn anew, or measured by other figures, are another benchmark: what was measured
    before is not comparable."""
    drawing = f", drawing {site.drawing}" if site.drawing > 1 else ""
    return f"{number} held-out phantoms, {site.name} site{drawing}, figures {_FIGURES}"


def keep_cases(evaluation: Evaluation, results: Sequence[AnyResult]) -> None:
    """Renew the lease and keep what is measured so far: the next attempt goes on from there."""
    cases = [as_json(result) for result in results]
    jobs.heartbeat(evaluation, is_kept=True, num_done=len(cases), cases=cases)


def record_evaluation(evaluation: Evaluation, results: Sequence[AnyResult]) -> None:
    """Keep every case and the figures over them, and end the job."""
    found = {
        name: {
            "label": figure.label,
            "mean": figure.mean,
            "low": figure.low,
            "high": figure.high,
            "weight": figure.weight,
        }
        for name, figure in figures(results).items()
    }
    with transaction.atomic():
        jobs.hold(evaluation)
        jobs.finish(
            evaluation,
            state=JobState.DONE,
            num_done=len(results),
            figures=found,
            cases=[as_json(result) for result in results],
        )


def cancel_evaluation(evaluation: Evaluation, *, actor: User) -> None:
    """A running one ends after the films in hand; what is measured by then is kept. The gate decides on
    nothing that waits for it, until a person lets it go on."""
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        held = Evaluation.objects.select_for_update().defer("cases").get(pk=evaluation.pk)
        if held.is_final:
            raise RefusedByRule(
                f"This measurement is {held.state} already, so there is nothing left to cancel."
            )
        if held.cancel_requested:
            raise RefusedByRule("This measurement is ending already, after the films in hand.")
        held.cancelled_by = actor
        held.save(update_fields=["cancelled_by"])
        jobs.request_cancel(held)
        record_event(actor=actor, action="cancel_evaluation", subject=held)
    evaluation.refresh_from_db()


def requeue_evaluation(evaluation: Evaluation, *, actor: User) -> None:
    """A failed or cancelled one goes on from what is kept of it."""
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        held = Evaluation.objects.select_for_update().defer("cases").get(pk=evaluation.pk)
        if held.state not in (JobState.FAILED, JobState.CANCELLED):
            raise RefusedByRule(
                f"This measurement is {held.state}; only a failed or cancelled one can be tried again."
            )
        jobs.retry(held, cancelled_by=None)
        record_event(actor=actor, action="retry_evaluation", subject=held)
    evaluation.refresh_from_db()
