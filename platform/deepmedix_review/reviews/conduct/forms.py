"""What an admin says of a reader study on its way: who is invited, and how it is extended."""

from collections.abc import Iterable
from typing import Any

from django import forms

from deepmedix_review.common.forms import DateInput, FormInPlace, Pairs, offer
from deepmedix_review.studies.models import Study

NO_DAY = "This is no day. Write it as the field shows it."


class InvitationForm(FormInPlace):
    reader = forms.ChoiceField(
        label="Reader",
        error_messages={
            "required": "Choose a reader.",
            "invalid_choice": "Choose somebody from the list: who reads here already is not in it.",
        },
    )
    deadline = forms.DateField(
        required=False,
        widget=DateInput,
        label="Own deadline",
        help_text="Empty: the reader study's.",
        error_messages={"invalid": NO_DAY},
    )

    def __init__(self, *args: Any, readers: Pairs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "reader", readers)


class ExtensionForm(FormInPlace):
    """More time, more cases, or both."""

    deadline = forms.DateField(
        required=False, widget=DateInput, label="Later deadline", error_messages={"invalid": NO_DAY}
    )
    studies = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="More studies",
        error_messages={"invalid_choice": "One of the studies is no longer offered. Choose again."},
    )

    def __init__(self, *args: Any, offered: Iterable[Study], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = list(offered)
        offer(self, "studies", [(str(study.uid), study.label) for study in self.offered])

    @property
    def num_alike(self) -> int:
        """Of the studies that were chosen, how many show a pair that says the same."""
        chosen = self.cleaned_data["studies"]
        return sum(
            str(study.uid) in chosen and getattr(study, "says_the_same", False) for study in self.offered
        )
