"""Hands training over to a cluster, and takes back what was trained there.

A bundle is a folder for EasyR1 (verl on Ray), the stack that DeepMedix-R1 was trained with: films, questions,
what is known of each case, our reward as plain Python, a config and a start script. It holds no model and no
names. `docs/how-to/train-on-a-cluster.md` tells the road there and back.
"""

from rl_feedback.bundle.manifest import Manifest, read_manifest
from rl_feedback.bundle.writing import REWARDS, write_bundle

__all__ = ["REWARDS", "Manifest", "read_manifest", "write_bundle"]
