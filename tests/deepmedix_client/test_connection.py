"""What is asked of whom, and a download over a line that breaks, damages, or ends."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deepmedix_client import Client, Damaged, DeepMedixError, Export
from deepmedix_client.exports import PIECE_BYTES, export_of

ARCHIVE = bytes(range(256)) * 4096


@dataclass
class BrokenLine:
    """A server that only simulates the platform's: each answer ends after `breaks_after` bytes."""

    breaks_after: int = len(ARCHIVE)
    content: bytes = ARCHIVE
    knows_ranges: bool = True
    redirects: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def line() -> Iterator[BrokenLine]:
    told = BrokenLine()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers["Range"] or "", self.headers["Authorization"] or ""))
            if told.redirects:
                self.send_response(302)
                self.send_header("Location", f"{told.url}/elsewhere")
                self.end_headers()
                return
            first = int(self.headers["Range"][6:-1]) if self.headers["Range"] and told.knows_ranges else 0
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(told.content) - first))
            self.end_headers()
            self.wfile.write(told.content[first : first + told.breaks_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        server.shutdown()
        thread.join()


def export_over(line: BrokenLine) -> Export:
    client = Client(line.url, "dmr_token", shows_progress=False)
    said = {
        "uid": "e",
        "state": "done",
        "error": "",
        "formats": ["parquet"],
        "data_use": "x",
        "num_done": 1,
        "num_total": 1,
        "num_rows": 1,
        "left_out": [],
        "sha256": hashlib.sha256(ARCHIVE).hexdigest(),
        "archive_bytes": len(ARCHIVE),
    }
    return export_of(client._connection, said, False)


def test_a_download_goes_on_where_the_line_broke(line: BrokenLine, tmp_path: Path) -> None:
    line.breaks_after = 300_000
    found = export_over(line).download(tmp_path)
    assert found == tmp_path / "export-e.zip"
    assert found.read_bytes() == ARCHIVE
    firsts = [int(asked[6:-1]) if asked else 0 for _, asked, _ in line.asked]
    assert firsts == [number * (300_000 // PIECE_BYTES * PIECE_BYTES) for number in range(4)]
    assert list(tmp_path.iterdir()) == [found]


def test_a_server_that_knows_no_ranges_sends_it_whole_and_nothing_is_doubled(
    line: BrokenLine, tmp_path: Path
) -> None:
    target = tmp_path / "out.zip"
    export = export_over(line)
    (tmp_path / f".out.zip.{export.sha256[:16]}.part").write_bytes(ARCHIVE[:1000])
    line.knows_ranges = False
    assert export.download(target).read_bytes() == ARCHIVE


def test_a_line_that_gives_nothing_more_ends_with_a_sentence_and_keeps_what_came(
    line: BrokenLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepmedix_client.exports.time.sleep", lambda seconds: None)
    export, target = export_over(line), tmp_path / "out.zip"
    part = tmp_path / f".out.zip.{export.sha256[:16]}.part"
    part.write_bytes(ARCHIVE[:1000])
    line.breaks_after = 0
    with pytest.raises(DeepMedixError, match="broke 6 times without a byte more"):
        export.download(target)
    assert part.read_bytes() == ARCHIVE[:1000]
    line.breaks_after = len(ARCHIVE)
    assert export.download(target).read_bytes() == ARCHIVE


def test_what_arrives_damaged_is_thrown_away(line: BrokenLine, tmp_path: Path) -> None:
    line.content = b"x" + ARCHIVE[1:]
    with pytest.raises(Damaged, match="Download it again"):
        export_over(line).download(tmp_path / "out.zip")
    assert not list(tmp_path.iterdir())
    line.content = ARCHIVE
    assert export_over(line).download(tmp_path / "out.zip").read_bytes() == ARCHIVE


def test_a_folder_that_is_not_there_is_said_before_anything_is_fetched(
    line: BrokenLine, tmp_path: Path
) -> None:
    with pytest.raises(DeepMedixError, match="There is no folder"):
        export_over(line).download(tmp_path / "gone" / "out.zip")
    assert not line.asked


def test_a_token_follows_no_redirect(line: BrokenLine) -> None:
    line.redirects = True
    with pytest.raises(DeepMedixError, match="answers from another address"):
        next(Client(line.url, "dmr_token").studies())
    assert [path for path, _, _ in line.asked] == ["/api/studies/"]


@pytest.mark.parametrize(
    "url", ["http://review.example.org", "http://10.0.0.4:8000", "http://localhost.example.org"]
)
def test_a_token_is_not_sent_in_the_open_to_another_machine(url: str) -> None:
    with pytest.raises(DeepMedixError, match="Use https://, or say insecure=True"):
        Client(url, "dmr_token")
    Client(url, "dmr_token", insecure=True)


@pytest.mark.parametrize("url", ["review.example.org", "ftp://localhost", "https://", "https://a:b@c"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(DeepMedixError, match="is no address"):
        Client(url, "dmr_token")


def test_the_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, line: BrokenLine) -> None:
    monkeypatch.delenv("DEEPMEDIX_TOKEN", raising=False)
    with pytest.raises(DeepMedixError, match="No token"):
        Client(line.url)
    monkeypatch.setenv("DEEPMEDIX_TOKEN", "dmr_from_there")
    with pytest.raises(DeepMedixError, match="not as the platform does"):
        next(Client(line.url).studies())
    assert line.asked[0][2] == "Bearer dmr_from_there"


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeepMedixError, match="does not answer"):
        Client("http://127.0.0.1:9", "dmr_token").freeze("Round 1")
