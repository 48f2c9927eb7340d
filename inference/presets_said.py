"""The presets as tables, for docs/reference/models.md and `python -m inference presets`."""

from collections.abc import Sequence

from inference.dialects import DIALECT_WORDS
from inference.presets import PRESETS, ServingPreset
from inference.prompts import TEMPLATES

_OWN_CODE = "its own code: through an endpoint, or where an admin allows it"


def said_presets() -> str:
    """One row per preset: what it is, how it loads, how it sees, is asked and is read."""
    header = (
        "preset",
        "model",
        "how it loads",
        "licence",
        "picture of a film",
        "prompt",
        "dialect",
        "box frame",
    )
    rows = [
        (
            f"`{key}`",
            _model(preset),
            f"`{preset.transformers_class}`" if preset.transformers_class else _OWN_CODE,
            preset.licence,
            _picture(preset),
            f"`{preset.prompt_template}` v{TEMPLATES[preset.prompt_template].version}",
            f"`{preset.dialect}`",
            "none written" if preset.dialect == "prose" else f"`{preset.box_frame}`",
        )
        for key, preset in PRESETS.items()
    ]
    return _table(header, rows)


def said_sources() -> str:
    """Where what is known of each preset comes from, and what its licence asks for or forbids."""
    rows = [(f"`{key}`", preset.known_by, preset.limits) for key, preset in PRESETS.items()]
    return _table(("preset", "known by", "limits of its licence"), rows)


def said_dialects() -> str:
    """How each dialect writes a box."""
    return _table(
        ("dialect", "a box is written as"), [(f"`{name}`", words) for name, words in DIALECT_WORDS.items()]
    )


def _model(preset: ServingPreset) -> str:
    return f"{preset.name} ({preset.model_id})" if preset.model_id else preset.name


def _picture(preset: ServingPreset) -> str:
    side = f"{preset.max_pixels**0.5:.0f}"
    if preset.preparation == "aspect":
        return f"`aspect`, at most {side} x {side} px in area, sides multiples of {preset.size_multiple} px"
    return f"`{preset.preparation}`, {side} x {side} px"


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
