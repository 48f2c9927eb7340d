"""A model computes on the best that is there, or where it is told to, and a large one is spread."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from inference.__main__ import main
from inference.devices import Hardware, Placement, hardware, is_memory_full, place
from inference.engines import Done, EngineError, EngineSettings, GenerationRequest, load_engine
from inference.engines.transformers_engine import TransformersEngine
from inference.phantom_dicom import write_phantom_dicom
from inference.phantoms import draw_phantom
from inference.regions import Preparation
from inference.spreading import spread_layers
from tests.factories.families import FAMILIES, write_tiny_model, write_tiny_text_model
from tests.factories.models import SHIPPED_MODEL

H200S = Hardware(num_cuda=4, cuda_has_bfloat16=True)
TESLA = Hardware(num_cuda=1)
MAC = Hardware(has_mps=True, mps_has_bfloat16=True)
OLD_MAC = Hardware(has_mps=True)
NOTHING = Hardware()


@pytest.mark.parametrize(
    ("asked", "there", "device", "dtype"),
    [
        ("auto", H200S, "cuda", "bfloat16"),
        ("auto", replace(H200S, has_mps=True), "cuda", "bfloat16"),
        ("auto", TESLA, "cuda", "float16"),
        ("auto", MAC, "mps", "bfloat16"),
        ("auto", OLD_MAC, "mps", "float16"),
        ("auto", NOTHING, "cpu", "float32"),
        ("cpu", H200S, "cpu", "float32"),
        ("cuda:3", H200S, "cuda:3", "bfloat16"),
        (" CUDA ", H200S, "cuda", "bfloat16"),
        ("spread", TESLA, "cuda", "float16"),
    ],
)
def test_it_goes_whole_to_the_best_device_or_the_one_that_is_named(
    asked: str, there: Hardware, device: str, dtype: str
) -> None:
    assert place(asked, there=there) == Placement(device, dtype)
    assert place(asked, "float16", there=there) == Placement(device, "float16")


@pytest.mark.parametrize(
    ("asked", "there", "device", "most"),
    [
        (
            "cuda:1=40GiB, cuda:3=1500MB",
            H200S,
            "cuda:1",
            {"cuda:1": 40 * 2**30, "cuda:3": 1_500_000_000},
        ),
        ("cuda:0=2GB,cpu=3MiB,disk", TESLA, "cuda:0", {"cuda:0": 2 * 10**9, "cpu": 3 * 2**20, "disk": 2**60}),
        ("cpu=1MB,disk=2MB", NOTHING, "cpu", {"cpu": 10**6, "disk": 2 * 10**6}),
    ],
)
def test_a_list_says_over_what_it_is_spread_and_how_much_each_holds(
    asked: str, there: Hardware, device: str, most: dict[str, int]
) -> None:
    placement = place(asked, there=there)
    assert (placement.device, placement.most_bytes) == (device, most)


def test_where_no_size_is_said_a_tenth_of_what_is_free_is_left() -> None:
    said = place("cpu,disk", there=NOTHING).most_bytes["cpu"]
    # Others on this machine take and give back meanwhile.
    assert said == pytest.approx(0.9 * psutil.virtual_memory().available, rel=0.05)


def test_spread_takes_every_cuda_device_that_is_seen() -> None:
    assert list(place("spread", there=H200S).most_bytes) == [f"cuda:{number}" for number in range(4)]


@pytest.mark.parametrize(
    ("beside", "most", "places"),
    [
        # Evenly, what lies beside the layers counted: the first device holds it.
        (0, {"cuda:0": 99, "cuda:1": 99}, "000111"),
        (4, {"cuda:0": 99, "cuda:1": 99}, "000111"),
        (12, {"cuda:0": 99, "cuda:1": 99, "cuda:2": 99}, "111222"),
        # Where even parts don't fit, as much as each may hold.
        (4, {"cuda:0": 8, "cuda:1": 99}, "011111"),
        (4, {"cuda:0": 26, "cuda:1": 6}, "000001"),
        # What waits elsewhere has a layer's room on the first to come to.
        (4, {"cuda:0": 16, "cpu": 8, "disk": 99}, "00ccdd"),
        (4, {"cuda:0": 28, "cpu": 99}, "000000"),
        (4, {"cpu": 20, "disk": 99}, "cccddd"),
    ],
)
def test_layers_are_spread_evenly_and_what_is_left_waits(
    beside: int, most: dict[str, int], places: str
) -> None:
    spread = spread_layers([4] * 6, beside=beside, most_bytes=most, first=next(iter(most)))
    assert "".join(place.removeprefix("cuda:")[0] for place in spread) == places


def test_the_first_device_must_hold_what_lies_beside_the_layers() -> None:
    with pytest.raises(EngineError, match="GB, are more than the devices may"):
        spread_layers([4] * 6, beside=20, most_bytes={"cuda:0": 10, "cuda:1": 99}, first="cuda:0")


@pytest.mark.parametrize(
    ("asked", "there", "said"),
    [
        ("cuda", NOTHING, "There is no device 'cuda' for this process. It sees cpu;"),
        ("cuda:4", H200S, "It sees cuda:0, cuda:1, cuda:2, cuda:3, cpu; auto takes the first of them."),
        ("mps", TESLA, "It sees cuda:0, cpu;"),
        ("spread", MAC, "A model is spread over CUDA devices. It sees mps, cpu;"),
        ("", NOTHING, "names no device"),
        ("cpu,cpu", NOTHING, "names no device, or one twice"),
        ("disk", NOTHING, "can't be spread so"),
        ("mps,cpu", MAC, "can't be spread so"),
        ("cuda,cpu", H200S, "List devices by number"),
        ("auto,cpu", H200S, "There is no device 'auto'"),
        ("cuda:0=40", H200S, "'40' is no size."),
        ("cuda:0=GiB", H200S, "is no size."),
        ("cuda:0=0GB", H200S, "is no size."),
        ("cuda:0=-1GB", H200S, "is no size."),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(asked: str, there: Hardware, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        place(asked, there=there)


def test_a_precision_that_no_model_computes_in_is_refused() -> None:
    with pytest.raises(EngineError, match="'int8' is no precision"):
        place("cpu", "int8", there=NOTHING)


def test_what_is_found_here_computes() -> None:
    there = hardware()
    placement = place("auto")
    tensor = torch.ones(2, dtype=getattr(torch, placement.dtype), device=placement.device)
    assert float((tensor @ tensor).cpu()) == 2
    assert (there.num_cuda > 0) == torch.cuda.is_available()


def texts(folder: Path, **fields: Any) -> tuple[list[str], TransformersEngine]:
    engine = load_engine(
        EngineSettings(
            folder=folder,
            min_pixels=112 * 112,
            max_pixels=112 * 112,
            preparation=Preparation.SQUARE,
            dtype="float32",
            **fields,
        )
    )
    assert isinstance(engine, TransformersEngine)
    sees = engine.family.sees_films
    wanted = [
        GenerationRequest(
            key=str(seed),
            film=draw_phantom(seed=seed, width=112, height=140).to_uint8() if sees else None,
            prompt="What is there?",
            temperature=1.0,
            seed=seed,
            max_new_tokens=24,
        )
        for seed in (1, 2, 3)
    ]
    done = {event.key: event.text for event in engine.generate(wanted) if isinstance(event, Done)}
    return [done[one.key] for one in wanted], engine


def test_a_model_that_is_spread_over_memory_and_disk_writes_the_same() -> None:
    whole, _ = texts(SHIPPED_MODEL, device="cpu")
    spread, engine = texts(SHIPPED_MODEL, device="cpu=5500KB,disk")
    assert spread == whole
    assert set(engine.family.model.hf_device_map.values()) == {"cpu", "disk"}
    assert any(weight.is_meta for weight in engine.family.model.parameters())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_that_sees_films_can_be_spread(name: str, tmp_path: Path) -> None:
    folder = write_tiny_model(name, tmp_path)
    whole, engine = texts(folder, device="cpu")
    size = sum(weight.nbytes for weight in engine.family.model.parameters())
    spread, engine = texts(folder, device=f"cpu={size // 1000 - 20}KB,disk")
    assert spread == whole
    assert set(engine.family.model.hf_device_map.values()) == {"cpu", "disk"}


def test_a_model_that_reads_texts_can_be_spread(tmp_path: Path) -> None:
    folder = write_tiny_text_model(tmp_path)
    spread, engine = texts(folder, device="cpu=130KB,disk")
    assert spread == texts(folder, device="cpu")[0]
    assert set(engine.family.model.hf_device_map.values()) == {"cpu", "disk"}


def test_a_model_that_is_larger_than_its_devices_is_refused_with_the_way_out() -> None:
    said = "weights, 0.00681 GB, are more than the devices may hold: cpu 0.002 GB. Name more devices"
    with pytest.raises(EngineError, match=said):
        texts(SHIPPED_MODEL, device="cpu=2MB")


def test_a_full_memory_is_known_by_apples_words_too() -> None:
    assert is_memory_full(torch.OutOfMemoryError())
    assert is_memory_full(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert not is_memory_full(RuntimeError("shape mismatch"))


def test_a_full_memory_of_a_processor_is_known() -> None:
    with pytest.raises(RuntimeError) as full:
        torch.empty(2**50)
    assert is_memory_full(full.value)


def test_a_command_says_where_its_model_computes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.dcm"
    write_phantom_dicom(film, seed=1, size=64)
    asked = ["generate", str(film), "--model", str(SHIPPED_MODEL), "--device"]
    assert main([*asked, "cuda:99"]) == 2
    assert "There is no device 'cuda:99' for this process." in capsys.readouterr().err
