"""Says the settings of a run as a person reads them: no bare False, and no 0 that means all."""

from typing import Any

# What a number says by being 0.
ZERO = {
    "examples_at_once": "all",
    "lora_rank": "no adapters: all weights are trained",
    "sample_every": "no samples",
    "replay_per_step": "none",
    "fill_up_to": "not filled up",
    "moves_films_px": "not moved",
    "flip_share": "as the pairs' weights say",
}
# What a setting says that names nothing.
NOTHING = {"origins": "all", "loss_because": "It was named."}


def said_setting(name: str, value: Any) -> str:
    """
    >>> said_setting("recomputes", False), said_setting("lora_rank", 0), said_setting("seed", 0)
    ('no', 'no adapters: all weights are trained', '0')
    >>> said_setting("origins", ["rewrite", "region"]), said_setting("origins", [])
    ('rewrite, region', 'all')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if value in ("", None):
        return NOTHING.get(name, "none")
    return ZERO.get(name, "0") if value == 0 else str(value)
