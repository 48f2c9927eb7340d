"""A model from outside is registered by page, API and command, asked as its preset says, and read so."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import Settings
from safetensors.numpy import save_file

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.services import freeze_dataset, queue_training
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.services import content_key, record_completion
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.registry.incoming import incoming_place
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.selectors import engine_settings, prompt_of
from deepmedix_review.registry.services import promote, register_folder, register_model
from deepmedix_review.registry.tasks import request_registering, take_model_in
from deepmedix_review.registry.wanted import WantedVersion
from inference.engines import Done, EngineSettings
from inference.phantoms import DEMO_SEEDS
from inference.presets import PRESETS
from inference.prompts import TEMPLATES
from tests.deepmedix_review.registry.some_folders import COMMIT, a_model
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.families import write_tiny_model
from tests.factories.learning import a_reading_to_learn_from, film
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.workers import Workers, wait_until

IN_TRANSFORMERS = [key for key, preset in PRESETS.items() if preset.transformers_class]


@pytest.mark.django_db
@pytest.mark.parametrize("key", IN_TRANSFORMERS)
def test_a_folder_of_every_preset_keeps_all_that_the_same_completion_needs(incoming: Path, key: str) -> None:
    call_command("register_model", str(a_model(incoming / "new", key)), "--preset", key)
    version, preset = ModelVersion.objects.get(), PRESETS[key]
    kept = (version.preset, version.dialect, version.box_frame, version.image_preparation, version.limits)
    assert kept == (key, preset.dialect, preset.box_frame, preset.preparation, preset.limits)
    asked = (version.prompt_template, version.prompt_version, version.temperature, version.size_multiple)
    prompt = TEMPLATES[preset.prompt_template]
    assert asked == (prompt.key, prompt.version, preset.temperature, preset.size_multiple)
    assert engine_settings(version).preparation is preset.preparation
    with override_settings(INFERENCE_DEVICE="spread", INFERENCE_DTYPE="float16"):
        placed = engine_settings(version)
    assert isinstance(placed, EngineSettings)
    assert (placed.device, placed.dtype) == ("spread", "float16")


@pytest.mark.django_db
def test_the_same_files_asked_in_another_way_are_another_version(incoming: Path) -> None:
    folder = str(a_model(incoming / "new", "qwen2.5-vl"))
    for more in ((), (), ("--box-frame", "norm1000"), ("--temperature", "0.5")):
        call_command("register_model", folder, "--preset", "qwen2.5-vl", "--name", "Ours", *more)
    call_command("register_model", folder, "--preset", "chexone")
    found = ModelVersion.objects.order_by("number").values_list("name", "box_frame", "temperature", "preset")
    assert list(found) == [
        ("Ours", "processed", 0.0, "qwen2.5-vl"),
        ("Ours", "norm1000", 0.0, "qwen2.5-vl"),
        ("Ours", "processed", 0.5, "qwen2.5-vl"),
        ("CheXOne", "norm100", 0.0, "chexone"),
    ]
    study = film(1)
    keys = {
        content_key(film=study, version=version, query="?", draw=(version.temperature, 1))
        for version in ModelVersion.objects.all()
    }
    assert len(keys) == 4


@pytest.mark.django_db
def test_the_same_files_taken_in_at_the_same_moment_are_kept_once(incoming: Path) -> None:
    folder, admin = a_model(incoming / "new", "qwen2.5-vl"), AdminFactory.create()
    versions: list[ModelVersion] = []

    def meanwhile(num_done: int, num_bytes: int) -> None:
        """Another worker takes them in under another preset, and is through first."""
        if not versions:
            versions.append(register_model(folder=folder, preset=PRESETS["chexone"], card={}, actor=admin))

    told = register_folder(folder=folder, preset=PRESETS["qwen2.5-vl"], card={}, actor=admin, tell=meanwhile)
    assert {told.version.folder} == {one.folder for one in versions}
    assert [one.name for one in Path(told.version.folder).parent.iterdir()] == [told.version.sha256[:16]]


@pytest.mark.django_db
def test_the_same_folder_under_a_new_name_is_told_by_the_version_that_there_is(
    incoming: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    researcher = ResearcherFactory.create()
    client.force_login(researcher)
    folder = a_model(incoming / "new", "chexone")
    sentence = "The same files, asked the same way, are v1 already."
    for name in ("Ours", "Theirs"):
        assert sentence not in client.get(reverse("model-register-live")).content.decode()
        job = request_registering("new", wanted=WantedVersion("chexone", name=name), actor=researcher)
        take_model_in(job.pk)
    assert client.get(reverse("model-register-live")).content.decode().count(sentence) == 1
    told = client.get(reverse("api-model-job", args=[job.uid])).json()
    assert (told["state"], told["result"]) == ("done", {"is_known": True})
    assert ModelVersion.objects.get().name == "Ours"
    call_command("register_model", str(folder), "--preset", "chexone", "--name", "Theirs")
    assert sentence in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("preset", "more", "sentence"),
    [
        ("medgemma", (), "Choose one of llava, huatuogpt-vision"),
        ("maira-2", (), "brings code of its own. The folder brings no code of its own"),
        ("llava", ("--temperature", "3"), "from 0 to 2"),
        ("llava", ("--max-new-tokens", "0"), "1 to 32768 tokens"),
        ("llava", ("--name", "x" * 81), "at most 80 characters"),
        ("llava", ("--hub-id", "llava-hf/llava-1.5-7b-hf"), "Name both, the Hugging Face id and the rev"),
        ("llava", ("--hub-revision", COMMIT), "Name both, the Hugging Face id and the revision"),
        ("llava", ("--hub-id", "a/b", "--hub-revision", "main"), "a commit of 40 hexadecimal digits"),
        ("llava", ("--hub-id", "https://x/a/b", "--hub-revision", COMMIT), "is written owner/name"),
    ],
)
def test_what_can_not_be_asked_is_refused_and_nothing_is_kept(
    incoming: Path, settings: Settings, preset: str, more: tuple[str, ...], sentence: str
) -> None:
    folder = str(a_model(incoming / "new", "llava"))
    with pytest.raises(CommandError, match=sentence):
        call_command("register_model", folder, "--preset", preset, *more)
    assert not ModelVersion.objects.exists()
    assert not list(settings.MODEL_FOLDER.iterdir())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (
            lambda path: path.write_bytes(random.Random(1).randbytes(9000)),
            "model.safetensors is no whole file",
        ),
        (lambda path: path.write_bytes(b""), "model.safetensors is no whole file of weights. Copy it again"),
        (cut, "model.safetensors is no whole file of weights"),
        (lambda path: save_file({}, path), "model.safetensors holds no weights"),
        (lambda path: path.with_name("more.safetensors").write_text("x"), "more.safetensors is no whole"),
        (lambda path: path.unlink(), "it has no .safetensors file"),
        (lambda path: path.with_name("config.json").unlink(), "config.json is missing"),
        (
            lambda path: path.with_name(f"{path.name}.index.json").write_text(
                '{"weight_map": {"a": "model-2.safetensors"}}'
            ),
            "model-2.safetensors is missing",
        ),
    ],
)
def test_a_folder_without_whole_weights_is_refused_and_nothing_is_kept(
    incoming: Path, settings: Settings, harm: Callable[[Path], object], sentence: str
) -> None:
    researcher = ResearcherFactory.create()
    folder = a_model(incoming / "new", "chexone")
    job = request_registering("new", wanted=WantedVersion("chexone"), actor=researcher)
    harm(folder / "model.safetensors")
    take_model_in(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert sentence in job.error
    assert not ModelVersion.objects.exists()
    assert not list(settings.MODEL_FOLDER.iterdir())


@pytest.mark.django_db
def test_a_version_whose_prompt_was_changed_since_is_not_asked_in_other_words(incoming: Path) -> None:
    version = register_model(
        folder=a_model(incoming / "new", "phantom"), preset=PRESETS["phantom"], card={}, actor=None
    )
    assert prompt_of(version).key == "phantom"
    ModelVersion.objects.update(prompt_version=7)
    version.refresh_from_db()
    with pytest.raises(RefusedByRule, match="version 7 of the prompt phantom"):
        request_inference(study=film(1).study, actor=None, version=version)


@pytest.mark.django_db
def test_a_completion_is_read_by_its_versions_dialect_frame_and_crop(incoming: Path) -> None:
    instance = film(1)
    width, height = instance.columns, instance.rows
    version = register_model(
        folder=a_model(incoming / "new", "qwen3-vl"), preset=PRESETS["qwen3-vl"], card={}, actor=None
    )
    (job,) = request_inference(study=instance.study, actor=None, version=version, sampling=Sampling(1))
    job.state, job.attempt = JobState.RUNNING, 1
    job.save()
    text = '[{"bbox_2d": [100, 200, 500, 1000], "label": "cardiomegaly"}]\n\\boxed{Large heart.}'
    said = Done(job.content_key, text, "?", 3, 1.0, (512, 512), "stop")
    completion = record_completion(job=job, output=said)
    step = completion.steps.get()
    region = step.regions.get()
    assert (completion.answer, completion.problems, step.text) == ("Large heart.", [], "cardiomegaly")
    assert [region.x_min, region.y_max] == pytest.approx([width * 0.1, height])

    ModelVersion.objects.filter(pk=version.pk).update(image_preparation="pad")
    padded = Completion.objects.get(pk=completion.pk)
    padded.delete()
    job.refresh_from_db()
    job.state, job.attempt = JobState.RUNNING, 2
    job.model_version.refresh_from_db()
    job.save()
    region = record_completion(job=job, output=said).steps.get().regions.get()
    longer = max(width, height)
    left = (width - longer) // 2
    assert region.x_min == pytest.approx(left + longer * 0.1)


@pytest.mark.django_db
def test_what_learns_refuses_a_version_whose_dialect_it_can_not_write(incoming: Path) -> None:
    researcher = ResearcherFactory.create()
    a_reading_to_learn_from(ServingModelFactory.create(number=500))
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    other = register_model(
        folder=a_model(incoming / "new", "llava"), preset=PRESETS["llava"], card={}, actor=None
    )
    ModelVersion.objects.filter(number=500).update(state="retired")
    promote(other, actor=None)
    with pytest.raises(RefusedByRule, match=r"can't be trained here: it is asked and read as llava"):
        queue_training(dataset=dataset, actor=researcher)


@pytest.mark.django_db(transaction=True)
def test_a_folder_is_registered_from_the_page_by_a_worker(
    celery_workers: Workers, client: Client, settings: Settings
) -> None:
    folder = Path(settings.INCOMING_MODEL_FOLDER) / "gemma"
    write_tiny_model("gemma3", folder)
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-register")).content.decode()
    assert "gemma" in page
    said = {"folder": "gemma", "preset": "medgemma-1.5", "name": "Tiny Gemma"}
    answer = client.post(reverse("model-register"), {f"folder-{name}": value for name, value in said.items()})
    assert answer.status_code == 302
    job = ModelJob.objects.get()
    wait_until(lambda: ModelJob.objects.get().is_final, what="registering")
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.DONE, "")
    version = job.version
    assert version is not None
    assert (version.name, version.dialect, version.image_preparation) == ("Tiny Gemma", "json-boxes", "pad")
    assert Path(version.folder).parent == Path(settings.MODEL_FOLDER)
    shown = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    assert "json-boxes" in shown
    assert "can&#x27;t be trained here" in shown
    (inference,) = request_inference(
        study=film(2).study, actor=AdminFactory.create(), version=version, sampling=Sampling(1)
    )
    wait_until(lambda: type(inference).objects.get(pk=inference.pk).is_final, what="an answer")
    inference.refresh_from_db()
    assert inference.state == JobState.DONE, inference.error
    assert AuditEvent.objects.filter(action="register_model").count() == 1


@pytest.mark.django_db
def test_a_program_registers_and_a_reader_may_not(incoming: Path, client: Client) -> None:
    a_model(incoming / "new", "chexone")
    (incoming / "empty").mkdir()
    (incoming / "link").symlink_to(incoming / "new")
    asked = {"folder": "new", "preset": "chexone"}
    address = reverse("api-model-folder-list")
    client.force_login(AdminFactory.create())
    assert client.post(address, asked, content_type="application/json").status_code == 403
    client.force_login(ResearcherFactory.create())
    assert client.get(address).json() == {
        "folders": ["new"],
        "unfit": [
            {"name": "empty", "reason": "It is empty."},
            {"name": "link", "reason": "It is a link, and what that names may be anything."},
        ],
    }
    job = client.post(address, asked, content_type="application/json")
    assert (job.status_code, job.json()["state"]) == (202, "queued")
    again = client.post(address, asked, content_type="application/json")
    assert (again.status_code, again.json()["detail"]) == (409, "new is being registered already.")
    cancelled = client.post(reverse("api-model-job-cancel", args=[job.json()["uid"]]))
    assert cancelled.json()["state"] == "cancelled"
    assert client.post(reverse("api-model-job-cancel", args=[job.json()["uid"]])).status_code == 409
    tried = client.post(reverse("api-model-job-retry", args=[job.json()["uid"]]))
    assert tried.json()["state"] == "queued"
    outside = client.post(address, {**asked, "folder": "../new"}, content_type="application/json")
    assert outside.status_code == 409
    strange = client.post(address, {**asked, "preset": "gpt"}, content_type="application/json")
    assert strange.status_code == 400
    assert ModelJob.objects.count() == 1


@pytest.mark.django_db
def test_folders_that_can_not_be_registered_are_listed_with_the_reason(
    incoming: Path, client: Client, settings: Settings
) -> None:
    settings.HOME = incoming.parent
    client.force_login(ResearcherFactory.create())
    incoming.rmdir()
    assert 'lies in <span class="wrap">incoming/ in the home folder</span>.' in (
        client.get(reverse("model-register")).content.decode()
    )
    a_model(incoming / "whole", "chexone")
    a_model(incoming / "bare", "chexone").joinpath("config.json").unlink()
    a_model(incoming / "light", "chexone").joinpath("model.safetensors").unlink()
    (incoming / "empty").mkdir()
    (incoming / "<notes>").mkdir()
    (incoming / "<notes>" / "README.txt").touch()
    (incoming / "link").symlink_to(incoming / "whole")
    page = client.get(reverse("model-register")).content.decode()
    reasons = {
        "bare": "It has no config.json.",
        "light": "It has no weights (.safetensors).",
        "empty": "It is empty.",
        "&lt;notes&gt;": "It has no config.json and no weights (.safetensors).",
        "link": "It is a link, and what that names may be anything.",
    }
    for name, reason in reasons.items():
        assert f"{name}</th><td>{reason}</td>" in page
        assert f'<option value="{name}"' not in page
    assert '<option value="whole"' in page
    settings.HOME = incoming / "elsewhere"
    assert incoming_place() == str(incoming)
    asked = {"folder": "bare", "preset": "chexone"}
    refused = client.post(reverse("api-model-folder-list"), asked, content_type="application/json")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "bare can't be registered. It has no config.json.",
    )


@pytest.mark.django_db
def test_two_presses_ask_once(incoming: Path) -> None:
    researcher: User = ResearcherFactory.create()
    a_model(incoming / "new", "chexone")
    request_registering("new", wanted=WantedVersion("chexone"), actor=researcher)
    with pytest.raises(RefusedByRule, match="being registered already"):
        request_registering("new", wanted=WantedVersion("chexone"), actor=researcher)


@pytest.mark.django_db
def test_readings_of_other_dialects_are_left_out_of_what_is_learned_by_name() -> None:
    researcher = ResearcherFactory.create()
    serving = ServingModelFactory.create()
    a_reading_to_learn_from(serving)
    left_out = a_reading_to_learn_from(serving, seed=DEMO_SEEDS.start + 1)
    other = ModelVersionFactory.create(preset="llava", dialect="prose", prompt_template="prose")
    Completion.objects.filter(study=left_out.assignment.case.study).update(model_version=other)
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    assert dataset.num_readings == 1
    (row,) = [row for row in dataset.left_out if row["readings"] == [str(left_out.uid)]]
    assert row["reason"].startswith("It is of a model that nothing is learned from here.")
    ModelVersion.objects.update(preset="llava")
    with pytest.raises(RefusedByRule, match="Every signed reading is left out"):
        freeze_dataset(title="Round 2", actor=researcher)
