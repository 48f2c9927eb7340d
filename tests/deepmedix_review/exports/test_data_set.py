"""A frozen data set leaves as a folder that Hugging Face's `datasets` loads, with nobody's name in it."""

import hashlib
import json
import logging
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from datasets import DatasetDict, get_dataset_config_names, load_dataset
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.examples import cases_of
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Instance, SourceDataset, Split, Study
from rl_feedback.croissant import said_readers
from rl_feedback.rewards.truth import CaseTruth
from tests.croissants import records_of, validated
from tests.deepmedix_review.exports.a_data_set import USE, asked_for, done
from tests.deepmedix_review.exports.an_export import archive_of, files_of, manifest_of
from tests.factories.accounts import ResearcherFactory

pytestmark = pytest.mark.django_db
NAMES = {Split.TRAIN: "train", Split.TUNE: "validation", Split.TEST: "test"}


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
    said = [files_of(export)[name].decode() for name in ("README.md", "croissant.json", "manifest.json")]
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


def test_mlcroissant_reads_of_every_subset_what_datasets_loads(
    dataset: PreferenceDataset,
    load: Callable[[Export], Mapping[str, DatasetDict]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    export = done(dataset)
    loaded = load(export)
    caplog.clear()
    described = validated(tmp_path / f"folder-{export.pk}")
    assert {one.uuid for one in described.metadata.record_sets} == {*loaded, "splits"}
    assert {one["name"] for one in records_of(described, "splits")} == {"train", "validation", "test"}
    num_read = 0
    for subset in loaded:
        read = records_of(described, subset)
        assert Counter((row["split"], as_text(row)) for row in read) == Counter(
            (split, as_text(row)) for split, row in rows_in(loaded, subset)
        ), subset
        num_read += len(read)
    assert num_read == sum(one.num_rows for one in export.written)
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def as_text(row: Mapping[str, Any]) -> str:
    """Pictures by their pixels; a list that is null as one of nothing, for that is how it is read."""
    plain = {name: value for name, value in row.items() if name != "split"}
    plain["images"] = [
        hashlib.sha256(one.tobytes() if isinstance(one, Image.Image) else one[1]).hexdigest()
        for one in row["images"]
    ]
    if "regions" in plain and plain["regions"] is None:
        plain["regions"] = [{"finding": None, "box": None, "tolerance": None}]
    return json.dumps(plain, sort_keys=True)


def test_croissant_tells_of_the_frozen_data_set_what_its_card_does(
    dataset: PreferenceDataset, model: ModelVersion
) -> None:
    export = done(dataset)
    files = files_of(export)
    told = json.loads(files["croissant.json"])
    assert (told["name"], told["url"]) == ("Round 1", f"urn:uuid:{dataset.uid}")
    assert told["creator"]["name"].startswith("3 readers on DeepMedix Review")
    assert told["license"][0]["description"] == told["rai:dataUseCases"][0] == USE
    assert any(f"Texts of {model.name}" in one["description"] for one in told["license"])
    assert f"{dataset.num_readings} readings by 3 readers" in told["rai:dataCollection"]
    assert dataset.sha256 in told["rai:dataCollection"]
    assert told["rai:machineAnnotationTools"] == [f"{model.name} ({model}), sha256 {model.sha256}"]
    by_readers = Counter(dataset.pairs.values_list("num_readers", flat=True))
    assert told["rai:annotationsPerItem"].startswith(f"Of pairs: {said_readers(by_readers)} Of labels: ")
    assert any(one.startswith("Agreement of the readers on") for one in told["rai:dataAnnotationAnalysis"])
    # What nobody knows is not there.
    assert "rai:dataSocialImpact" not in told
    sha256 = {one["@id"]: one["sha256"] for one in told["distribution"] if "sha256" in one}
    assert set(sha256) == set(files) - {"croissant.json", "manifest.json"}


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
    type(pair.completion).objects.filter(pk=pair.completion.pk).update(model_width=56)
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
