"""XrayBench, in small folders laid out as the hub's files may be; reports and questions are made up."""

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.archives import unpacking_folder
from deepmedix_review.studies.known_sets import receiving, xraybench, xraybench_rows
from deepmedix_review.studies.known_sets.said import StudySaid
from deepmedix_review.studies.models import ImportItem, Instance, Reference, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import (
    brought_in,
    picture_bytes,
    write_lines,
    write_parquet,
    write_picture,
)

pytestmark = pytest.mark.django_db

LAYOUT = "xraybench"
FILE = "test-00000-of-00001.parquet"
FINDINGS, IMPRESSION = "The heart is enlarged. No effusion.", "Cardiomegaly."


def row_of(dataset: str, category: str, answer: Any, **said: Any) -> dict[str, Any]:
    asked = f"Write the {category}." if dataset in ("MIMIC-CXR", "OPEN-I") else f"What of the {category}?"
    return {"question": asked, "answer": answer, "dataset": dataset, "category": category, **said}


def embedded(*seeds: int, name: str = "0.png") -> list[dict[str, Any]]:
    return [{"bytes": picture_bytes(seed=seed), "path": name} for seed in seeds]


ROWS = (
    row_of("MIMIC-CXR", "findings", FINDINGS, images=embedded(1)),
    row_of("OPEN-I", "findings", "Clear lungs.", images=embedded(2, 3)),
    row_of("CXR-VQA", "presence", "yes", images=embedded(1)),
    row_of("MIMIC-CXR", "impression", IMPRESSION, images=embedded(1)),
    row_of("Ext-VQA", "plane", "AP", images=embedded(4)),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five rows about three studies; pictures of all have the same name, as those of Open-i do."""
    folder = tmp_path / "xraybench"
    write_parquet(folder / "data" / FILE, *ROWS)
    (folder / "dataset_infos.json").write_text("{}")
    return folder


def left_behind() -> list[str]:
    return [path.name for path in Path(configured.UPLOAD_FOLDER).glob("unpacking-*")]


def test_rows_about_one_picture_are_one_study_with_findings_and_impression(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "XrayBench: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused, 0 here" in told
    assert told.count("Left: 2 questions about these pictures, as a reference holds no answers.") == 1
    assert "python -m rl_feedback evaluate --references FOLDER" in told
    assert "Left, as said above" not in told
    one, two, asked = Study.objects.order_by("pk")
    assert len({study.patient_pseudonym for study in (one, two, asked)}) == 3
    assert [study.series.get().instances.count() for study in (one, two, asked)] == [1, 2, 1]
    assert (one.reference.findings, one.reference.impression) == (FINDINGS, IMPRESSION)
    assert (two.reference.findings, two.reference.impression) == ("Clear lungs.", "")
    assert (one.reference.labels, one.reference.report) == ({}, "")
    assert {study.reference.published_split for study in (one, two, asked)} == {"test"}
    assert (asked.reference.findings, asked.reference.impression) == ("", "")
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "PhysioNet Credentialed" in source.licence
    assert left_behind() == []


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "4 here already. New references: 0." in told
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_a_study_is_the_same_in_whichever_order_its_rows_come(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = embedded(2), embedded(3)
    brought_in(LAYOUT, folder, capsys, text_free=True)
    for number, pictures in enumerate((first, second)):
        row = row_of("CXR-VQA", "view", "AP", images=pictures)
        write_parquet(folder / "data" / f"earlier-{number}.parquet", row)
        told = brought_in(LAYOUT, folder, capsys, text_free=True)
        assert "Nothing new" in told
        assert "Left: 3 questions" in told
        (folder / "data" / f"earlier-{number}.parquet").unlink()


def test_of_embedded_pictures_those_of_one_study_lie_on_the_disk_at_once(folder: Path) -> None:
    num_seen = 0
    for said in xraybench.read_xraybench(folder):
        if isinstance(said, StudySaid):
            (scratch,) = Path(configured.UPLOAD_FOLDER).glob("unpacking-*")
            assert {path.name for path in scratch.iterdir()} == {image.path.name for image in said.images}
            num_seen += 1
    assert num_seen == 3
    assert left_behind() == []


def test_an_import_that_was_killed_in_a_study_is_completed_and_leaves_no_picture_behind(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*args: Any, **kwargs: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "keep_reference", kill)
        with pytest.raises(Killed):
            call_command("import_dataset", LAYOUT, folder, text_free=True)
    assert (Instance.objects.count(), Reference.objects.count()) == (1, 0)
    assert left_behind() == []
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Films: 3 accepted" in told
    assert "1 here already" in told
    assert (Study.objects.count(), Instance.objects.count(), Reference.objects.count()) == (3, 4, 3)


def test_json_lines_and_json_name_pictures_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "lines"
    for seed, name in enumerate(("images/mimic/a.jpg", "images/b.png", "vqa/films/c.png"), start=1):
        write_picture(folder / name, seed=seed)
    shutil.copyfile(folder / "images" / "b.png", folder / "vqa" / "films" / "b.png")
    write_lines(
        folder / "mimic_findings.jsonl",
        {"problem": "Write.", "solution": FINDINGS, "image": "images/mimic/a.jpg"},
    )
    (folder / "mimic_impression.json").write_text(
        json.dumps([{"problem": "Write.", "solution": IMPRESSION, "image": "mimic/a.jpg"}])
    )
    write_lines(folder / "openi_impression.jsonl", {"query": "?", "answer": "Clear.", "image_path": "b.png"})
    write_lines(
        folder / "vqa" / "ext_vqa.jsonl",
        {"question": "Where?", "answer": ["left", "right"], "type": "anatomy", "images": ["films/b.png"]},
        {"question": "Size?", "answer": "small", "type": "size", "images": ["films/c.png"]},
    )
    (folder / "settings.json").write_text('{"a": 1}')
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "3 studies. Films: 3 accepted" in told
    assert "Left: 2 questions" in told
    kept = Reference.objects.order_by("pk").values_list("findings", "impression", "published_split")
    assert list(kept) == [(FINDINGS, IMPRESSION, ""), ("", "Clear.", "")]


def test_numbers_of_studies_join_reports_of_one_set_and_names_of_pictures_join_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "numbered"
    write_parquet(
        folder / "all.parquet",
        row_of("MIMIC-CXR", "findings", FINDINGS, study_id="7", image=embedded(1)[0]),
        row_of("MIMIC-CXR", "impression", IMPRESSION, study_id="7", image=embedded(2)[0]),
        row_of("OPEN-I", "findings", "Clear.", study_id="7", image=embedded(3)[0]),
        row_of("Ext-VQA", "plane", "AP", study_id="7", image=embedded(4)[0]),
        row_of("Ext-VQA", "plane", "PA", study_id="7", image=embedded(7)[0]),
        row_of("OPEN-I", "findings", "A nodule.", study_id=None, image=embedded(5)[0]),
        row_of("OPEN-I", "findings", "A scar.", study_id=None, image=embedded(6)[0]),
    )
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "6 studies. Films: 7 accepted" in told
    first = Study.objects.earliest("pk")
    assert first.series.get().instances.count() == 2
    assert (first.reference.findings, first.reference.impression) == (FINDINGS, IMPRESSION)

    named = tmp_path / "named"
    rows = (
        row_of("OPEN-I", "findings", "One.", image_id="0", image=embedded(11)[0]),
        row_of("OPEN-I", "findings", "Two.", image_id="0", image=embedded(12)[0]),
    )
    write_parquet(named / "all.parquet", *rows)
    assert "2 studies. Films: 2 accepted" in brought_in(LAYOUT, named, capsys, text_free=True)


def test_a_column_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "other"
    write_parquet(
        folder / "openi_findings.parquet",
        {"question": "Write.", "truth": "One.", "film": embedded(1)[0], "of": "7"},
        {"question": "Write.", "truth": "One.", "film": embedded(2)[0], "of": "7"},
    )
    with pytest.raises(CommandError, match=r"Expected columns for answer .* found film, of, question, truth"):
        call_command("import_dataset", LAYOUT, folder)
    with pytest.raises(CommandError, match=r"in a column images, image, image_path\. No row has one\."):
        call_command("import_dataset", LAYOUT, folder, column=["answer=truth"])
    columns = ["answer=truth", "image=film", "study=of"]
    told = brought_in(LAYOUT, folder, capsys, text_free=True, column=columns)
    assert "1 studies. Films: 2 accepted" in told
    assert Reference.objects.get().findings == "One."
    with pytest.raises(CommandError, match="--column is written answer=NAME, not answer"):
        call_command("import_dataset", LAYOUT, folder, column=["answer"])
    with pytest.raises(CommandError, match=r"colour is no column to name\. There are question, answer"):
        call_command("import_dataset", LAYOUT, folder, column=["colour=of"])
    with pytest.raises(CommandError, match="--column: only for layout xraybench"):
        call_command("import_dataset", "padchest", folder, column=["answer=truth"])


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.MAX_FILM_BYTES = 64 * 1024
    folder = tmp_path / "xraybench"
    write_picture(folder / "images" / "a.png", seed=1)
    write_picture(tmp_path / "outside.png", seed=2)
    (folder / "images" / "large.png").write_bytes(bytes(64 * 1024 + 1))
    (folder / "images" / "text.png").write_text("no picture")
    (folder / "images" / "link.png").symlink_to(tmp_path / "outside.png")
    lines = write_lines(
        folder / "a.jsonl",
        row_of("MIMIC-CXR", "findings", FINDINGS, image="a.png"),
        row_of("MIMIC-CXR", "findings", "Another.", image="a.png"),
        row_of("MIMIC-CXR", "impression", "Lost.", image=None),
        row_of("MIMIC-CXR", "impression", IMPRESSION, image=["a.png", "../outside.png"]),
        row_of("MIMIC-CXR", "findings", "Lost.", image=str(tmp_path / "outside.png")),
        row_of("MIMIC-CXR", "findings", "Lost.", image="link.png"),
        row_of("MIMIC-CXR", "findings", "Lost.", image="large.png"),
        row_of("MIMIC-CXR", "findings", "Lost.", image="text.png"),
        row_of("MIMIC-CXR", "findings", "Lost.", image=[5, {"bytes": "text"}]),
        row_of("MIMIC-CXR", "findings", "Lost.", image=["a.png"] * 21),
        row_of("PadChest", "findings", "Lost.", image="a.png"),
        row_of("MIMIC-CXR", "findings", None, image="a.png"),
        row_of("MIMIC-CXR", "findings", "\ud800\x00 Lost.", image="\ud800.png"),
    )
    with lines.open("a") as file:
        file.write("[5]\n" + "[" * 100_000 + "\n{\n")
    large = {"bytes": bytes(64 * 1024 + 1), "path": "a.png"}
    write_parquet(
        folder / "b.parquet",
        row_of("OPEN-I", "findings", "Lost.", image=large),
        row_of("OPEN-I", "findings", "Lost.", image={"bytes": None, "path": "../outside.png"}),
        row_of("OPEN-I", "impression", "Of a file.", image={"bytes": None, "path": "a.png"}),
    )
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "a.jsonl, line 2: Its findings is not that of an earlier row of its study, which stays.",
        "a.jsonl, line 3: It has no picture.",
        "a.jsonl, line 4: Its picture 2 is not there.",
        "a.jsonl, line 5: Its picture 1 is not there.",
        "a.jsonl, line 6: Its picture 1 is not there.",
        "a.jsonl, line 7: Its picture 1 has more than 0 MB and was left.",
        "a.jsonl, line 8: refused: ",
        "a.jsonl, line 9: Its picture 1 is neither embedded nor named.",
        "a.jsonl, line 9: Its picture 2 is neither embedded nor named.",
        "a.jsonl, line 10: It has more than 20 pictures.",
        "a.jsonl, line 11: 'PadChest' is no set of XrayBench.",
        "a.jsonl, line 12: Its answer is no text, but None",
        "a.jsonl, line 13: Its picture 1 is not there.",
        "a.jsonl, line 14: It is no object of JSON.",
        "a.jsonl, line 15: It is no object of JSON.",
        "a.jsonl, line 16: It is no object of JSON.",
        "b.parquet, row 1: Its picture 1 has more than 0 MB and was left.",
        "b.parquet, row 2: Its picture 1 is not there.",
        "b.parquet, row 3: Its impression is not that of an earlier row of its study, which stays.",
    ):
        assert line in told, line
    assert "Left, as said above: 18 rows" in told
    assert "1 refused" in told
    assert (Study.objects.count(), Instance.objects.count()) == (1, 1)
    kept = Reference.objects.get()
    assert (kept.findings, kept.impression) == (FINDINGS, IMPRESSION)


def test_a_parquet_file_that_is_damaged_is_told_and_read_up_to_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "data" / FILE
    metadata = pyarrow.parquet.read_metadata(path)
    last = metadata.row_group(metadata.num_row_groups - 1)
    content = bytearray(path.read_bytes())
    for number in range(last.num_columns):
        # From here the head of its first page lies.
        start = last.column(number).dictionary_page_offset or last.column(number).data_page_offset
        content[start : start + 16] = b"\xff" * 16
    path.write_bytes(content)
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    assert f"data/{FILE}, after row 4: The file is cut off or damaged here." in told
    assert "2 studies. Films: 3 accepted" in told


def test_pictures_that_change_while_they_are_read_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lines"
    for seed, name in enumerate(("a.png", "b.png"), start=1):
        write_picture(folder / name, seed=seed)
    write_lines(
        folder / "all.jsonl",
        row_of("OPEN-I", "findings", "One.", image="a.png"),
        row_of("OPEN-I", "findings", "Two.", image="b.png"),
    )

    def changed() -> AbstractContextManager[Path]:
        write_picture(folder / "b.png", seed=9)
        return unpacking_folder()

    # What was read first is read again from here on.
    monkeypatch.setattr(xraybench, "unpacking_folder", changed)
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    assert "all.jsonl, line 2: Its picture was changed while the folder was read." in told
    assert Reference.objects.get().findings == "One."


def test_another_layout_is_refused_before_anything_is_stored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    with monkeypatch.context() as patched:
        patched.setattr(xraybench, "MAX_ROWS", 4)
        refused("xraybench has more than 4 rows; XrayBench has 14,213.")
    path = folder / "data" / FILE
    write_parquet(path, *({**row, "images": None} for row in ROWS))
    refused(
        r"Pictures were expected in xraybench: .* in a column images\. No row has one\. The first, data"
        r"/test\S+, row 1: It has no picture\. Download all of it \(hf download .* Qika/xraybench --local-dir"
    )
    write_parquet(path, *({**row, "dataset": "PadChest"} for row in ROWS))
    refused(r"None of the rows in xraybench is one of XrayBench\. The first, .* row 1: 'PadChest' is no set")
    write_parquet(path, {"text": "Clear.", "film": 1})
    refused(r"has not the layout of XrayBench\. Expected columns for question .* found film, text\. Name a")
    path.write_text("no Parquet")
    refused("is no Parquet file. Download it again.")
    path.unlink()
    refused(r"holds no rows of XrayBench\. Expected \.parquet.* found data, dataset_infos\.json\.")
    (folder / "a.json").write_text("[")
    refused("a.json can't be read as JSON.")
    monkeypatch.setattr(xraybench_rows, "MAX_JSON_BYTES", 0)
    refused("a.json has more than 0 MB.")
    (folder / "a.json").unlink()
    write_lines(folder / "a.jsonl", [5])
    refused("a.jsonl was expected to have an object of JSON on each line. It has others.")
    monkeypatch.setattr(xraybench_rows, "MAX_TABLE_BYTES", 0)
    refused("a.jsonl has more than 0 GB.")
