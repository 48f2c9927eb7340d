"""Small forms of readers' work: why a reading is amended, who is invited, how long a study goes on."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import DateInput, Pairs, PlainForm, offer


class AmendmentForm(PlainForm):
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was wrong in the signed reading. It is kept with the new one.",
    )


class InvitationForm(PlainForm):
    reader = forms.ChoiceField(label="Reader")
    deadline = forms.DateField(
        required=False, widget=DateInput, label="Own deadline", help_text="Empty: the reader study's."
    )

    def __init__(self, *args: Any, readers: Pairs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "reader", readers)


class ExtensionForm(PlainForm):
    """More time, more cases, or both."""

    deadline = forms.DateField(required=False, widget=DateInput, label="Later deadline")
    studies = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="More studies"
    )

    def __init__(self, *args: Any, studies: Pairs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "studies", studies)
