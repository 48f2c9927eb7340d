"""How the demonstration learns from each kind of rating. The figures behind the choices:
docs/reference/learning-loop.md."""

from __future__ import annotations

from rl_feedback.simulated_readers import Kind
from rl_feedback.training.config import DpoConfig, SftConfig
from rl_feedback.training.recipe import Recipe
from rl_feedback.training.stages import CORRECTIONS

# All weights move, the seeing ones too: another detector looks other.
FOLLOW = SftConfig(
    origins=CORRECTIONS,
    num_steps=600,
    examples_per_step=16,
    # What the first site can is worth more than what the second one adds: with less of it, or at less weight,
    # films chosen by disagreement cost it its regions.
    replay_per_step=32,
    replay_weight=2.0,
    learning_rate=8e-4,
    lora_rank=0,
    adapts_vision=True,
    moves_films_px=5,
    checkpoint_every=40,
)
# The loss that the figures were measured with, whatever the simulated readers agree on.
PREFER = DpoConfig(
    num_steps=40,
    examples_per_step=8,
    replay_per_step=8,
    learning_rate=5e-5,
    loss="sigmoid",
    checkpoint_every=20,
)


def recipe_for(kind: Kind) -> Recipe:
    """Votes alone give pairs and nothing to follow. Ratings by one reader a film give hardly a pair (4 of 40
    films), but say which texts were good as they were."""
    return Recipe((PREFER,)) if kind == "votes" else Recipe((FOLLOW,))
