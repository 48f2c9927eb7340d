"""COCO boxes are read by COCO's own library, and are those of the database."""

import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO as CocoApi

from deepmedix_review.exports import scope
from deepmedix_review.exports.models import COCO
from deepmedix_review.reasoning.models import Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import DrawnRegion, MissedFinding, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from tests.deepmedix_review.exports.an_export import USE, a_read_study, archive_of, done, files_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import change, complete, sign
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

OWN = ((10.0, 20.0, 110.5, 80.25), (3.0, 200.0, 190.0, 290.0), (40.0, 40.0, 40.0, 60.0))
ADJUSTED = (12.0, 22.5, 100.0, 70.0)
OF_STEP, OF_MISSED = (1.0, 2.0, 3.5, 5.0), (150.0, 250.0, 199.0, 299.0)


def a_film(**fields: Any) -> Instance:
    """Not square, and its pixels are not square either."""
    return InstanceFactory.create(rows=300, columns=200, row_spacing_mm=0.2, column_spacing_mm=0.4, **fields)


def a_reading_of(film: Instance) -> Reading:
    """Three regions, of which the last has no area; one adjusted, one drawn for a step, one for a miss."""
    model: ModelVersion = ServingModelFactory.create()
    say(film, steps=[("Large heart", OWN[:1]), ("Effusion", OWN[1:])], model_version=model)
    study = create_reader_study(
        title="Boxes", studies=[film.series.study], readers=[ExpertFactory.create()], actor=None, seed=1
    )
    reading = Reading.objects.get(assignment__case__reader_study=study)
    complete(reading)
    own = Region.objects.get(x_min=OWN[0][0], step__completion=reading.completion_a)
    change(reading, AnnotateRegion(own.uid, RegionAnnotation.Verdict.ADJUSTED, ADJUSTED))
    missed = MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text="Nodule")
    edges = ("x_min", "y_min", "x_max", "y_max")
    for of, box in (({"step": own.step}, OF_STEP), ({"missed_finding": missed}, OF_MISSED)):
        DrawnRegion.objects.create(reading=reading, **of, **dict(zip(edges, box, strict=True)))
    return sign(reading)


def loaded(content: bytes, folder: Path) -> CocoApi:
    path = folder / "coco.json"
    path.write_bytes(content)
    return CocoApi(str(path))


def edges_of(annotation: dict[str, Any]) -> tuple[float, ...]:
    x, y, width, height = annotation["bbox"]
    return (x, y, x + width, y + height)


def of_category(coco: CocoApi, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=[name])))
    return found


def test_boxes_of_a_film_that_is_not_square_are_those_of_the_database(tmp_path: Path) -> None:
    film = a_film()
    reading = a_reading_of(film)
    export = done(formats=[COCO])
    files = files_of(export)
    assert set(files) == {"README.txt", "croissant.json", "manifest.json", "data/coco.json"}
    coco = loaded(files["data/coco.json"], tmp_path)
    [image] = coco.loadImgs(coco.getImgIds())
    assert (image["width"], image["height"]) == (200, 300)
    assert image["file_name"] == f"{film.sop_instance_uid}.png"
    assert coco.dataset["licenses"] == [{"id": image["license"], "name": USE, "url": ""}]
    own = of_category(coco, "model_region")
    assert [edges_of(one) for one in own] == list(OWN[:2])
    assert [[said["verdict"] for said in one["verdicts"]] for one in own] == [["adjusted"], ["fits"]]
    for name, box in (
        ("adjusted_region", ADJUSTED),
        ("region_drawn_for_a_step", OF_STEP),
        ("region_of_a_missed_finding", OF_MISSED),
    ):
        [one] = of_category(coco, name)
        assert edges_of(one) == box
        assert one["area"] == (box[2] - box[0]) * (box[3] - box[1])
        assert one["iscrowd"] == 0
        assert one["completion"] == str(reading.completion_a.uid)
        assert one["reader"] == own[0]["verdicts"][0]["reader"]
    assert len(coco.anns) == 5


def test_cases_in_parts_are_numbered_on_and_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_read_study()
    first = done(formats=[COCO])
    monkeypatch.setattr(scope, "AT_ONCE", 2)
    again = done(formats=[COCO], as_of=first.as_of, data_use=first.data_use)
    assert archive_of(again) == archive_of(first)
    files = files_of(first)
    assert {"data/coco.json", "controls/coco.json"} <= set(files)
    coco = loaded(files["data/coco.json"], tmp_path)
    num_images, num_annotations = len(coco.dataset["images"]), len(coco.dataset["annotations"])
    assert num_images > 2
    assert sorted(coco.imgs) == list(range(1, num_images + 1))
    assert sorted(coco.anns) == list(range(1, num_annotations + 1))
    assert {one["image_id"] for one in coco.anns.values()} <= set(coco.imgs)
    rows = {one["name"]: one["rows"] for one in json.loads(files["manifest.json"])["files"]}
    assert rows["data/coco.json"] == num_images + num_annotations
