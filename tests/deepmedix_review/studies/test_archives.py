"""Films that come in archives: each by itself, within limits, and nothing of one that can't be read."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as of_the_platform
from django.core.management import call_command

from deepmedix_review.studies.intake import archives
from deepmedix_review.studies.intake.archives import (
    ArchiveLimits,
    ArchiveRefused,
    UnpackedFile,
    count_files,
    is_archive,
    unpack,
)
from deepmedix_review.studies.models import ImportBatch, ImportItem, Study
from tests.factories.studies import write_film

LIMITS = ArchiveLimits(max_files=10, max_bytes=10_000_000, max_file_bytes=1_000_000)
FILES = {"a/one.dcm": b"1" * 700, "a/b/two.dcm": b"2" * 512}
# Left out: what a system puts beside files.
BESIDE = {"__MACOSX/a/._one.dcm": b"x", "a/.DS_Store": b"x"}
Content = dict[str, bytes]


def write_zip(path: Path, content: Content) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("a")
        for name, data in content.items():
            archive.writestr(name, data)
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return path


def write_tar(path: Path, content: Content) -> Path:
    kind = path.suffix.lstrip(".")
    with tarfile.open(path, "w" if kind == "tar" else f"w:{kind}") as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for kind_of_link in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            link = tarfile.TarInfo("link.dcm")
            link.type, link.linkname = kind_of_link, "/etc/passwd"
            archive.addfile(link)
    return path


def write_archive(path: Path, content: Content) -> Path:
    return write_zip(path, content) if path.suffix == ".zip" else write_tar(path, content)


def taken(path: Path, work: Path, *, limits: ArchiveLimits = LIMITS) -> dict[str, bytes | str]:
    """By name, what was unpacked, or why not."""

    def content(file: UnpackedFile) -> bytes | str:
        # No more than one of them lies there at a time.
        assert len([*work.iterdir()]) <= 1
        return file.refusal if file.path is None else file.path.read_bytes()

    found = {file.name: content(file) for file in unpack(path, limits=limits, work=work)}
    assert not [*work.iterdir()]
    return found


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


ALL_KINDS = pytest.mark.parametrize("kind", ["zip", "tar", "gz", "bz2", "xz"])


@ALL_KINDS
def test_the_files_of_an_archive_are_unpacked_and_nothing_else_in_it(
    kind: str, tmp_path: Path, work: Path
) -> None:
    path = write_archive(tmp_path / f"films.{kind}", {**FILES, **BESIDE})
    assert is_archive(path)
    assert count_files(path, limits=LIMITS) == len(FILES)
    assert taken(path, work) == FILES


@ALL_KINDS
def test_names_in_an_archive_are_no_paths(kind: str, tmp_path: Path, work: Path) -> None:
    path = write_archive(tmp_path / f"films.{kind}", {"../out.dcm": b"1", f"{tmp_path}/out.dcm": b"2"})
    before = sorted(tmp_path.rglob("*"))
    assert {*taken(path, work).values()} == {b"1", b"2"}
    assert sorted(tmp_path.rglob("*")) == before


@ALL_KINDS
def test_limits_hold_before_anything_is_unpacked(kind: str, tmp_path: Path) -> None:
    path = write_archive(tmp_path / f"films.{kind}", FILES)
    with pytest.raises(ArchiveRefused, match="over 1 files"):
        count_files(path, limits=ArchiveLimits(max_files=1, max_bytes=10_000, max_file_bytes=10_000))
    with pytest.raises(ArchiveRefused, match="Unpacked, the archive is larger"):
        count_files(path, limits=ArchiveLimits(max_files=10, max_bytes=1_211, max_file_bytes=10_000))


@ALL_KINDS
def test_a_file_that_is_too_large_stops_no_other(kind: str, tmp_path: Path, work: Path) -> None:
    path = write_archive(tmp_path / f"films.{kind}", FILES)
    limits = ArchiveLimits(max_files=10, max_bytes=10_000, max_file_bytes=600)
    found = taken(path, work, limits=limits)
    assert found["a/b/two.dcm"] == FILES["a/b/two.dcm"]
    assert "larger than" in str(found["a/one.dcm"])


@ALL_KINDS
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_archive_that_is_cut_off_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    whole = write_archive(tmp_path / f"whole.{kind}", {**FILES, "c.dcm": bytes(range(256)) * 400})
    path = tmp_path / f"films.{kind}"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    with pytest.raises(ArchiveRefused, match="damaged or cut off"):
        count_files(path, limits=LIMITS)


def test_a_tar_whose_header_is_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "films.tar", FILES)
    content = bytearray(path.read_bytes())
    # After the first header and the two blocks of the first file.
    content[3 * 512 : 3 * 512 + 100] = b"?" * 100
    path.write_bytes(content)
    with pytest.raises(ArchiveRefused, match="damaged or cut off"):
        count_files(path, limits=LIMITS)


def test_a_file_that_is_damaged_in_a_zip_stops_no_other(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "films.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    path.write_bytes(path.read_bytes().replace(b"1" * 700, b"3" * 700))
    assert count_files(path, limits=LIMITS) == len(FILES)
    found = taken(path, work)
    assert found["a/b/two.dcm"] == FILES["a/b/two.dcm"]
    assert "damaged in the archive" in str(found["a/one.dcm"])


def test_a_file_under_a_password_says_so(tmp_path: Path, work: Path) -> None:
    path = write_zip(tmp_path / "films.zip", {"one.dcm": b"1"})
    content = bytearray(path.read_bytes())
    # The flag stands before the file and in the list at the end.
    content[content.index(b"one.dcm") - 30 + 6] |= 1
    content[content.rindex(b"one.dcm") - 46 + 8] |= 1
    path.write_bytes(content)
    assert "password" in str(taken(path, work)["one.dcm"])


def test_a_tar_whose_header_is_endless_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_AT_ONCE", 10_000)
    path = tmp_path / "films.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("one.dcm")
        info.pax_headers = {"comment": "x" * 20_000}
        archive.addfile(info)
    with pytest.raises(ArchiveRefused, match="damaged"):
        count_files(path, limits=LIMITS)


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bno gzip", b"PK\x03\x04no zip", b"BZhno bzip2", b"\xfd7zXZno xz"]
)
def test_what_only_begins_like_an_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "films.bin"
    path.write_bytes(content)
    assert is_archive(path)
    with pytest.raises(ArchiveRefused, match="damaged or cut off"):
        count_files(path, limits=LIMITS)


def test_an_archive_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="holds no file"):
        count_files(write_zip(tmp_path / "films.zip", BESIDE), limits=LIMITS)


@pytest.mark.django_db
def test_the_command_brings_in_archives_beside_films_and_knows_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "brought"
    folder.mkdir()
    films = [write_film(tmp_path / f"film-{seed}.dcm", seed=seed).read_bytes() for seed in (1, 2, 3)]
    write_zip(folder / "b.zip", {"Doe^Jane/1.dcm": films[0], "letter.pdf": b"%PDF-1.4", "2.dcm": films[1]})
    (folder / "a.dcm").write_bytes(films[2])
    (folder / "c.tar.gz").write_bytes(b"\x1f\x8bno gzip")
    with pytest.raises(SystemExit):
        call_command("import_studies", folder)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("1/3 a.dcm: accepted")
    assert said[1].startswith("2/3 b.zip, 1/3 1.dcm: accepted")
    assert said[2].startswith("2/3 b.zip, 2/3 letter.pdf: refused This is a PDF document.")
    assert said[3].startswith("2/3 b.zip, 3/3 2.dcm: accepted")
    assert said[4].startswith("3/3 c.tar.gz, 1/1 c.tar.gz: refused The archive is damaged")
    assert said[5] == "5 files: 3 accepted, 0 held, 0 duplicate, 2 refused"
    assert "Doe" not in "".join(said)
    assert Study.objects.count() == 3
    assert ImportBatch.objects.get().items.count() == 5
    assert not [*Path(of_the_platform.UPLOAD_FOLDER).glob("unpacking-*")]

    with pytest.raises(SystemExit):
        call_command("import_studies", folder)
    assert "3 duplicate, 2 refused" in capsys.readouterr().out
    assert Study.objects.count() == 3


@pytest.mark.django_db
def test_an_archive_over_the_limit_brings_nothing_in(tmp_path: Path, settings: Any) -> None:
    settings.MAX_ARCHIVE_FILES = 1
    film = write_film(tmp_path / "film.dcm", seed=1).read_bytes()
    path = write_zip(tmp_path / "films.zip", {"1.dcm": film, "2.dcm": film})
    with pytest.raises(SystemExit):
        call_command("import_studies", path)
    item = ImportItem.objects.get()
    assert item.outcome == ImportItem.Outcome.REFUSED
    assert "over 1 files" in item.reason
    assert not Study.objects.exists()
