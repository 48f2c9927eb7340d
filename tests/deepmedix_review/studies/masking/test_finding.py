"""Lines of print on a film are found and suggested; a chest without any is left in peace."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.intake.text_lines import Box, find_lines
from deepmedix_review.studies.masking.finding import find_text
from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path
from inference.images import render_reference
from inference.phantoms import draw_phantom
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import receive, write_film

pytestmark = pytest.mark.django_db
SIZE = 512
LINES = {(20, 12): "DOE JANE [F]", (300, 460): "DOB: 06.16.1976"}


def printed(shown: NDArray[np.uint8], lines: dict[tuple[int, int], str], grey: int) -> tuple[Any, list[Box]]:
    """And where the letters lie."""
    picture = Image.fromarray(shown)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
    for place, words in lines.items():
        pen.text(place, words, fill=grey, font=font)
    where = [pen.textbbox(place, words, font=font) for place, words in lines.items()]
    return np.asarray(picture), [tuple(map(int, box)) for box in where]  # type: ignore[misc]


def covers(found: Box, letters: Box) -> bool:
    return (
        found[0] <= letters[0] + 2
        and found[1] <= letters[1] + 2
        and found[2] >= letters[2] - 2
        and found[3] >= letters[3] - 2
    )


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def film(tmp_path: Path) -> Instance:
    return film_with_print(tmp_path)


def film_with_print(folder: Path) -> Instance:
    path = write_film(folder / "film.dcm", size=SIZE, BurnedInAnnotation=None)
    dataset = dcmread(path)
    pixels = dataset.pixel_array.copy()
    blank = np.zeros(pixels.shape, np.uint8)
    mask, _ = printed(blank, LINES, 255)
    pixels[mask > 100] = 4095 if dataset.PhotometricInterpretation == "MONOCHROME2" else 0
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    film = receive(path).instance
    assert film is not None
    return film


@pytest.mark.parametrize(("ground", "grey"), [(20, 255), (230, 0)])
def test_lines_are_found_bright_on_dark_and_dark_on_bright(ground: int, grey: int) -> None:
    plain = np.full((SIZE, SIZE), ground, np.uint8)
    shown, where = printed(plain, LINES, grey)
    found = find_lines(shown)
    assert len(found) == 2
    for box, letters in zip(found, where, strict=True):
        assert covers(box, letters)
        assert (box[2] - box[0]) * (box[3] - box[1]) < 2 * (letters[2] - letters[0]) * 18
    assert find_lines(plain) == []


def test_single_letters_and_grain_are_no_lines() -> None:
    shown, _ = printed(np.full((SIZE, SIZE), 20, np.uint8), {(400, 20): "L", (20, 20): "PA"}, 255)
    assert find_lines(shown) == []
    grain = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE), np.uint8)
    assert find_lines(grain) == []


def test_a_film_at_its_edge_keeps_its_boxes_within() -> None:
    shown, _ = printed(np.full((64, SIZE), 20, np.uint8), {(0, -2): "DOE JANE", (430, 44): "19760616"}, 255)
    for left, top, right, bottom in find_lines(shown):
        assert 0 <= left < right <= SIZE
        assert 0 <= top < bottom <= 64


def test_a_stored_film_tells_its_lines_and_is_masked_by_them(film: Instance, admin: User) -> None:
    found = find_text(film)
    _, where = printed(np.zeros((SIZE, SIZE), np.uint8), LINES, 255)
    boxes = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in found]
    assert len(boxes) == 2
    assert all(covers(box, letters) for box, letters in zip(boxes, where, strict=True))
    desk = Client()
    desk.force_login(admin)
    told = desk.get(reverse("api-film-text", args=[film.uid])).json()["boxes"]
    assert [tuple(box.values()) for box in told] == boxes
    assert AuditEvent.objects.filter(action="view_film", actor=admin).count() == 1
    page = desk.get(reverse("film-mask", args=[film.uid]), {"found": "yes"}).content.decode()
    for box in boxes:
        assert all(f'value="{edge}"' in page for edge in box)
    assert not TextMasking.objects.exists()


def test_researchers_and_readers_are_told_nothing(film: Instance) -> None:
    for user, status in ((ResearcherFactory.create(), 403), (ExpertFactory.create(), 403), (None, 401)):
        client = Client()
        if user is not None:
            client.force_login(user)
        assert client.get(reverse("api-film-text", args=[film.uid])).status_code == status


def test_a_film_whose_file_is_away_says_so(film: Instance, admin: User) -> None:
    film_path(film).unlink()
    desk = Client()
    desk.force_login(admin)
    answer = desk.get(reverse("api-film-text", args=[film.uid]))
    assert answer.status_code >= 400
    assert "file" in answer.json()["detail"]
    assert desk.get(reverse("film-mask", args=[film.uid]), {"found": "yes"}).status_code == 200


def test_the_command_tells_what_it_finds_and_overwrites_it(film: Instance, admin: User) -> None:
    found = find_text(film)
    told = json.loads(command(film, admin))
    assert [tuple(box.values()) for box in told["boxes"]] == [
        (box.x_min, box.y_min, box.x_max, box.y_max) for box in found
    ]
    assert not TextMasking.objects.exists()
    done = json.loads(command(film, admin, "--found", "--box", "200,200,260,210", "--accept"))
    assert (done["state"], len(done["boxes"])) == ("done", 3)
    film.refresh_from_db()
    shown = render_reference(film_path(film))
    for box in (*found, *TextMasking.objects.get().boxes):
        left, top, right, bottom = box if isinstance(box, list) else vars(box).values()
        assert shown[top:bottom, left:right].max() == 0
    assert Study.objects.get().state == Study.State.READY
    assert json.loads(command(film, admin))["boxes"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--box", "1,2,900,9"], "outside of the film"),
        (["--box", "1,2,3"], "is no box: name its left"),
        ([], "may not"),
    ],
)
def test_the_command_refuses_in_a_sentence(
    film: Instance, admin: User, arguments: list[str], told: str
) -> None:
    actor = admin if arguments else ResearcherFactory.create()
    with pytest.raises(CommandError, match=told):
        command(film, actor, *arguments)
    assert not TextMasking.objects.exists()


def command(film: Instance, actor: User, *arguments: str) -> str:
    out = StringIO()
    call_command("mask_text", str(film.uid), "--actor", actor.username, *arguments, stdout=out)
    return out.getvalue()


def test_drawn_chests_have_no_lines() -> None:
    assert [find_lines(draw_phantom(seed=seed, width=SIZE, height=SIZE).to_uint8()) for seed in range(3)] == [
        [],
        [],
        [],
    ]


def test_who_looks_is_told_of_print_and_of_its_absence_nothing(
    admin: User, film: Instance, tmp_path: Path
) -> None:
    plain = receive(write_film(tmp_path / "plain.dcm", size=SIZE, seed=2, BurnedInAnnotation=None)).instance
    assert plain is not None
    desk = Client()
    desk.force_login(admin)
    before = AuditEvent.objects.count()
    for each, told in ((film, "2 lines of print found on it"), (plain, "")):
        assert desk.get(reverse("film-print", args=[each.uid])).content.decode().strip() == told
    assert AuditEvent.objects.count() == before
    sheet = desk.get(reverse("study-look")).content.decode()
    assert all(reverse("film-print", args=[each.uid]) in sheet for each in (film, plain))
    desk.force_login(ResearcherFactory.create())
    assert desk.get(reverse("film-print", args=[film.uid])).status_code == 403
