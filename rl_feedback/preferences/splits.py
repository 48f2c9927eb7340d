"""Which patients are learned from, which tune, and which test: by hash, each on one side for ever."""

from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "tune", "test"]
SPLITS: tuple[Split, ...] = ("train", "tune", "test")

# Per cent of patients; the rest test.
TRAIN_PERCENT, TUNE_PERCENT = 70, 10


def split_of(patient: str) -> Split:
    """The patient's side by the name alone, the same in every data set. An installation that keys its own
    sides passes them to `gather_preferences` instead.

    >>> split_of("patient 1"), split_of("patient 10")
    ('train', 'test')
    """
    draw = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:6], "big") % 100
    if draw < TRAIN_PERCENT:
        return "train"
    return "tune" if draw < TRAIN_PERCENT + TUNE_PERCENT else "test"
