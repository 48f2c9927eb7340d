"""How long all figures of a reader study of 100,000 signed readings take."""

import resource
from collections.abc import Callable

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer, median_seconds

NUM_CASES, NUM_READERS = 12_250, 8
# So many cases each reader reads twice.
NUM_REPEATED = 250
NUM_READINGS = NUM_READERS * (NUM_CASES + NUM_REPEATED)
NUM_STEPS = 3
NUM_RUNS = 5


def run() -> list[Figure]:
    with private_installation():
        reader_study = read_by_all()
        from deepmedix_review.reviews.models import StepRating
        from deepmedix_review.reviews.results.dashboard import compute

        num_readings = compute(reader_study).num_readings  # type: ignore[arg-type]
        if num_readings != NUM_READINGS:
            raise RuntimeError(f"{num_readings} readings were computed, not all")

        def load_by_rows() -> None:
            rows = StepRating.objects.select_related("reading__assignment")
            for rating in rows.iterator(chunk_size=10_000):
                assert rating.plausibility

        seconds = _median(lambda: compute(reader_study))  # type: ignore[arg-type]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        by_rows = median_seconds(load_by_rows, num_runs=1)
        return [
            Figure(
                what=f"all figures of {num_readings:,} readings of two versions, {NUM_STEPS} steps each, "
                f"{NUM_READERS * NUM_REPEATED:,} of them hidden repeats",
                value=seconds,
                unit="s",
                peer=Peer("only reading their step ratings as objects", by_rows),
                n=NUM_RUNS,
            ),
            Figure(
                what="peak memory of the process after it",
                value=memory,
                unit="MB",
                peer=Peer("a web process's limit", 1024),
                n=NUM_RUNS,
            ),
        ]


def _median(work: Callable[[], object]) -> float:
    return median_seconds(work, num_runs=NUM_RUNS)


def read_by_all() -> object:
    """Cases with two outputs each; every reader has signed every case, and some of them twice."""
    from django.db import connection

    from benchmarks.bulk_rows import fill, series, settle
    from deepmedix_review.accounts.models import Role, User
    from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
    from deepmedix_review.registry.models import ModelVersion
    from deepmedix_review.reviews.models import (
        AnswerRating,
        Assignment,
        Case,
        ReaderStudy,
        Reading,
        RegionAnnotation,
        StepRating,
        Vote,
    )
    from deepmedix_review.studies.models import Instance, Series, Study

    cases, outputs = series(1, NUM_CASES), series(1, 2 * NUM_CASES)
    counted = ("max_pixels", "min_pixels", "size_multiple", "temperature", "max_new_tokens", "prompt_version")
    numbers = dict.fromkeys(counted, "1")
    read_as = {"source": "'folder'", "folder": "'/none'", "prompt_template": "'phantom'"}
    read_as |= {"preset": "'phantom'", "dialect": "'deepmedix'"}
    with connection.cursor() as cursor:
        # The triggers that lock signed readings look at each row by itself.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
    fill(ModelVersion, series(1, 2), id="n", number="n", state="'retired'", **numbers, **read_as)
    for number in range(1, NUM_READERS + 1):
        User.objects.create(
            pk=number, username=f"reader-{number}", role=Role.EXPERT, pseudonym=f"U-{number:06}"
        )
    fill(ReaderStudy, series(1, 1), id="1", title="'Benchmark'", state="'running'", created_by_id="1")
    fill(
        Study,
        cases,
        id="n",
        study_instance_uid="'2.25.' || n",
        patient_pseudonym="'P-' || n",
        state="'ready'",
    )
    fill(Series, cases, id="n", study_id="n", series_instance_uid="'2.25.1' || n", modality="'DX'")
    size = {"rows": "2500", "columns": "2048", "bits_stored": "12", "file_bytes": "1000000"}
    fill(
        Instance,
        cases,
        id="n",
        series_id="n",
        sop_instance_uid="'2.25.2' || n",
        pixel_sha256="md5(n::text)",
        **size,
    )
    film = "(n + 1) / 2"
    sizes = {"image_width": "2048", "image_height": "2500", "model_width": "112", "model_height": "112"}
    said = dict.fromkeys(("temperature", "seed", "num_tokens", "seconds"), "1")
    fill(
        Completion,
        outputs,
        id="n",
        content_key="n::text",
        study_id=film,
        instance_id=film,
        model_version_id="1 + n % 2",
        **sizes,
        **said,
    )
    steps = f"generate_series(1, {2 * NUM_CASES}) c, generate_series(1, {NUM_STEPS}) s"
    step = f"(c - 1) * {NUM_STEPS} + s"
    fill(ReasoningStep, steps, id=step, completion_id="c", position="s", text="'The heart is enlarged'")
    edges = {
        "x_min": "100 + (c * 37) % 900",
        "y_min": "100 + (c * 53) % 1200",
        "x_max": "600 + (c * 37) % 900",
        "y_max": "700 + (c * 53) % 1200",
    }
    fill(Region, steps, id=step, step_id=step, position="1", model_box="'[1, 2, 3, 4]'::jsonb", **edges)
    fill(Case, cases, id="n", reader_study_id="1", study_id="n", position="n")
    readings = f"""(
        SELECT (c - 1) * {NUM_READERS} + r AS key, c, r, NULL::bigint AS again_of
        FROM generate_series(1, {NUM_CASES}) c, generate_series(1, {NUM_READERS}) r
        UNION ALL
        SELECT {NUM_CASES * NUM_READERS} + (c - 1) * {NUM_READERS} + r, c, r, (c - 1) * {NUM_READERS} + r
        FROM generate_series(1, {NUM_REPEATED}) c, generate_series(1, {NUM_READERS}) r) AS readings"""
    fill(
        Assignment,
        readings,
        id="key",
        case_id="c",
        reader_id="r",
        position="c",
        kind="CASE WHEN again_of IS NULL THEN 'first' ELSE 'repeat' END",
        repeat_of_id="again_of",
        signed_at="now()",
    )
    fill(
        Reading,
        readings,
        id="key",
        assignment_id="key",
        completion_a_id="2 * c - (c + r) % 2",
        completion_b_id="2 * c - 1 + (c + r) % 2",
        active_seconds="60 + (random() * 60)::int",
        opened_at="now()",
        signed_at="now() - random() * interval '30 days'",
    )
    items = f"{readings}, generate_series(0, {2 * NUM_STEPS - 1}) i"
    item = f"(c - 1) * {2 * NUM_STEPS} + i + 1"
    # Readers mostly say what the item deserves.
    points = "1 + CASE WHEN random() < 0.7 THEN (c * 7 + i * 3) % 5 ELSE (random() * 4)::int END"
    fill(StepRating, items, reading_id="key", step_id=item, plausibility=points)
    verdict = "CASE WHEN random() < 0.8 THEN 'fits' ELSE 'wrong' END"
    fill(RegionAnnotation, items, reading_id="key", region_id=item, verdict=verdict)
    answers = f"{readings}, generate_series(0, 1) i"
    points = points.replace("i * 3", "i")
    rated = dict.fromkeys(("relevance", "correctness", "completeness"), points)
    fill(AnswerRating, answers, reading_id="key", completion_id="2 * c - 1 + i", harm="'none'", **rated)
    side = "(ARRAY['a', 'tie', 'b', 'both_bad'])[1 + (random() * 3)::int]"
    kinds = f"{readings}, (VALUES ('grounded'), ('overall')) AS votes(kind)"
    fill(Vote, kinds, reading_id="key", kind="kind", side=side)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
    settle()
    return ReaderStudy.objects.get(pk=1)
