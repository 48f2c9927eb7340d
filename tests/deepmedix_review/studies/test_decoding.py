"""Every way to store a film comes out the same, and nothing that a file does harms more than its process."""

import errno
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from deepmedix_review.studies.intake import decoder_process, decoders, decoding
from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.decoding import DecodedFilm, decode_film
from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.intake.display import write_display_film
from deepmedix_review.studies.intake.limits import Limits
from deepmedix_review.studies.status_codes import is_disk_full
from inference.images import render_reference, render_values
from inference.phantom_dicom import TRANSFER_SYNTAXES, FilmEncoding, stored_pixels, write_phantom_dicom
from tests.factories.studies import write_film
from tests.workers import wait_until

LIMITS = Limits(max_file_bytes=512 * 1024**2, max_pixels=64 * 1024**2, memory_bytes=2 * 1024**3, seconds=60)


def _decode(path: Path, tmp_path: Path, *, limits: Limits = LIMITS) -> DecodedFilm:
    work = tmp_path / "work"
    work.mkdir()
    return decode_film(path, limits=limits, work=work)


def _refusal(path: Path, tmp_path: Path, *, limits: Limits = LIMITS) -> str:
    with pytest.raises(FilmRefused) as refusal:
        _decode(path, tmp_path, limits=limits)
    return str(refusal.value)


@pytest.mark.parametrize("syntax", list(TRANSFER_SYNTAXES))
def test_pixels_of_every_syntax_are_stored_bit_by_bit(tmp_path: Path, syntax: str) -> None:
    encoding = FilmEncoding(photometric="MONOCHROME1", bits_stored=14, transfer_syntax=syntax)
    phantom = write_phantom_dicom(tmp_path / "film", seed=3, size=64, encoding=encoding)
    film = _decode(tmp_path / "film", tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity)
    stored = dcmread(tmp_path / "stored.dcm")
    assert np.array_equal(stored.pixel_array, stored_pixels(phantom, encoding))
    assert stored.BitsStored == 14
    shown = render_values(stored_pixels(phantom, encoding), dcmread(tmp_path / "film"))
    assert np.array_equal(render_reference(tmp_path / "stored.dcm"), shown)


def test_what_is_written_passes_the_dicom_validator(tmp_path: Path) -> None:
    """dciodvfy does not know HTJ2K, so the same header is judged around plain pixels."""
    import subprocess

    film = _decode(write_film(tmp_path / "film"), tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity)
    stored = dcmread(tmp_path / "stored.dcm")
    stored.decompress(generate_instance_uid=False)
    stored.save_as(tmp_path / "plain.dcm")
    said = subprocess.run(
        ["dciodvfy", str(tmp_path / "plain.dcm")], capture_output=True, text=True, check=False
    )
    assert [line for line in said.stderr.splitlines() if line.startswith("Error")] == []
    assert "DXImage" in said.stderr


@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "P", "LA"])
def test_a_grey_picture_becomes_a_film_whatever_its_mode(tmp_path: Path, mode: str) -> None:
    grey = np.linspace(0, 255, 64 * 48).reshape(64, 48).astype(np.uint8)
    picture = (
        Image.fromarray(grey.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(grey).convert(mode)
    )
    picture.save(tmp_path / "film.png")
    film = _decode(tmp_path / "film.png", tmp_path)
    assert (film.rows, film.columns, film.bits_stored) == (64, 48, 16 if mode == "I;16" else 8)


def test_a_coloured_picture_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = np.arange(64)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    assert "coloured picture" in _refusal(tmp_path / "photo.jpg", tmp_path)


def test_bits_above_the_stored_ones_are_cleared_where_an_overlay_lies_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    clean = dataset.pixel_array.copy()
    dirty = clean.copy()
    dirty[10:20, 10:20] |= 0x8000
    dataset.PixelData = dirty.tobytes()
    dataset.add_new(0x60000010, "US", 96)
    dataset.add_new(0x60000102, "US", 15)
    dataset.save_as(path)
    film = _decode(path, tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity)
    assert np.array_equal(dcmread(tmp_path / "stored.dcm").pixel_array, clean)


def _window(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth = [1500, 2000], [900, 4000]


def _sigmoid(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 2000, 1500, "SIGMOID"


def _tables(dataset: Dataset) -> None:
    """A modality table, then a table of values of interest, both 4,096 long."""
    values = np.arange(4096, dtype=np.uint16)
    for keyword, table in (("ModalityLUTSequence", 4095 - values), ("VOILUTSequence", values // 2 + 1000)):
        lut = Dataset()
        bits = 16 if keyword == "ModalityLUTSequence" else 12
        lut.LUTDescriptor, lut.LUTData = [4096, 0, bits], table.astype("<u2").tobytes()
        lut["LUTData"].VR = "OW"
        if keyword == "ModalityLUTSequence":
            lut.ModalityLUTType = "US"
        setattr(dataset, keyword, Sequence([lut]))
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        dataset.pop(keyword, None)


def _signed_and_padded(dataset: Dataset) -> None:
    values = dataset.pixel_array.astype(np.int16) - 2048
    values[:10] = -2048
    dataset.PixelData, dataset.PixelRepresentation = values.tobytes(), 1
    dataset.add_new("PixelPaddingValue", "SS", -2048)
    dataset.WindowCenter, dataset.WindowWidth = 0, 4096


@pytest.mark.parametrize(
    ("change", "is_implicit"),
    [
        (_window, False),
        (_sigmoid, False),
        (_tables, False),
        (_tables, True),
        (_signed_and_padded, False),
        (_signed_and_padded, True),
    ],
)
def test_what_shapes_the_display_survives(
    tmp_path: Path, change: Callable[[Dataset], None], is_implicit: bool
) -> None:
    """Implicit VR says of no value whether it is signed."""
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    as_it_was = render_reference(path)
    change(dataset)
    if is_implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path)
    film = _decode(path, tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity)
    expected = render_reference(path)
    assert np.array_equal(render_reference(tmp_path / "stored.dcm"), expected)
    assert not np.array_equal(expected, as_it_was)


def test_an_attribute_that_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film", ImagerPixelSpacing=[6.25, 6.25])
    path.write_bytes(path.read_bytes().replace(b"6.25\\6.25", b"6.2p\\6.25"))
    film = _decode(path, tmp_path)
    assert "ImagerPixelSpacing" not in film.tags
    assert film.tags.Modality == "DX"


def test_a_film_with_broken_tables_is_refused_for_that(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    _tables(dataset)
    dataset.ModalityLUTSequence[0].LUTData = bytes(6)
    dataset.save_as(path)
    assert "tables for display are damaged" in _refusal(path, tmp_path)


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
    said = _refusal(path, tmp_path)
    assert part_of_the_sentence in said
    assert said.endswith(".")


def test_a_film_over_the_memory_limit_ends_its_process_alone(tmp_path: Path) -> None:
    """The limit is below what the decoder itself needs."""
    tight = Limits(max_file_bytes=10**8, max_pixels=10**8, memory_bytes=96 * 1024**2, seconds=60)
    if os.uname().sysname != "Linux":
        tight = Limits(max_file_bytes=10**8, max_pixels=10, memory_bytes=2**31, seconds=60)
    assert _refusal(write_film(tmp_path / "film", size=256), tmp_path, limits=tight).endswith(".")


def test_a_film_over_the_time_limit_is_left(tmp_path: Path) -> None:
    """-5 + 5 s: no process is so quick."""
    hurried = Limits(max_file_bytes=10**8, max_pixels=10**8, memory_bytes=2**31, seconds=-5)
    assert "took longer" in _refusal(write_film(tmp_path / "film"), tmp_path, limits=hurried)


def _standing_ready() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children()
        if process.cmdline()[-1:] == ["deepmedix_review.studies.intake.decoder_process"]
    ]


@pytest.fixture
def none_ready() -> Iterator[None]:
    """Each test of what stands ready starts its own, and leaves none behind that it broke."""
    before = decoders._ready
    decoders._ready = decoders._Ready()
    yield
    for decoder in decoders._ready.idle:
        decoder.close()
    decoders._ready = before


def test_the_decoding_process_inherits_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none_ready: None
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret of the server")
    before = _standing_ready()
    _decode(write_film(tmp_path / "film"), tmp_path)
    (ready,) = set(_standing_ready()) - set(before)
    inherited = Path(f"/proc/{ready.pid}/environ").read_bytes() if Path("/proc").exists() else b""
    assert b"a secret of the server" not in inherited
    assert "DEEPMEDIX_HOME" not in ready.environ()
    # What it forks would hold the locks of threads that are gone.
    assert ready.num_threads() == 1


def test_each_film_has_a_process_of_its_own_and_what_stands_ready_opens_none(
    tmp_path: Path, none_ready: None
) -> None:
    before = _standing_ready()
    films = [write_film(tmp_path / f"film-{number}", seed=number) for number in range(3)]
    for number, path in enumerate(films):
        work = tmp_path / f"work-{number}"
        work.mkdir()
        decode_film(path, limits=LIMITS, work=work)
    (ready,) = set(_standing_ready()) - set(before)
    assert not {str(path) for path in films} & {file.path for file in ready.open_files()}
    assert ready.children() == []


def test_where_what_stands_ready_has_ended_another_is_asked(tmp_path: Path, none_ready: None) -> None:
    (tmp_path / "first").mkdir()
    _decode(write_film(tmp_path / "film"), tmp_path / "first")
    (ended,) = decoders._ready.idle
    ended.process.kill()
    ended.process.wait()
    assert _decode(write_film(tmp_path / "other", seed=5), tmp_path).rows > 0


def test_what_waits_too_long_is_gone_with_the_film_that_it_decodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none_ready: None
) -> None:
    request = tmp_path / "request.json"
    os.mkfifo(request)
    started: list[int] = []
    popen = subprocess.Popen

    def watched(*args: Any, **kwargs: Any) -> Any:
        process = popen(*args, **kwargs)
        started.append(process.pid)
        return process

    monkeypatch.setattr(subprocess, "Popen", watched)
    # Nobody writes to the request, so that what reads it waits for ever.
    with pytest.raises(TimeoutError):
        decoders.run_decoder(request, seconds=3)
    wait_until(lambda: not _alive_of(started), what="the end of what decodes")


def _alive_of(groups: Collection[int]) -> list[int]:
    """Of these process groups what has not ended; whoever takes over an orphan may be slow to bury it."""
    alive = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return alive


def test_a_forked_worker_asks_processes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    _decode(write_film(tmp_path / "film"), tmp_path / "first")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if decoders._ready.idle == [] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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
            write_display_film(work / "stored.dcm", film, identity)
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


def test_every_shared_film_shows_the_same_after_it_was_stored(shared_data: Path, tmp_path: Path) -> None:
    """In the same pixels, by the same rule of display; lossy and reversed films included."""
    for path in sorted((shared_data / "dicom").iterdir()):
        work = tmp_path / path.stem
        work.mkdir()
        film = decode_film(path, limits=LIMITS, work=work)
        identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
        write_display_film(work / "stored.dcm", film, identity)
        assert np.array_equal(render_reference(work / "stored.dcm"), render_reference(path)), path.name
    for path in sorted((shared_data / "png_with_boxes").glob("*.png")):
        work = tmp_path / path.stem
        work.mkdir()
        film = decode_film(path, limits=LIMITS, work=work)
        identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
        write_display_film(work / "stored.dcm", film, identity)
        assert np.array_equal(dcmread(work / "stored.dcm").pixel_array, np.asarray(Image.open(path))), (
            path.name
        )


def test_a_full_disk_is_no_fault_of_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_film(tmp_path / "film.dcm")
    work = tmp_path / "work"
    work.mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def run_here(request: Path, *, seconds: float) -> int:
        with pytest.raises(SystemExit) as ended:
            decoder_process.main(request)
        return int(str(ended.value.code))

    monkeypatch.setattr(decoder_process, "_restrain", lambda limits: None)
    monkeypatch.setattr(decoder_process, "_decode", full)
    monkeypatch.setattr(decoding, "run_decoder", run_here)
    with pytest.raises(OSError, match="No space left") as error:
        decode_film(path, limits=LIMITS, work=work)
    assert is_disk_full(error.value)
    assert list(work.glob("refused.json")) == []


def test_a_full_disk_is_known_behind_another_error() -> None:
    wrapped = OSError("With tag (7FE0,0010)")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(wrapped)
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
