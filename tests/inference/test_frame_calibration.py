"""The frame of a model's boxes is found from what it writes of drawn films, or said not to be told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import inference
from inference.__main__ import main
from inference.calibrate_command import HEIGHT, WIDTH
from inference.frame_calibration import LEAST_FILMS, SaidOfFilm, calibrate
from inference.phantoms import truth_of
from inference.regions import Box, Frame, Preparation, model_size, to_model_box
from tests.factories.models import write_untrained_model
from tests.factories.simulated_model_server import MODEL, SimulatedServer

SHIPPED_MODEL = Path(inference.__file__).parent / "shipped_model"


def said_in(
    frame: Frame,
    *,
    preparation: Preparation,
    off_by: float = 0.0,
    seeds: Sequence[int] = range(12),
    size: tuple[int, int] = (WIDTH, HEIGHT),
    max_pixels: int = 262_144,
) -> list[SaidOfFilm]:
    """Heart and lungs as a model would write them, their edges off by some share of a film's side."""
    rng = np.random.default_rng(1)
    said = []
    for seed in seeds:
        truth = truth_of(seed=seed).resized(width=size[0], height=size[1])
        seen = model_size(size, preparation=preparation, min_pixels=3136, max_pixels=max_pixels)
        boxes = []
        for region in (truth.heart, truth.right_lung, truth.left_lung):
            moved = Box(*(np.array(region) + rng.normal(0, off_by, 4) * min(size)))
            written = to_model_box(
                moved, frame=frame, model_size=seen, image_size=size, preparation=preparation
            )
            boxes.append(written)
        said.append(SaidOfFilm(truth, boxes, seen))
    return said


@pytest.mark.parametrize("preparation", list(Preparation))
@pytest.mark.parametrize("frame", list(Frame))
def test_the_frame_is_found_though_boxes_are_a_little_off(frame: Frame, preparation: Preparation) -> None:
    found = calibrate(said_in(frame, preparation=preparation, off_by=0.02), preparation=preparation)
    assert (found.frame, found.reason) == (frame, "")
    assert found.fits[0].frame == frame
    assert found.fits[0].low > found.fits[1].high
    assert (found.num_films, found.num_with_boxes) == (12, 12)


def test_two_frames_that_are_the_same_on_these_films_are_not_told_apart() -> None:
    said = said_in(Frame.INPUT, preparation=Preparation.ASPECT, size=(504, 504))
    assert said[0].model_size == (504, 504)
    found = calibrate(said, preparation="aspect")
    assert found.frame is None
    assert found.reason == "processed fits no better for sure than input. Ask about more films."


def test_boxes_that_lie_on_nothing_tell_no_frame() -> None:
    corner = [Box(1, 1, 9, 9)]
    said = [
        SaidOfFilm(one.truth, corner, one.model_size)
        for one in said_in(Frame.INPUT, preparation=Preparation.ASPECT)
    ]
    found = calibrate(said, preparation="aspect")
    assert found.frame is None
    assert "Under no frame do its boxes lie on heart" in found.reason


def test_films_without_boxes_count_for_nothing_and_too_few_others_tell_nothing() -> None:
    said = said_in(Frame.NORM1000, preparation=Preparation.ASPECT, seeds=range(LEAST_FILMS))
    silent = [SaidOfFilm(one.truth, (), one.model_size) for one in said]
    assert calibrate([*said, *silent], preparation="aspect").frame == Frame.NORM1000
    found = calibrate([*said[1:], *silent], preparation="aspect")
    assert found.frame is None
    assert found.reason.startswith(f"It wrote boxes on {LEAST_FILMS - 1} of {2 * LEAST_FILMS - 1} films")


def test_the_shipped_model_writes_in_the_frame_of_its_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--model", str(SHIPPED_MODEL), "--num-films", "8"]) == 0
    *table, verdict = capsys.readouterr().out.splitlines()
    assert verdict == "Its boxes are in the frame processed, as the preset phantom says."
    assert table[0] == "| frame | IoU with what is there, of 8 films |"
    assert table[2].split()[1] == "processed"
    assert len(table) == 2 + len(Frame)


def test_a_model_that_points_at_nothing_is_told_so_and_one_that_cannot_be_loaded_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_untrained_model(tmp_path / "model")
    assert main(["calibrate", "--model", str(tmp_path / "model"), "--num-films", "4"]) == 0
    assert "The frame can't be told. It wrote boxes on 0 of 4 films" in capsys.readouterr().out
    assert main(["calibrate", "--model", str(tmp_path), "--num-films", "4"]) == 2
    assert "There is no model in" in capsys.readouterr().err


def test_a_model_on_a_server_is_asked_too(capsys: pytest.CaptureFixture[str]) -> None:
    server = SimulatedServer()
    try:
        given = ["--endpoint", f"{server.origin}/v1", "--served-model", MODEL, "--preset", "deepmedix-r1"]
        assert main(["calibrate", *given, "--num-films", "4"]) == 0
    finally:
        server.kill()
    said = capsys.readouterr().out
    # It writes one small box in the corner, whatever the film.
    assert "of 4 films |" in said
    assert "Under no frame do its boxes lie on heart" in said
