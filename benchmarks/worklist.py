"""How long the study list, a reader's worklist and a pool take with 1,000 and with 1,000,000 studies.

Every study is a case of one reader, who has signed the first half.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer

if TYPE_CHECKING:
    from django.test import Client

    from deepmedix_review.accounts.models import Role

FEW, MANY = 1_000, 1_000_000
# Databases of one cluster: the one that the installation made, and its copy from when it was small.
LARGE, SMALL = "benchmark", "benchmark_small"
NUM_RUNS = 30


def run() -> list[Figure]:
    with private_installation():
        from django.test import Client

        from deepmedix_review.accounts.models import Role
        from deepmedix_review.accounts.services import create_account

        clients = {}
        for role in (Role.ADMIN, Role.EXPERT):
            account = create_account(username=role.value, password="a long benchmark password", role=role)
            clients[role] = Client(SERVER_NAME="localhost")
            clients[role].force_login(account)
            if role == Role.EXPERT:
                _prepare_reader_studies(account.pk)
        _add_studies(1, FEW)
        _copy_database(to=SMALL)
        _add_studies(FEW + 1, MANY)
        seconds = _seconds_of_both(clients)
        return [
            Figure(
                what=f"{name}, with {MANY:,} studies",
                value=median(by_number[MANY]) * 1000,
                unit="ms",
                peer=Peer(f"the same with {FEW:,} studies", median(by_number[FEW]) * 1000),
                n=NUM_RUNS,
            )
            for name, by_number in seconds.items()
        ]


def _seconds_of_both(clients: "Mapping[Role, Client]") -> dict[str, dict[int, list[float]]]:
    """By what was asked and the number of studies. Both are asked in turns, so that whatever else the machine
    does weighs on both alike."""
    from deepmedix_review.accounts.models import Role

    seconds: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(NUM_RUNS + 1):
        for number, database in ((FEW, SMALL), (MANY, LARGE)):
            _switch_to(database)
            middle = _uid_of_assignment(number * 3 // 4)
            _get(clients[Role.EXPERT], "/worklist/")
            for name, (role, address) in {
                "study list": (Role.ADMIN, "/studies/"),
                "study list, a page in its middle": (Role.ADMIN, f"/studies/?before={number // 2}"),
                "worklist of a reader": (Role.EXPERT, "/worklist/"),
                "worklist of a reader, a page in its middle": (Role.EXPERT, f"/worklist/?after={middle}"),
                "a reader's signed cases": (Role.EXPERT, "/worklist/?show=signed"),
            }.items():
                begin = time.perf_counter()
                _get(clients[role], address)
                seconds[name][number].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            _take_a_case(number)
            seconds["the next case of a pool"][number].append(time.perf_counter() - begin)
        if turn == 0:
            # The first of each warms up.
            seconds.clear()
    return seconds


def _get(client: "Client", address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")


def _take_a_case(number: int) -> None:
    """Under its lease, of a pool whose first half is taken already; nothing is kept of it."""
    from django.db import transaction

    from deepmedix_review.accounts.models import User
    from deepmedix_review.reviews.models import ReaderStudy
    from deepmedix_review.reviews.study_services import take_next_case

    pool, reader = ReaderStudy.objects.get(is_pool=True), User.objects.get(role="expert")
    with transaction.atomic():
        reading = take_next_case(reader_study=pool, reader=reader)
        if reading is None or reading.assignment.case.position != number // 2 + 1:
            raise RuntimeError("the pool gave another case than its next free one")
        transaction.set_rollback(True)


def _copy_database(*, to: str) -> None:
    from django.db import connection

    _switch_to("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {to} TEMPLATE {LARGE}")
    _switch_to(LARGE)


def _switch_to(database: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = database


def _uid_of_assignment(number: int) -> str:
    from deepmedix_review.reviews.models import Assignment

    return str(Assignment.objects.get(pk=number).uid)


def _prepare_reader_studies(reader_pk: int) -> None:
    from benchmarks.bulk_rows import fill, series
    from deepmedix_review.registry.models import ModelVersion
    from deepmedix_review.reviews.models import Invitation, ReaderStudy

    numbers = dict.fromkeys(_NUMBERS, "1")
    fill(ModelVersion, series(1, 1), id="1", number="1", state="'serving'", **numbers, **_WORDS)
    reader = str(reader_pk)
    for study, is_pool in (("1", "false"), ("2", "true")):
        fill(
            ReaderStudy,
            series(1, 1),
            id=study,
            title=f"'Benchmark {study}'",
            created_by_id=reader,
            is_pool=is_pool,
            shows="'one'",
            readers_per_case="1",
        )
        fill(Invitation, series(1, 1), reader_study_id=study, reader_id=reader, state="'accepted'")


_NUMBERS = ("max_pixels", "min_pixels", "size_multiple", "temperature", "max_new_tokens", "prompt_version")
_WORDS = {"source": "'folder'", "folder": "'/none'", "prompt_template": "'phantom'"}
_WORDS |= {"preset": "'phantom'", "dialect": "'deepmedix'"}


def _add_studies(first: int, last: int) -> None:
    """Studies with one film and one completion each, a case of the reader's and one of the pool."""
    from django.db import connection

    from benchmarks.bulk_rows import fill, series, settle
    from deepmedix_review.reasoning.models import Completion
    from deepmedix_review.reviews.models import Assignment, Case, Reading
    from deepmedix_review.studies.models import Instance, Series, Study

    rows = series(first, last)
    number = {"rows": "2500", "columns": "2048", "bits_stored": "12", "file_bytes": "1000000"}
    fill(
        Study,
        rows,
        id="n",
        study_instance_uid="'2.25.' || n",
        patient_pseudonym="'P-' || n",
        is_phantom="true",
    )
    fill(Series, rows, id="n", study_id="n", series_instance_uid="'2.25.1' || n", modality="'DX'")
    fill(
        Instance,
        rows,
        id="n",
        series_id="n",
        sop_instance_uid="'2.25.2' || n",
        view_position="'PA'",
        pixel_sha256="encode(sha256(n::text::bytea), 'hex')",
        **number,
    )
    key = {"id": "n"}
    size = dict.fromkeys(
        ("temperature", "seed", "num_tokens", "seconds", "image_width", "image_height"), "1"
    ) | dict.fromkeys(("model_width", "model_height"), "112")
    of_a_film = {"study_id": "n", "instance_id": "n", "model_version_id": "1"}
    fill(Completion, rows, content_key="n::text", **key, **size, **of_a_film)
    fill(Case, rows, reader_study_id="1", study_id="n", position="n", **key)
    reader = "(SELECT id FROM accounts_user WHERE role = 'expert')"
    fill(Assignment, rows, case_id="n", reader_id=reader, position="n", number="n", **key)
    signed_at = f"CASE WHEN n <= {last // 2} THEN now() END"
    fill(Reading, rows, assignment_id="n", completion_a_id="n", signed_at=signed_at, **key)
    of_the_pool = {"id": f"{MANY} + n", "reader_study_id": "2", "study_id": "n", "position": "n"}
    fill(Case, rows, num_free="1", **of_the_pool)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reviews_case_completions (case_id, completion_id) SELECT {MANY} + n, n FROM {rows}"
        )
        cursor.execute(
            "UPDATE reviews_reading SET signed_at = now(), opened_at = now() "
            "WHERE id <= %s AND signed_at IS NULL",
            [last // 2],
        )
        cursor.execute(
            "UPDATE reviews_case SET num_free = 0 WHERE reader_study_id = 2 AND position <= %s", [last // 2]
        )
        for table in ("reviews_assignment", "reviews_reading", "reviews_case"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), %s)", [3 * MANY])
    settle()
