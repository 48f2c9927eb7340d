"""The reward of this bundle, as EasyR1 calls it: `reward.py:compute_score`.

It needs Python 3.11, numpy, scipy and nltk; everything else lies in reward_code/ beside it.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parent / "reward_code"
sys.path.insert(0, str(CODE))

from rl_feedback import rewards  # noqa: E402

if not Path(rewards.__file__).is_relative_to(CODE):
    raise ImportError(
        "Another rl_feedback was loaded before this bundle's own, so rewards may differ. "
        "Take it out of the environment, or start a fresh process."
    )


def compute_score(
    reward_inputs: Sequence[dict[str, Any]], reward: str = "grounded"
) -> list[dict[str, float]]:
    """One score for each response, of which `overall` is learned from; the parts are drawn as curves.

    `reward` is "grounded" (ours) or "paper" (the published one, for comparison).
    """
    texts = [str(one["response"]) for one in reward_inputs]
    known = [json.loads(one["ground_truth"]) for one in reward_inputs]
    if reward == "paper":
        published = rewards.paper_reward(texts, [case["answer"] for case in known])
        return [
            {
                "overall": one.overall,
                "format": one.format,
                "accuracy": one.accuracy,
                "coordinate": one.coordinate,
            }
            for one in published
        ]
    if reward != "grounded":
        raise ValueError(f"There is no reward {reward!r}; choose grounded or paper.")
    ours = rewards.grounded_reward(texts, [rewards.CaseTruth.from_columns(case) for case in known])
    return [
        {
            "overall": one.overall,
            "format": one.format,
            "accuracy": one.answer,
            "length": one.length,
            # A case without regions has no such score; the others' mean is drawn.
            **({} if one.regions is None else {"regions": one.regions}),
        }
        for one in ours
    ]
