"""What a reader says of a film before anything was shown, and what is missing before that can be locked."""

from collections.abc import Sequence

# The 14 labels of CheXpert (Irvin et al. 2019), in its order.
NO_FINDING = "No Finding"
SUPPORT_DEVICES = "Support Devices"
CHEXPERT_FINDINGS = (
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


def missing_from_first_read(
    *, choices: Sequence[str], choice: str, findings: Sequence[str], impression: str
) -> tuple[str, ...]:
    """One sentence for each thing that keeps a first read from being locked; `choices` as the study offers.

    >>> missing_from_first_read(choices=["yes", "no"], choice="no", findings=[], impression="")
    ()
    """
    if choices:
        return () if choice in choices else ("Your first read has no answer yet. Choose one.",)
    if not findings and not impression.strip():
        return (f"Your first read names no finding yet. Choose one, or “{NO_FINDING}”, or write a line.",)
    if NO_FINDING in findings and set(findings) - {NO_FINDING, SUPPORT_DEVICES}:
        others = [name for name in findings if name not in (NO_FINDING, SUPPORT_DEVICES)]
        return (f"“{NO_FINDING}” cannot stand beside {', '.join(others)}. Take one of them back.",)
    return ()
