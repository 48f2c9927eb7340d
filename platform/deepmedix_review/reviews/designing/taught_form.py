"""A case that teaches readers before the data begins: which study, and what should be said of it."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.forms import Pairs, PlainForm, offer
from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS
from deepmedix_review.reviews.known_answers import read_known_answer
from deepmedix_review.reviews.models import Case
from deepmedix_review.reviews.study_services import TaughtCase
from deepmedix_review.studies.models import Study

MOST_TAUGHT = 50
_REGION = re.compile(r"^(?P<finding>[^:]+):(?P<box>(\s*[\d.]+){4})\s*$")


class TaughtCaseForm(PlainForm):
    study = forms.ChoiceField(required=False, label="Study")
    role = forms.ChoiceField(
        required=False,
        choices=[(Case.Role.TRAINING, "practice"), (Case.Role.CALIBRATION, "calibration")],
        label="Role",
    )
    findings = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in CHEXPERT_FINDINGS],
        widget=forms.CheckboxSelectMultiple,
        label="Known findings",
    )
    regions = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Cardiomegaly: 120 300 400 480"}),
        label="Known regions",
        help_text="One a line, in film pixels: finding: left top right bottom.",
    )
    choice = forms.CharField(
        required=False, max_length=120, label="Known answer", help_text="One of the first read's answers."
    )
    comment = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="What to tell the reader",
        help_text="Shown after the signature.",
    )

    def __init__(self, *args: Any, studies: Pairs = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "study", [("", "—"), *studies])

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        regions = said.get("regions")
        if said.get("study") and regions is not None:
            try:
                read_known_answer(known_answer(said))
            except (RefusedByRule, ValueError) as refusal:
                self.add_error("regions", str(refusal))
        return said


TaughtCases = forms.formset_factory(
    TaughtCaseForm, extra=0, can_delete=True, max_num=MOST_TAUGHT, validate_max=True
)


def known_answer(said: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError with a sentence for a line that is no region."""
    kept: dict[str, Any] = {}
    if said.get("findings"):
        kept["findings"] = list(said["findings"])
    regions = [_region(line) for line in said.get("regions", "").splitlines() if line.strip()]
    if regions:
        kept["regions"] = regions
    for name in ("choice", "comment"):
        if said.get(name):
            kept[name] = said[name]
    return kept


def initial_of(taught: Sequence[TaughtCase]) -> list[dict[str, Any]]:
    """What the forms show of the cases that a draft has."""
    return [
        {
            "study": str(case.study.uid),
            "role": case.role,
            "findings": case.known_answer.get("findings", []),
            "regions": "\n".join(
                f"{region['finding']}: {' '.join(f'{value:g}' for value in region['box'])}"
                for region in case.known_answer.get("regions", [])
            ),
            "choice": case.known_answer.get("choice", ""),
            "comment": case.known_answer.get("comment", ""),
        }
        for case in taught
    ]


def taught_cases(forms_said: Sequence[Mapping[str, Any]], *, studies: Sequence[Study]) -> list[TaughtCase]:
    """Of the valid forms that name a study."""
    by_uid = {study.uid: study for study in studies}
    return [
        TaughtCase(
            by_uid[uuid.UUID(said["study"])],
            known_answer(said),
            "calibration" if said.get("role") == Case.Role.CALIBRATION else "training",
        )
        for said in forms_said
        if said.get("study") and not said.get("DELETE") and uuid.UUID(said["study"]) in by_uid
    ]


def _region(line: str) -> dict[str, Any]:
    found = _REGION.match(line.strip())
    if found is None:
        raise ValueError(f"“{line.strip()}” is no region. Write for example: Cardiomegaly: 120 300 400 480")
    return {"finding": found["finding"].strip(), "box": [float(value) for value in found["box"].split()]}
