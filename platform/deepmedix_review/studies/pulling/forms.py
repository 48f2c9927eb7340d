"""What an admin searches a PACS by."""

from collections.abc import Sequence
from typing import Any

from django import forms

from deepmedix_review.common.forms import DateInput, PlainForm, offer
from deepmedix_review.studies.intake.oddities import MODALITIES
from deepmedix_review.studies.pulling.client import StudyQuery
from deepmedix_review.studies.pulling.sources import CannotPull, PacsSource

# No browser offers it to the next person.
_UNKEPT = {"autocomplete": "off", "spellcheck": "false"}


class SearchForm(PlainForm):
    """What is left empty asks nothing. It comes by POST alone: an address stands in histories and logs."""

    source = forms.ChoiceField(label="PACS")
    patient_id = forms.CharField(
        required=False, max_length=64, label="Patient ID", widget=forms.TextInput(attrs=_UNKEPT)
    )
    accession = forms.CharField(
        required=False, max_length=64, label="Accession number", widget=forms.TextInput(attrs=_UNKEPT)
    )
    modality = forms.ChoiceField(
        required=False, choices=[("", "Any"), *((name, name) for name in sorted(MODALITIES))]
    )
    since = forms.DateField(required=False, widget=DateInput, label="Study date from")
    until = forms.DateField(required=False, widget=DateInput, label="Study date to")
    offset = forms.IntegerField(required=False, min_value=0, max_value=10**9, widget=forms.HiddenInput)

    def __init__(self, *args: Any, sources: Sequence[PacsSource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "source", [(source.name, source.name) for source in sources])

    def clean(self) -> dict[str, Any]:
        try:
            self.query()
        except CannotPull as refusal:
            self.add_error(None, str(refusal))
        return self.cleaned_data

    def query(self) -> StudyQuery:
        """Of what is valid so far. Raises CannotPull."""
        said = self.cleaned_data
        return StudyQuery(
            patient_id=said.get("patient_id") or "",
            accession=said.get("accession") or "",
            modality=said.get("modality") or "",
            since=said.get("since"),
            until=said.get("until"),
        )
