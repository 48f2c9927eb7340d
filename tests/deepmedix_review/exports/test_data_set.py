"""A frozen data set leaves as a folder that Hugging Face's `datasets` loads, with nobody's name in it."""

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from datasets import DatasetDict, get_dataset_config_names, load_dataset
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.exports import sharing as writing
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import HUGGING_FACE, Export
from deepmedix_review.exports.services import AskedDataSet, claim_new_export
from deepmedix_review.exports.tasks import write_claimed, write_export
from deepmedix_review.feedback.datasets import sharing
from deepmedix_review.feedback.examples import cases_of
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Instance, SourceDataset, Split, Study
from rl_feedback.hugging_face import show_film
from rl_feedback.rewards.truth import CaseTruth
from tests.deepmedix_review.exports.an_export import archive_of, files_of, manifest_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_study_read_by_several
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db

USE = "Research in our group."
NAMES = {Split.TRAIN: "train", Split.TUNE: "validation", Split.TEST: "test"}


@pytest.fixture
def researcher() -> User:
    return ResearcherFactory.create(username="rita")


@pytest.fixture
def model() -> ModelVersion:
    return ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)


@pytest.fixture
def dataset(model: ModelVersion, researcher: User) -> PreferenceDataset:
    a_study_read_by_several(model, num_films=8, num_readers=3)
    return freeze_dataset(title="Round 1", actor=researcher)


def asked_for(dataset: PreferenceDataset, *, actor: User | None = None) -> Export:
    asked = AskedDataSet(dataset.uid, USE)
    return claim_new_export(asked, actor=actor or ResearcherFactory.create())


def ended(export: Export) -> Export:
    write_claimed(export)
    export.refresh_from_db()
    return export


def done(dataset: PreferenceDataset, *, actor: User | None = None) -> Export:
    export = ended(asked_for(dataset, actor=actor))
    assert export.state == JobState.DONE, export.error
    return export


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Export], Mapping[str, DatasetDict]]:
    def loaded(export: Export) -> Mapping[str, DatasetDict]:
        folder = tmp_path / f"folder-{export.pk}"
        with zipfile.ZipFile(archive_path(export)) as packed:
            packed.extractall(folder)
        return {
            name: load_dataset(str(folder), name, cache_dir=str(tmp_path / f"cache-{export.pk}"))
            for name in get_dataset_config_names(str(folder))
        }

    return loaded


def rows_in(loaded: Mapping[str, DatasetDict], subset: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for split, rows in loaded.get(subset, {}).items():
        for row in rows:
            yield split, row


def test_every_subset_holds_what_the_data_set_holds_on_its_side(
    dataset: PreferenceDataset, model: ModelVersion, load: Callable[[Export], Mapping[str, DatasetDict]]
) -> None:
    loaded = load(done(dataset))
    for subset, pairs in (
        ("preference", dataset.pairs.filter(prefix="")),
        ("step_preference", dataset.pairs.exclude(prefix="")),
    ):
        found = Counter(
            (
                split,
                row.get("prefix") or "",
                row["prompt"][0]["content"],
                row["chosen"][0]["content"],
                row["rejected"][0]["content"],
                row["weight"],
                row["origin"],
            )
            for split, row in rows_in(loaded, subset)
        )
        assert found == Counter(
            (
                NAMES[Split(pair.split)],
                pair.prefix,
                pair.prompt,
                pair.prefix + pair.chosen,
                pair.prefix + pair.rejected,
                pair.weight,
                pair.origin,
            )
            for pair in pairs
        )
        assert found
    assert set(loaded["preference"]) == {"train", "validation", "test"}
    # Whether a text is good is said as its readers' label says.
    overall = {
        (label.completion.text, NAMES[Split(label.split)]): label.value
        for label in dataset.labels.filter(criterion="overall").select_related("completion")
    }
    unpaired = list(rows_in(loaded, "unpaired"))
    assert {row["label"] for _, row in unpaired} == {True, False}
    for split, row in unpaired:
        assert (overall[row["completion"][0]["content"], split] > 0.5) == row["label"]
    steps = list(rows_in(loaded, "stepwise"))
    assert steps
    for _, row in steps:
        assert row["labels"] == [value > 0.5 for value in row["values"]]
        assert len(row["completions"]) == len(row["values"])
    for side, split in NAMES.items():
        cases = [row for found, row in rows_in(loaded, "prompt_only") if found == split]
        expected = cases_of(dataset, parent=model, side=side)
        assert expected
        assert Counter(CaseTruth.from_columns(case) for case in cases) == Counter(
            CaseTruth.from_columns(vars(case)) for case in expected
        )
        assert sorted(len(case["steps"]) for case in cases) == sorted(len(case.steps) for case in expected)
    for subset in loaded:
        for _, row in rows_in(loaded, subset):
            assert [(image.size, image.mode) for image in row["images"]] == [((112, 112), "L")]


def test_a_film_has_one_name_in_all_subsets_and_nobody_has_one(
    dataset: PreferenceDataset, load: Callable[[Export], Mapping[str, DatasetDict]]
) -> None:
    export = done(dataset)
    loaded = load(export)
    of_picture: dict[bytes, set[str]] = {}
    said = [files_of(export)["README.md"].decode(), files_of(export)["manifest.json"].decode()]
    for subset in loaded:
        for _, row in rows_in(loaded, subset):
            [image] = row["images"]
            assert isinstance(image, Image.Image)
            of_picture.setdefault(image.tobytes(), set()).add(row["film"])
            said.append(json.dumps({**row, "images": image.filename if hasattr(image, "filename") else ""}))
    assert all(len(names) == 1 for names in of_picture.values())
    assert len(of_picture) > 1
    everything = "\n".join(said)
    names = {
        *Study.objects.values_list("patient_pseudonym", flat=True),
        *Study.objects.values_list("study_instance_uid", flat=True),
        *Instance.objects.values_list("sop_instance_uid", flat=True),
        *Instance.objects.values_list("file_path", flat=True),
        *Reading.objects.values_list("assignment__reader__username", flat=True),
        *Reading.objects.values_list("assignment__reader__pseudonym", flat=True),
        *map(str, Reading.objects.values_list("uid", flat=True)),
        str(settings.FILM_FOLDER),
    }
    assert not [name for name in names if name and name in everything]


def test_the_card_and_the_manifest_say_what_it_is_and_may_be_used_for(
    dataset: PreferenceDataset, model: ModelVersion
) -> None:
    export = done(dataset)
    files, manifest = files_of(export), manifest_of(export)
    card = files["README.md"].decode()
    assert card.startswith("---\nlicense: other\n")
    assert USE in card
    assert f"Texts of {model.name}" in card
    assert f"Frozen data set `{dataset.uid}`" in card
    assert "## How far" not in card
    assert manifest["data_use"] == USE
    assert manifest["data_set"] == {"uid": str(dataset.uid), "sha256": dataset.sha256}
    assert manifest["left_out"] == []
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    for name, about in manifest["files"].items():
        assert about["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert about["bytes"] == len(files[name])


def test_the_same_data_set_gives_the_same_bytes_to_everybody(dataset: PreferenceDataset) -> None:
    first, again = done(dataset), done(dataset, actor=ResearcherFactory.create())
    assert {name: hashlib.sha256(file).hexdigest() for name, file in files_of(first).items()} == {
        name: hashlib.sha256(file).hexdigest() for name, file in files_of(again).items()
    }
    assert archive_of(first) == archive_of(again)
    assert not parts_folder(first).exists()


def test_what_a_licence_keeps_or_an_admin_holds_is_left_out_and_counted(
    dataset: PreferenceDataset, load: Callable[[Export], Mapping[str, DatasetDict]]
) -> None:
    kept, held, *_ = Study.objects.filter(
        pk__in=dataset.pairs.order_by("position").values("completion__study")
    ).order_by("pk")
    source = SourceDataset.objects.create(
        name="Given to us", layout="table", licence="By agreement", is_credentialed=True
    )
    Study.objects.filter(pk=kept.pk).update(source=source)
    Study.objects.filter(pk=held.pk).update(state=Study.State.HELD)
    num_of = {
        study.pk: sum(
            rows.filter(completion__study=study).count() for rows in (dataset.pairs, dataset.labels)
        )
        for study in (kept, held)
    }
    export = done(dataset)
    assert manifest_of(export)["left_out"] == export.left_out
    assert export.left_out == [
        {"reason": "pairs and labels of films that are held, unseen or rejected now", "num": num_of[held.pk]},
        {
            "reason": "pairs and labels of films whose licence lets nothing of them leave",
            "num": num_of[kept.pk],
        },
    ]
    assert "Given to us" not in files_of(export)["README.md"].decode()
    num_pairs = dataset.pairs.exclude(completion__study__in=[kept, held]).count()
    loaded = load(export)
    assert num_pairs == sum(len(list(rows_in(loaded, one))) for one in ("preference", "step_preference"))

    Study.objects.update(source=source)
    with pytest.raises(RefusedByRule, match=r"nothing can leave: .* Freeze another once readers have signed"):
        asked_for(dataset)


def test_a_text_whose_regions_do_not_fit_its_picture_is_left_out_and_counted(
    dataset: PreferenceDataset,
) -> None:
    pair = dataset.pairs.select_related("completion").earliest("position")
    type(pair.completion).objects.filter(pk=pair.completion_id).update(model_width=56)
    [reason] = done(dataset).left_out
    assert reason == {
        "reason": "pairs and labels of texts whose regions would not fit the picture that their model sees",
        "num": sum(
            rows.filter(completion=pair.completion).count() for rows in (dataset.pairs, dataset.labels)
        ),
    }


def test_a_data_set_without_a_row_is_refused_with_the_way_out_and_its_page_says_so(
    researcher: User, client: Client
) -> None:
    empty = PreferenceDataset.objects.create(
        title="Empty", created_by=researcher, as_of="2026-01-01T00:00Z", num_readings=0, num_pairs=0,
        num_labels=0, sha256="0" * 64,
    )  # fmt: skip
    with pytest.raises(RefusedByRule, match="Freeze another once readers have signed"):
        asked_for(empty)
    client.force_login(researcher)
    page = client.get(reverse("dataset-detail", args=[empty.uid])).content.decode()
    assert "there is nothing to take out" in page
    assert reverse("export-data-set", args=[empty.uid]) not in page


class Killed(BaseException):
    """The worker's process is gone."""


def test_a_worker_that_takes_it_up_again_keeps_whole_parts_and_gives_the_same_bytes(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "FILMS_PER_PART", 1)
    expected = archive_of(done(dataset))
    export = asked_for(dataset)
    shown = 0

    def die_at_the_third(*args: Any, **named: Any) -> Any:
        nonlocal shown
        shown += 1
        if shown == 3:
            raise Killed
        return show_film(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "show_film", die_at_the_third)
        with pytest.raises(Killed):
            write_claimed(export)
    export.refresh_from_db()
    whole = {one.name for one in export.written}
    assert whole
    # One of them is damaged meanwhile: its part is written again.
    damaged = sorted(whole)[0]
    (parts_folder(export) / damaged).write_bytes(b"half")
    Export.objects.filter(pk=export.pk).update(lease_expires_at="2001-01-01T00:00Z")
    assert export.pk in jobs.requeue_expired(Export)
    write_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempt) == (JobState.DONE, 2), export.error
    ending = Path(damaged).name
    assert {one.name for one in export.written if one.attempt == 1} == {
        name for name in whole if not name.endswith(ending)
    }
    assert {one.name for one in export.written if one.attempt == 1}
    assert archive_of(export) == expected
    assert (export.num_done, export.num_total) == (ANY, export.num_done)


def test_a_film_that_is_withdrawn_while_it_is_written_is_in_no_file(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn = Study.objects.filter(pk__in=dataset.pairs.values("completion__study")).earliest("pk")

    def withdraw_once(*args: Any, **named: Any) -> Any:
        Study.objects.filter(pk=withdrawn.pk).update(state=Study.State.REJECTED)
        return show_film(*args, **named)

    monkeypatch.setattr(writing, "show_film", withdraw_once)
    export = done(dataset)
    assert [one["reason"] for one in export.left_out] == [
        "pairs and labels of films that are held, unseen or rejected now"
    ]
    monkeypatch.undo()
    assert archive_of(done(dataset)) == archive_of(export)


def test_what_goes_wrong_is_said_and_leaves_nothing(
    dataset: PreferenceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked_for(dataset)

    def cancel(*args: Any, **named: Any) -> Any:
        Export.objects.filter(pk=export.pk).update(cancel_requested=True)
        return show_film(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "show_film", cancel)
        assert ended(export).state == JobState.CANCELLED
    films = [settings.FILM_FOLDER / path for path in Instance.objects.values_list("file_path", flat=True)]
    lost = [path.rename(path.with_suffix(".lost")) for path in films]
    failed = ended(asked_for(dataset))
    assert (failed.state, failed.error) == (
        JobState.FAILED,
        "A film of the data set is missing or can't be read. Restore it, then ask again.",
    )
    for path in lost:
        path.rename(path.with_suffix(".dcm"))
    for one in (export, failed):
        assert not archive_path(one).exists()
        assert not parts_folder(one).exists()


def test_the_page_asks_and_shows_it_among_the_exports_and_makes_it_again(
    dataset: PreferenceDataset, researcher: User, client: Client
) -> None:
    client.force_login(researcher)
    address = reverse("export-data-set", args=[dataset.uid])
    assert address in client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    refused = client.post(address, {"data_use": " "}, follow=True)
    assert refused.redirect_chain == [(reverse("dataset-detail", args=[dataset.uid]), 302)]
    assert "Say in a sentence what the data may be used for." in refused.content.decode()
    assert client.post(address, {"data_use": USE})["Location"] == reverse("export-list")
    export = Export.objects.get()
    assert (export.data_set, export.formats, export.as_of) == (dataset, [HUGGING_FACE], dataset.as_of)
    page = client.get(reverse("export-live")).content.decode()
    assert reverse("dataset-detail", args=[dataset.uid]) in page
    assert "waits for signatures" not in page
    write_export(export.pk)
    content = b"".join(client.get(reverse("export-archive", args=[export.uid])))
    assert content == archive_of(export)
    client.post(reverse("export-delete", args=[export.uid]))
    page = client.get(reverse("export-list")).content.decode()
    assert "Make it again" in page
    assert page.count(f'action="{address}"') == 1
    client.force_login(AdminFactory.create())
    page = client.get(reverse("export-list")).content.decode()
    assert dataset.title in page
    assert reverse("dataset-detail", args=[dataset.uid]) not in page
    assert "Make it again" not in page
    events = AuditEvent.objects.filter(subject_uid=export.uid).values_list("action", flat=True)
    assert set(events) >= {"request_export", "write_export", "download_export", "delete_export"}


def test_only_who_may_take_data_sets_out_and_see_them_asks_for_one(
    dataset: PreferenceDataset, client: Client
) -> None:
    address = reverse("export-data-set", args=[dataset.uid])
    client.force_login(ExpertFactory.create())
    assert client.post(address, {"data_use": USE}).status_code == 403
    # Admins take readings out, and see no data sets.
    for account in (ExpertFactory.create(), AdminFactory.create()):
        with pytest.raises(NotYours):
            asked_for(dataset, actor=account)
    client.force_login(ResearcherFactory.create())
    assert client.get(address).status_code == 405
    unknown = reverse("export-data-set", args=["00000000-0000-0000-0000-000000000000"])
    assert client.post(unknown, {"data_use": USE}).status_code == 404
    assert not Export.objects.exists()


def test_a_program_asks_for_one_by_its_uid_and_for_nothing_beside(
    dataset: PreferenceDataset, researcher: User
) -> None:
    _, words = make_token(
        account=researcher,
        name="nightly",
        scopes=[Capability.EXPORT_DATASETS, Capability.VIEW_MODELS],
        days=1,
    )
    client, headers = Client(), {"Authorization": f"Bearer {words}"}

    def ask(**asked: Any) -> Any:
        return client.post(
            reverse("api-export-list"), asked, content_type="application/json", headers=headers
        )

    mixed = ask(data_set=str(dataset.uid), data_use=USE, formats=["csv"])
    assert mixed.status_code == 400
    assert "Name data_set and data_use alone." in mixed.content.decode()
    assert ask(data_set="00000000-0000-0000-0000-000000000000", data_use=USE).status_code == 404
    answer = ask(data_set=str(dataset.uid), data_use=USE)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["data_set"], told["formats"], told["reader_studies"]) == (
        str(dataset.uid),
        [HUGGING_FACE],
        None,
    )
    write_export(Export.objects.get().pk)
    state = client.get(reverse("api-export", args=[told["uid"]]), headers=headers).json()
    assert (state["state"], state["num_done"]) == ("done", state["num_total"])
    archive = client.get(reverse("api-export-archive", args=[told["uid"]]), headers=headers)
    assert hashlib.sha256(b"".join(archive)).hexdigest() == state["sha256"]


def test_the_command_writes_the_same_archive(
    dataset: PreferenceDataset, researcher: User, tmp_path: Path
) -> None:
    out, said = tmp_path / "round-1.zip", io.StringIO()
    told = ("--actor", "rita", "--use", USE, "--out", str(out))
    with pytest.raises(CommandError, match="leaves whole"):
        call_command("export_dataset", *told, "--data-set", str(dataset.uid), "--format", "csv")
    with pytest.raises(CommandError, match="There is no data set of that uid"):
        call_command("export_dataset", *told, "--data-set", "00000000-0000-0000-0000-000000000000")
    call_command("export_dataset", *told, "--data-set", str(dataset.uid), stdout=said)
    assert said.getvalue().startswith(hashlib.sha256(out.read_bytes()).hexdigest())
    assert out.read_bytes() == archive_of(done(dataset))
