"""Each preset fits together: its prompt, its dialect, its picture and its frame."""

import pytest
import transformers

from inference.__main__ import main
from inference.dialects import Dialect
from inference.presets import LOOP_PRESETS, PRESETS, ServingPreset
from inference.prompts import TEMPLATES
from inference.regions import Preparation, model_size

EACH = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@EACH
def test_a_preset_names_what_is_there(preset: ServingPreset) -> None:
    assert preset.prompt_template in TEMPLATES
    assert preset.known_by
    assert preset.limits
    assert PRESETS[preset.key] is preset
    if preset.transformers_class:
        assert hasattr(transformers, preset.transformers_class)


@EACH
def test_a_film_becomes_a_picture_of_the_presets_size(preset: ServingPreset) -> None:
    width, height = model_size(
        (2500, 3000),
        preparation=preset.preparation,
        min_pixels=preset.min_pixels,
        max_pixels=preset.max_pixels,
        factor=preset.size_multiple,
    )
    assert width % preset.size_multiple == height % preset.size_multiple == 0
    assert preset.min_pixels <= width * height <= preset.max_pixels
    if preset.preparation is not Preparation.ASPECT:
        assert width == height == preset.max_pixels**0.5


def test_what_goes_round_the_loop_writes_deepmedixs_grammar() -> None:
    assert set(LOOP_PRESETS) == {"phantom", "deepmedix-r1", "qwen2.5-vl-thinking"}
    assert {preset.dialect for preset in LOOP_PRESETS.values()} == {Dialect.DEEPMEDIX}


def test_chexone_is_asked_in_one_line_as_its_authors_ask_it() -> None:
    template = TEMPLATES["chexone"]
    assert template.render(template.default_query) == (
        "Write an example findings section for the CXR. "
        "Please reason step by step, and put your final answer within \\boxed{}."
    )


def test_the_command_lists_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    told = capsys.readouterr().out
    assert all(f"| `{key}` |" in told for key in PRESETS)
