"""What an admin says before a study or a patient is erased."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import FormInPlace
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.services import LONGEST_NOTE, Asked


class ErasureForm(FormInPlace):
    why = forms.ChoiceField(
        choices=[("", "Choose …"), *Erasure.Why.choices],
        error_messages={"required": "Choose why it is erased."},
    )
    note = forms.CharField(
        label="In words",
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Write no name, number or date of the patient: these words stay.",
    )
    confirmed = forms.CharField(
        max_length=40,
        error_messages={"required": "Type the name, so that nothing else is erased by mistake."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmed"].label = f"To confirm, type {name}"

    def asked(self) -> Asked:
        """Of a valid form."""
        said = self.cleaned_data
        return Asked(why=said["why"], note=said["note"], confirmed=said["confirmed"])
