"""How long the study list and a reader's worklist take with 1,000 and with 1,000,000 studies."""

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer, median_seconds

FEW, MANY = 1_000, 1_000_000
NUM_RUNS = 30
# A reader study is read by several; this reader has every hundredth case.
SHARE = 100


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
                _prepare_reader_study(account.pk)
        seconds: dict[str, dict[int, float]] = {}
        num_before = 0
        for number in (FEW, MANY):
            _add_studies(num_before + 1, number)
            num_before = number
            pages = {
                "study list": (Role.ADMIN, "/studies/"),
                "study list, a page in its middle": (Role.ADMIN, f"/studies/?before={number // 2}"),
                "worklist of a reader": (Role.EXPERT, "/worklist/"),
            }
            for name, (role, address) in pages.items():
                seconds.setdefault(name, {})[number] = _page_seconds(clients[role], address)
        return [
            Figure(
                what=f"{name} with {MANY:,} studies",
                value=by_number[MANY] * 1000,
                unit="ms",
                peer=Peer(f"the same with {FEW:,} studies", by_number[FEW] * 1000),
                n=NUM_RUNS,
            )
            for name, by_number in seconds.items()
        ]


def _page_seconds(client: object, address: str) -> float:
    def get() -> None:
        response = client.get(address)  # type: ignore[attr-defined]
        if response.status_code != 200:
            raise RuntimeError(f"{address} answered {response.status_code}")

    return median_seconds(get, num_runs=NUM_RUNS)


def _prepare_reader_study(reader_pk: int) -> None:
    from benchmarks.bulk_rows import fill, series
    from deepmedix_review.registry.models import ModelVersion
    from deepmedix_review.reviews.models import ReaderStudy

    fill(ModelVersion, series(1, 1), number="1", state="'serving'", **dict.fromkeys(_NUMBERS, "1"))
    fill(ReaderStudy, series(1, 1), title="'Benchmark'", created_by_id=str(reader_pk))


_NUMBERS = ("max_pixels", "min_pixels", "temperature", "max_new_tokens")


def _add_studies(first: int, last: int) -> None:
    """Studies with one film each; every hundredth is a case, with a completion and an open reading."""
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
    cases = f"{rows} WHERE n % {SHARE} = 0"
    key = {"id": "n"}
    size = dict.fromkeys(
        ("temperature", "seed", "num_tokens", "seconds", "image_width", "image_height"), "1"
    ) | dict.fromkeys(("model_width", "model_height"), "112")
    of_a_film = {"study_id": "n", "instance_id": "n", "model_version_id": "1"}
    fill(Completion, cases, content_key="n::text", **key, **size, **of_a_film)
    fill(Case, cases, reader_study_id="1", study_id="n", position="n", **key)
    reader = "(SELECT id FROM accounts_user WHERE role = 'expert')"
    fill(Assignment, cases, case_id="n", reader_id=reader, **key)
    fill(Reading, cases, assignment_id="n", completion_a_id="n", **key)
    settle()
