"""Code that a model folder brings runs in a worker only where an admin has allowed that very version."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.registry.allowing import allow_code, revoke_code, words_to_type
from deepmedix_review.registry.models import CodeAllowance, ModelJob, ModelVersion
from deepmedix_review.registry.own_code import code_of
from deepmedix_review.registry.selectors import engine_settings, unreachable_because
from deepmedix_review.registry.services import promote, register_model
from deepmedix_review.registry.tasks import engine_of, request_check
from inference.engines import EngineError
from inference.presets import PRESETS
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.families import write_tiny_model
from tests.factories.learning import film
from tests.factories.own_code import write_model_with_own_code
from tests.factories.registry import ModelVersionFactory
from tests.workers import Workers, wait_until

WAY_OUT = "Ask an admin to read it and allow it under Models' code"


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture
def version(tmp_path: Path, mark: Path, settings: Settings) -> ModelVersion:
    settings.MODEL_FOLDER = tmp_path / "models"
    settings.MODEL_FOLDER.mkdir()
    folder = write_model_with_own_code(tmp_path / "given", mark=mark)
    return register_model(folder=folder, preset=PRESETS["maira-2"], card={}, actor=None)


def allowed(version: ModelVersion, admin: User) -> CodeAllowance:
    return allow_code(
        version, confirmed=words_to_type(version), read_sha256=code_of(version).sha256, actor=admin
    )


@pytest.mark.django_db
def test_registering_keeps_its_code_and_runs_none_of_it(version: ModelVersion, mark: Path) -> None:
    kept = {path.name for path in Path(version.folder).glob("*.py")}
    assert kept == {"configuration_own.py", "modeling_own.py"}
    assert not mark.exists()


@pytest.mark.django_db
def test_a_folder_without_its_code_is_no_such_model(tmp_path: Path) -> None:
    folder = write_tiny_model("llava", tmp_path / "given")
    with pytest.raises(RefusedByRule, match=r"MAIRA-2 brings code of its own. The folder brings no code"):
        register_model(folder=folder, preset=PRESETS["maira-2"], card={}, actor=None)


@pytest.mark.django_db
def test_whatever_would_run_it_is_refused_with_the_way_out(version: ModelVersion, mark: Path) -> None:
    researcher = ResearcherFactory.create()
    study = film(1).study
    for refused in (
        lambda: request_inference(study=study, actor=researcher, version=version, sampling=Sampling(1)),
        lambda: request_check(version, kind=ModelJob.Kind.ASK, actor=researcher),
        lambda: promote(version, actor=researcher),
        lambda: engine_settings(version),
        lambda: engine_of(version),
    ):
        with pytest.raises(RefusedByRule, match=WAY_OUT):
            refused()
    assert WAY_OUT in unreachable_because(version)
    assert not mark.exists()
    allowed(version, AdminFactory.create())
    assert unreachable_because(version) == ""
    assert engine_settings(version).runs_own_code  # type: ignore[union-attr]
    assert engine_of(version) is engine_of(version)
    assert mark.exists()


@pytest.mark.django_db
def test_only_an_admin_allows_it_by_typing_so_and_for_the_code_that_was_shown(version: ModelVersion) -> None:
    admin, shown = AdminFactory.create(), code_of(version).sha256
    for nobody in (ResearcherFactory.create(), ExpertFactory.create()):
        with pytest.raises(NotYours):
            allowed(version, nobody)
    with pytest.raises(RefusedByRule, match=f"Type “run the code of {version}”"):
        allow_code(version, confirmed="yes", read_sha256=shown, actor=admin)
    path = Path(version.folder) / "modeling_own.py"
    written = path.read_text()
    path.write_text(f"{written}\nimport os\n")
    with pytest.raises(RefusedByRule, match="is not what was shown any more"):
        allow_code(version, confirmed=words_to_type(version), read_sha256=shown, actor=admin)
    with pytest.raises(RefusedByRule, match="are not those that were registered"):
        allowed(version, admin)
    path.write_text(written)
    allowed(version, admin)
    with pytest.raises(RefusedByRule, match="is allowed already"):
        allowed(version, admin)
    with pytest.raises(RefusedByRule, match="brings no code that would run"):
        allowed(ModelVersionFactory.create(number=500), admin)
    event = AuditEvent.objects.get(action="allow_model_code")
    assert (event.actor, event.details["sha256"]) == (admin, version.sha256)
    assert set(event.details["files"]) == {"configuration_own.py", "modeling_own.py"}


@pytest.mark.django_db
def test_it_is_allowed_of_one_version_alone_and_once(version: ModelVersion) -> None:
    admin = AdminFactory.create()
    standing = allowed(version, admin)
    other = register_model(folder=Path(version.folder), preset=PRESETS["llava-rad"], card={}, actor=None)
    assert other.sha256 == version.sha256
    with pytest.raises(RefusedByRule, match=WAY_OUT):
        engine_settings(other)
    with pytest.raises(IntegrityError, match="one_allowance_of_a_version_stands"), transaction.atomic():
        CodeAllowance.objects.create(version=version, sha256=standing.sha256, allowed_by=admin)


@pytest.mark.django_db
def test_a_folder_that_changes_afterwards_is_not_loaded(version: ModelVersion, mark: Path) -> None:
    allowed(version, AdminFactory.create())
    path = Path(version.folder) / "configuration_own.py"
    path.write_text(f"{path.read_text()}\n")
    with pytest.raises(EngineError, match="are not those that were registered"):
        engine_of(version)
    assert not mark.exists()


@pytest.mark.django_db
def test_what_is_taken_back_leaves_memory_and_is_refused(version: ModelVersion) -> None:
    admin = AdminFactory.create()
    with pytest.raises(RefusedByRule, match="is not allowed, so there is nothing to take back"):
        revoke_code(version, actor=admin)
    allowed(version, admin)
    engine = engine_of(version)
    with pytest.raises(NotYours):
        revoke_code(version, actor=ResearcherFactory.create())
    revoke_code(version, actor=admin)
    with pytest.raises(RefusedByRule, match=WAY_OUT):
        engine_of(version)
    allowed(version, admin)
    assert engine_of(version) is not engine
    assert AuditEvent.objects.filter(action="revoke_model_code", actor=admin).count() == 1
    assert [one.revoked_by for one in code_of(version).former] == [admin]


@pytest.mark.django_db
def test_its_files_are_read_on_a_page_as_text(version: ModelVersion, client: Client) -> None:
    path = Path(version.folder) / "modeling_own.py"
    path.write_text(path.read_text() + "# <script>alert(1)</script> \N{RIGHT-TO-LEFT OVERRIDE}\n")
    address = reverse("model-code", args=[version.uid])
    client.force_login(AdminFactory.create())
    page = client.get(address).content.decode()
    for file in code_of(version).files:
        assert file.name in page
        assert file.sha256 in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;U+202E&gt;" in page
    assert "1 hidden sign" in page
    assert "from .configuration_own import OwnConfig" in page
    assert AuditEvent.objects.latest("sequence").action == "view_model_code"
    absent = reverse("model-code", args=[ModelVersionFactory.create(number=500).uid])
    assert client.get(absent).status_code == 404
    client.force_login(ExpertFactory.create())
    assert client.get(address).status_code == 403


@pytest.mark.django_db
def test_a_researcher_reads_it_and_only_an_admin_s_press_counts(
    version: ModelVersion, client: Client
) -> None:
    address = reverse("model-code", args=[version.uid])
    said = {"confirmed": words_to_type(version), "sha256": code_of(version).sha256}
    client.force_login(ResearcherFactory.create())
    page = client.get(address).content.decode()
    assert "Ask an admin to read it and allow it" in page
    assert 'name="confirmed"' not in page
    assert client.post(address, said).status_code == 403
    assert client.get(reverse("model-code-list")).status_code == 403
    client.force_login(AdminFactory.create())
    assert "does not run" in client.get(reverse("model-code-list")).content.decode()
    wrong = client.post(address, {**said, "confirmed": "run"}).content.decode()
    assert "Nothing was allowed." in wrong
    assert client.post(address, said).status_code == 302
    assert "may run" in client.get(reverse("model-code-list")).content.decode()
    path = Path(version.folder) / "modeling_own.py"
    path.write_text(f"{path.read_text()}\n")
    assert "Its code is not what was allowed." in client.get(address).content.decode()
    assert client.post(reverse("model-code-revoke", args=[version.uid])).status_code == 302
    again = client.post(reverse("model-code-revoke", args=[version.uid]), follow=True).content.decode()
    assert "there is nothing to take back" in again
    client.force_login(ResearcherFactory.create())
    assert "does not run" in client.get(reverse("model-detail", args=[version.uid])).content.decode()
    assert client.post(reverse("model-code-revoke", args=[version.uid])).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_worker_runs_it_once_it_is_allowed_and_not_after(
    celery_workers: Workers, tmp_path: Path, mark: Path
) -> None:
    folder = write_model_with_own_code(tmp_path / "given", mark=mark)
    version = register_model(folder=folder, preset=PRESETS["maira-2"], card={}, actor=None)
    admin, study = AdminFactory.create(), film(2).study

    def answered(question: str) -> InferenceJob:
        (job,) = request_inference(
            study=study, actor=admin, version=version, sampling=Sampling(1), query=question
        )
        wait_until(lambda: InferenceJob.objects.get(pk=job.pk).is_final, what="an answer")
        return InferenceJob.objects.get(pk=job.pk)

    ModelVersion.objects.filter(pk=version.pk).update(max_new_tokens=4)
    allowed(version, admin)
    job = answered("What is there?")
    assert (job.state, job.error) == (JobState.DONE, "")
    assert mark.exists()
    assert Completion.objects.get(job=job).model_version == version
    path = Path(version.folder) / "modeling_own.py"
    path.write_text(f"{path.read_text()}\n")
    revoke_code(version, actor=admin)
    with pytest.raises(RefusedByRule, match=WAY_OUT):
        answered("And now?")
