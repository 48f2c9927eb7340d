"""Nothing that a file does harms more than the process that decodes it."""

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydicom import dcmread

from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.intake.display import write_display_film
from deepmedix_review.studies.intake.limits import Limits
from deepmedix_review.studies.intake.profiles import KEEP_DATES_SHIFTED
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from tests.deepmedix_review.studies.a_decoded_film import LIMITS, refusal_of
from tests.factories.studies import write_film


def _nest(path: Path) -> None:
    """5,000 sequences inside each other, none of which ends."""
    dataset = dcmread(path)
    raw = b""
    for _ in range(5000):
        raw += struct.pack("<HHL", 0x0008, 0x1140, 0xFFFFFFFF) + struct.pack(
            "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
        )
    path.write_bytes(raw + dataset.PixelData[:100])


def _declare(**numbers: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        dataset = dcmread(path)
        for keyword, value in numbers.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)

    return change


def _garble(path: Path) -> None:
    """A deflated film with a broken stream."""
    write_phantom_dicom(path, seed=1, size=64, encoding=FilmEncoding(transfer_syntax="deflated"))
    content = bytearray(path.read_bytes())
    content[600:640] = b"\xff" * 40
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def _empty(path: Path) -> None:
    dataset = dcmread(path)
    del dataset.PixelData
    dataset.save_as(path)


def _mislead(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))


@pytest.mark.parametrize(
    ("damage", "part_of_the_sentence"),
    [
        (_cut, "was cut off"),
        (_empty, "no picture in this object"),
        (_nest, ""),
        (_mislead, "compressed, but it is not"),
        (_declare(Rows=60000, Columns=60000), "60000 x 60000 pixels"),
        (_garble, "is damaged and can't be"),
        (_declare(Rows=0), "no rows"),
        (_declare(Rows=500), "fewer pixels than its header says"),
        (_declare(NumberOfFrames=9), "fewer pixels than its header says"),
        (_declare(BitsStored=40), "bits stored"),
        (_declare(BitsAllocated=32), "bits stored"),
    ],
)
def test_a_false_header_is_refused_with_a_sentence(
    tmp_path: Path, damage: Callable[[Path], None], part_of_the_sentence: str
) -> None:
    path = write_film(tmp_path / "film")
    damage(path)
    said = refusal_of(path, tmp_path)
    assert part_of_the_sentence in said
    assert said.endswith(".")


def test_a_film_over_the_memory_limit_ends_its_process_alone(tmp_path: Path) -> None:
    """The limit is below what the decoder itself needs."""
    tight = Limits(max_file_bytes=10**8, max_pixels=10**8, memory_bytes=96 * 1024**2, seconds=60)
    if os.uname().sysname != "Linux":
        tight = Limits(max_file_bytes=10**8, max_pixels=10, memory_bytes=2**31, seconds=60)
    assert refusal_of(write_film(tmp_path / "film", size=256), tmp_path, limits=tight).endswith(".")


def test_a_film_over_the_time_limit_is_left(tmp_path: Path) -> None:
    """-5 + 5 s: no process is so quick."""
    hurried = Limits(max_file_bytes=10**8, max_pixels=10**8, memory_bytes=2**31, seconds=-5)
    assert "took longer" in refusal_of(write_film(tmp_path / "film"), tmp_path, limits=hurried)


HOSTILE = {
    "deflate_bomb_600MB.dcm": "unfolds to more than 144 MB",
    "rle_bomb.dcm": "60000 x 60000 pixels",
    "truncated_half.dcm": "was cut off",
    "uid_traversal.dcm": "is not a UID",
    "zip_bomb_500MB.zip": "This is a zip archive. Unpack it first.",
    "hostile_strings.dcm": None,
    "no_preamble.dcm": None,
    "polyglot_pe.dcm": None,
}


def test_every_hostile_file_is_refused_or_harmless_within_500_megabytes(
    shared_data: Path, tmp_path: Path
) -> None:
    """The memory is that of this process and all its children together, above what it was before."""
    folder = shared_data / "hostile"
    assert {path.name for path in folder.iterdir()} == set(HOSTILE)
    refused: dict[str, str] = {}
    with _WatchedMemory() as peak:
        for name in HOSTILE:
            work = tmp_path / name
            work.mkdir()
            try:
                film = decode_film(folder / name, limits=LIMITS, work=work)
            except FilmRefused as refusal:
                refused[name] = str(refusal)
                continue
            identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
            write_display_film(work / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
            stored = (work / "stored.dcm").read_bytes()
            assert stored[:128] == bytes(128), "the preamble is zeroed"
            for text in (b"passwd", b"onerror", b"DROP TABLE", b"MZ\0\0"):
                assert text not in stored[:4000], text
    assert peak[0] < 500 * 1024**2
    assert set(refused) == {name for name, sentence in HOSTILE.items() if sentence}
    for name, sentence in refused.items():
        assert str(HOSTILE[name]) in sentence


class _WatchedMemory:
    """The highest sum of this process and what its children hold beside, above the start, in bytes."""

    def __enter__(self) -> list[int]:
        self.me = psutil.Process()
        self.peak, self.start = [0], self._now()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self.peak

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.stop.wait(0.02):
            self.peak[0] = max(self.peak[0], self._now() - self.start)

    def _now(self) -> int:
        total = int(self.me.memory_info().rss)
        for process in self.me.children(recursive=True):
            try:
                # Before its exec a child has all its parent's memory, not beside it.
                if process.cmdline() == self.me.cmdline():
                    continue
                # Between fork and exec a child shows all its parent's pages as resident: they count once.
                total += int(process.memory_full_info().uss)
            except psutil.Error:
                continue
        return total
