"""What an admin says of how long studies are kept."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import DateInput, FormInPlace, offer
from deepmedix_review.studies.models.retention import LONGEST_DAYS
from deepmedix_review.studies.retention.due import choices_of_studies
from deepmedix_review.studies.retention.services import LONGEST_REASON, AskedRule


class RuleForm(FormInPlace):
    of = forms.ChoiceField(label="Which studies", error_messages={"required": "Choose which studies."})
    keep_days = forms.IntegerField(
        label="Kept for so many days after they came in",
        min_value=1,
        max_value=LONGEST_DAYS,
        error_messages={"required": "Say for how many days."},
    )
    because = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        help_text="Each erasure by this rule says these words. Write no name.",
        error_messages={"required": "Say in words why the rule is there."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "of", [("", "Choose …"), *choices_of_studies()])

    def asked(self) -> AskedRule:
        """Of a valid form."""
        said = self.cleaned_data
        return AskedRule(of=said["of"], keep_days=said["keep_days"], because=said["because"])


class KeepForm(FormInPlace):
    last_day = forms.DateField(
        label="Keep it up to the end of",
        widget=DateInput(),
        help_text="UTC",
        error_messages={"required": "Choose a day."},
    )
    because = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        help_text="Write no name, number or date of the patient.",
        error_messages={"required": "Say in words why it is kept longer."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class BatchForm(FormInPlace):
    as_of = forms.DateTimeField(widget=forms.HiddenInput)
    num_confirmed = forms.IntegerField(
        min_value=1,
        error_messages={"required": "Type the number, so that nothing else is erased by mistake."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, num_studies: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["num_confirmed"].label = f"To confirm, type {num_studies}"
