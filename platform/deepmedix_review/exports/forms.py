"""What an export shall contain, as the page asks."""

from typing import Any
from uuid import UUID

from django import forms

from deepmedix_review.accounts.models import User
from deepmedix_review.common.forms import PlainForm, offer
from deepmedix_review.exports.models import COCO, CSV, GSPS, JSONL, PARQUET, PICTURES, SR
from deepmedix_review.exports.selectors import reader_studies_to_export
from deepmedix_review.exports.services import LONGEST_STATEMENT, Asked

ALL, SOME = "all", "some"
STATEMENTS = (
    "Statistics of agreement between readers, by our group alone.",
    "Supplement of a publication; no attempt is made to find out who readers or patients are.",
    "Research on models of chest films, not for diagnosis; not to be passed on.",
)


class ExportForm(PlainForm):
    which = forms.ChoiceField(
        label="Of which reader studies",
        choices=[(ALL, "all, but the demonstration"), (SOME, "those that are ticked below")],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    reader_studies = forms.MultipleChoiceField(
        label="Reader studies", required=False, widget=forms.CheckboxSelectMultiple
    )
    as_of = forms.DateTimeField(
        label="Signed up to",
        required=False,
        help_text="UTC; empty is now. The same moment gives the same bytes later.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    formats = forms.MultipleChoiceField(
        label="Formats",
        choices=[
            (CSV, "CSV tables: for spreadsheets and statistics"),
            (JSONL, "JSON lines: tables for programs"),
            (PARQUET, "Parquet: tables for large data sets"),
            (COCO, "COCO boxes: films and the regions on them, for detection; without the pictures"),
            (
                PICTURES,
                "COCO boxes with the pictures: each film as PNG, under the name that the boxes give it",
            ),
            (SR, "DICOM structured reports: what was said of each step and region, for a PACS"),
            (GSPS, "DICOM presentation states: the regions drawn on their film, in any viewer"),
        ],
        initial=[CSV],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose a format."},
    )
    data_use = forms.CharField(
        label="What the data may be used for",
        max_length=LONGEST_STATEMENT,
        help_text="A sentence; it travels with the data, in its README and its manifest.",
        error_messages={"required": "Say in a sentence what the data may be used for."},
        widget=forms.TextInput(attrs={"list": "statements", "autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        offer(
            self,
            "reader_studies",
            [(str(one.uid), f"{one.title} ({one.state})") for one in reader_studies_to_export(user)],
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("which") == ALL and said.get("reader_studies"):
            self.add_error(
                "which",
                "You ticked reader studies and chose all of them. Choose those ticked, or tick none.",
            )
        return said

    def chosen(self) -> list[UUID] | None:
        """None is all; also of a form that is not filled in to its end."""
        said = getattr(self, "cleaned_data", {})
        if said.get("which", ALL) == ALL:
            return None
        return [UUID(uid) for uid in said.get("reader_studies", ())]

    def asked(self) -> Asked:
        """Of a valid form."""
        said = self.cleaned_data
        return Asked(
            data_use=said["data_use"],
            reader_studies=self.chosen(),
            formats=said["formats"],
            as_of=said["as_of"],
        )
