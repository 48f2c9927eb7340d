"""The findings that reports are read for: the fourteen of CheXpert, and a few beside them.

The fourteen, and what falls under each, are those of Irvin et al. 2019 (CheXpert, arXiv 1901.07031).
"""

from __future__ import annotations

from enum import StrEnum

NO_FINDING = "No Finding"
SUPPORT_DEVICES = "Support Devices"
CHEXPERT_14 = (
    NO_FINDING,
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    SUPPORT_DEVICES,
)
# The five on which CheXpert's readers competed; CheXbert's "top 5".
CHEXPERT_5 = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
OTHER_FINDINGS = (
    "Hyperinflation",
    "Aortic Change",
    "Calcification",
    "Scarring",
    "Spinal Change",
    "Diaphragm Change",
)
# Kinds of one of the fourteen that a reader tells apart: a cavity is no nodule.
KINDS_OF = {"Nodule": "Lung Lesion", "Cavity": "Lung Lesion"}
# Of one organ in the middle, or of the whole chest: a side said near them belongs to something else.
WITHOUT_SIDES = frozenset(
    {
        NO_FINDING,
        "Enlarged Cardiomediastinum",
        "Cardiomegaly",
        "Hyperinflation",
        "Aortic Change",
        "Spinal Change",
    }
)


class State(StrEnum):
    """What a report says of a finding."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"

    @property
    def denied(self) -> State:
        """The state of the same words after a "no"."""
        return {State.PRESENT: State.ABSENT, State.ABSENT: State.PRESENT}.get(self, self)
