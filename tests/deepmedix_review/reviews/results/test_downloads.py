"""All tables of the results in one file: whole, named, explained, packed while it is sent."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.results.cautions import Caution
from deepmedix_review.reviews.results.dashboard import compute
from deepmedix_review.reviews.results.downloads import PIECE_BYTES, csv_lines, file_stem, zip_pieces
from deepmedix_review.reviews.results.figures import Section, Table
from deepmedix_review.reviews.results.readme import readme_of
from tests.factories.accounts import AdminFactory
from tests.factories.reviews import reader_study
from tests.factories.simulated_readers import eight_readers, simulated_reader_study

pytestmark = pytest.mark.django_db


def unpacked(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_readers_to_look_at_first_are_named_in_the_file_too() -> None:
    study = simulated_reader_study(num_cases=2, readers=eight_readers()[:2])
    dashboard = replace(compute(study), cautions=(Caution("E-1", ("took 3 s a case", "said so")),))
    readme = readme_of(study, dashboard, named={}, by_row=(), manifest="manifest.sha256")
    assert "Look at these readers before they are believed\n======" in readme
    assert "\nE-1 took 3 s a case; said so.\n" in readme


def test_every_csv_of_the_page_is_in_the_one_file_byte_for_byte_with_what_it_is_and_its_sha256() -> None:
    readers = eight_readers()[:2]
    study = simulated_reader_study(num_cases=3, readers=readers)
    client = Client()
    client.force_login(AdminFactory.create())
    every = reverse("reader-study-results-all", args=[study.uid])
    page = client.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert f'href="{every}"' in page
    links = re.findall(r'href="([^"]+\.csv)"', page)
    assert len(links) > 10
    answer = client.get(every)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{file_stem(study)}-results.zip"'
    packed = b"".join(answer)
    assert b"".join(client.get(every)) == packed
    files = unpacked(packed)
    assert not any(
        reader.user.username.encode() in content for reader in readers for content in files.values()
    )
    manifest = files.pop("manifest.sha256").decode()
    assert manifest == "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    readme = files.pop("README.txt").decode()
    # As the page has it above its findings.
    assert "nothing can be told from so few" in readme
    for link in links:
        single = client.get(link)
        [name] = re.findall(r'filename="(.+)"', single.headers["Content-Disposition"])
        assert files.pop(name) == b"".join(single)
        assert f"\n{name}\n" in readme
    assert {*files} == {
        "cases.csv",
        "questions.csv",
        "readings.csv",
        "ratings.csv",
        "readings-of-repeats-and-controls.csv",
        "ratings-of-repeats-and-controls.csv",
    }
    told = " ".join(readme.split())
    assert "Look at these readers" not in told
    assert all(said in told for one in compute(study).figures() for said in (one.title, one.method, one.n))
    event = AuditEvent.objects.filter(action="download_results", subject_uid=str(study.uid)).earliest(
        "sequence"
    )
    assert len(event.details["figures"]) == len(links)


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@a", "\t=1+1", "  =1+1", "\r\n=1+1"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_marked(words: str) -> None:
    [_, line] = csv_lines(Table(("said", "points"), ((words, -1),)))
    assert next(csv.reader(io.StringIO(line, newline=""))) == [f"'{words}", "-1"]


def test_a_big_table_leaves_in_pieces_while_it_is_packed() -> None:
    study = reader_study()
    numbers = np.random.default_rng(0).random(20_000)
    table = Table(
        ("case", "value"), tuple((f"={number}", float(each)) for number, each in enumerate(numbers))
    )
    whole = compute(study)
    first = whole.figure("progress-time")
    assert first is not None
    pieces = list(
        zip_pieces(study, replace(whole, sections=(Section("Big", (replace(first, table=table),)),)))
    )
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 2 * PIECE_BYTES
    [content] = [each for name, each in unpacked(b"".join(pieces)).items() if first.key in name]
    assert content.splitlines()[-1] == f"'=19999,{numbers[-1]}".encode()
