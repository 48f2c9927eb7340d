"""Sealed patients hold few who are as good as their parent, and most who lost much of what is confirmed."""

from benchmarks.gate_patients import share_held
from rl_feedback.gate.built_in import FEWEST_PATIENTS


def test_at_the_fewest_patients_chance_holds_hardly_anybody_and_a_large_loss_is_caught() -> None:
    assert share_held(FEWEST_PATIENTS, changed=0.5, num_draws=100) <= 0.02
    assert share_held(FEWEST_PATIENTS, lost=0.5, num_draws=50) >= 0.9
    assert share_held(FEWEST_PATIENTS - 1, lost=1.0, num_draws=5) == 0
