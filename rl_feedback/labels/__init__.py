"""What a report says of a chest, read by rules: findings, denied or doubted or affirmed, and their sides."""

from rl_feedback.labels.findings import (
    CHEXPERT_5,
    CHEXPERT_14,
    KINDS_OF,
    NO_FINDING,
    OTHER_FINDINGS,
    SUPPORT_DEVICES,
    State,
)
from rl_feedback.labels.labeller import Mention, ReportLabels, label_report

__all__ = [
    "CHEXPERT_5",
    "CHEXPERT_14",
    "KINDS_OF",
    "NO_FINDING",
    "OTHER_FINDINGS",
    "SUPPORT_DEVICES",
    "Mention",
    "ReportLabels",
    "State",
    "label_report",
]
