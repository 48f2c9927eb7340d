"""What the screen shows of a film is what the model sees of it, whatever way the film is stored."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect
from pydicom import dcmread
from pydicom.dataset import Dataset

from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from tests.browser import open_as
from tests.factories.accounts import AdminFactory
from tests.factories.studies import receive

SIZE = 128
CANVAS = "() => document.querySelector('[data-film-viewer] canvas').toDataURL('image/png')"
AFTER_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Of 255 grey levels: a pixel of the screen is up to a tenth of a film pixel off its centre.
MAX_MEAN_DIFFERENCE = 2.0


def a_table() -> Dataset:
    """A VOI table with a bend, so that no window could stand in for it."""
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 16]
    bent = 65535 * (np.arange(4096) / 4095) ** 2.2
    item.LUTData = bent.astype(np.uint16).tobytes()
    item["LUTData"].VR = "OW"
    return item


def stored(folder: Path, *, seed: int, **attributes: Any) -> Instance:
    """One phantom of 12 bits as an import would keep it, with attributes changed or (None) left out."""
    path = folder / "film.dcm"
    photometric = attributes.pop("photometric", "MONOCHROME2")
    encoding = FilmEncoding(photometric=photometric, bits_stored=12, transfer_syntax="explicit")
    write_phantom_dicom(path, seed=seed, size=SIZE, encoding=encoding)
    dataset = dcmread(path)
    pixels = dataset.pixel_array.copy()
    if "PixelPaddingValue" in attributes:
        pixels[:, : SIZE // 8] = attributes["PixelPaddingValue"]
        dataset.PixelData = pixels.tobytes()
        dataset.add_new("PixelPaddingValue", "US", attributes.pop("PixelPaddingValue"))
    for keyword, value in attributes.items():
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
    item = receive(path)
    assert item.instance is not None, item.reason
    return item.instance


WINDOWS = {"WindowCenter": None, "WindowWidth": None, "VOILUTSequence": None}
FILMS: dict[str, dict[str, Any]] = {
    "a plain film": {},
    "MONOCHROME1": {"photometric": "MONOCHROME1"},
    "no window": WINDOWS,
    "a narrow window": {**WINDOWS, "WindowCenter": 1500, "WindowWidth": 900},
    "a sigmoid": {**WINDOWS, "WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    "a VOI table": {**WINDOWS, "VOILUTSequence": [a_table()]},
    "padding on MONOCHROME1": {**WINDOWS, "photometric": "MONOCHROME1", "PixelPaddingValue": 0},
}


@pytest.fixture
def admin_page(live_server: Any, context: BrowserContext) -> Page:
    return open_as(AdminFactory.create(), context=context, url=live_server.url)


def test_the_screen_shows_the_picture_that_the_model_sees(
    admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    differences = {}
    for seed, (name, attributes) in enumerate(FILMS.items(), start=1):
        film = stored(tmp_path, seed=seed, **attributes)
        admin_page.goto(live_server.url + reverse("study-detail", args=[film.study.uid]))
        expect(admin_page.locator("[data-film-viewer] .film-corner")).to_contain_text("zoom", timeout=60_000)
        admin_page.evaluate(AFTER_TWO_FRAMES)
        shown = picture_of(admin_page.evaluate(CANVAS))
        expected = render_reference(film_path(film))
        differences[name] = float(np.abs(at_pixel_centres(shown, size=SIZE) - expected).mean())
    assert max(differences.values()) < MAX_MEAN_DIFFERENCE, differences


def picture_of(data_url: str) -> NDArray[np.float64]:
    content = base64.b64decode(data_url.split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)


def at_pixel_centres(canvas: NDArray[np.float64], *, size: int) -> NDArray[np.float64]:
    """The canvas at the centres of a square film's pixels: there nothing is mixed with its neighbours."""
    rows, columns = canvas.shape
    share = min(rows, columns) / size
    centres = (np.arange(size) + 0.5) * share
    y = np.floor((rows - size * share) / 2 + centres).astype(int)
    x = np.floor((columns - size * share) / 2 + centres).astype(int)
    return canvas[np.ix_(y, x)]
