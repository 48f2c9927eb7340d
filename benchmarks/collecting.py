"""How long a collection of 1,000,000 studies takes: frozen from a filter, counted live, and looked at."""

from typing import Any

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer, median_seconds

FEW, MANY = 1_000, 1_000_000
NUM_RUNS = 20
NUM_LIVE = 5


def run() -> list[Figure]:
    with private_installation():
        from django.test import Client

        from deepmedix_review.accounts.models import Role
        from deepmedix_review.accounts.services import create_account

        admin = create_account(username="admin", password="a long benchmark password", role=Role.ADMIN)
        client = Client(SERVER_NAME="localhost")
        client.force_login(admin)
        seconds: dict[str, dict[int, float]] = {}
        num_before = 0
        for number in (FEW, MANY):
            _add_studies(num_before + 1, number)
            num_before = number
            for name, found in _measured(client, admin, number).items():
                seconds.setdefault(name, {})[number] = found
        return [
            Figure(
                what=f"{name}, {MANY:,} studies",
                value=by_number[MANY] * 1000,
                unit="ms",
                peer=Peer(f"the same with {FEW:,} studies", by_number[FEW] * 1000),
                n=1 if name.startswith("freezing") else NUM_LIVE if "counted" in name else NUM_RUNS,
            )
            for name, by_number in seconds.items()
        ]


def _measured(client: Any, admin: Any, number: int) -> dict[str, float]:
    from deepmedix_review.studies.collecting.filters import StudyFilter
    from deepmedix_review.studies.collecting.services import collect_by_filter
    from deepmedix_review.studies.models import CollectionVersion

    frozen: list[CollectionVersion] = []

    def freeze() -> None:
        frozen.append(
            collect_by_filter(
                name=f"Of {number}, {len(frozen)}", asked=StudyFilter(views=("PA",)), actor=admin
            )
        )

    def get(address: str) -> None:
        _require_ok(client.get(address))

    def look_ahead() -> None:
        _require_ok(client.post("/collections/preview/", {"views": ["PA"], "modalities": ["DX"]}))

    freezing = median_seconds(freeze, num_runs=1)
    page = f"/collections/{frozen[0].collection.uid}/"
    return {
        "freezing a version, members, counts and sha256": freezing,
        "what fits a filter, counted live with nine films": median_seconds(look_ahead, num_runs=NUM_LIVE),
        "the list of collections": median_seconds(lambda: get("/collections/"), num_runs=NUM_RUNS),
        "the page of a collection": median_seconds(lambda: get(page), num_runs=NUM_RUNS),
        "its members from the middle": median_seconds(
            lambda: get(f"{page}?side=test&before={number // 2}"), num_runs=NUM_RUNS
        ),
    }


def _require_ok(response: Any) -> None:
    if response.status_code != 200:
        raise RuntimeError(f"the page answered {response.status_code}")


def _add_studies(first: int, last: int) -> None:
    """Two studies a patient, one film each: two thirds of them PA."""
    from benchmarks.bulk_rows import fill, series, settle
    from deepmedix_review.studies.models import Instance, Series, Study

    rows = series(first, last)
    fill(
        Study,
        rows,
        id="n",
        study_instance_uid="'2.25.' || n",
        patient_pseudonym="'P-' || left(md5((n / 2)::text), 10)",
        is_phantom="true",
    )
    fill(Series, rows, id="n", study_id="n", series_instance_uid="'2.25.1' || n", modality="'DX'")
    fill(
        Instance,
        rows,
        id="n",
        series_id="n",
        sop_instance_uid="'2.25.2' || n",
        view_position="CASE WHEN n % 3 = 0 THEN 'AP' ELSE 'PA' END",
        pixel_sha256="encode(sha256(n::text::bytea), 'hex')",
        rows="2500",
        columns="2048",
        bits_stored="12",
        file_bytes="1000000",
    )
    settle()
