"""Which address shall be told of what."""

from django import forms

from deepmedix_review.common.forms import FormInPlace
from deepmedix_review.webhooks.models import OFFERED


class WebhookForm(FormInPlace):
    name = forms.CharField(label="Name", max_length=80, help_text="Who listens there: “our training queue”.")
    url = forms.URLField(
        label="Address",
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.org/reviews", "size": 48}),
    )
    kinds = forms.MultipleChoiceField(
        label="It is told when",
        choices=[(kind.value, kind.label) for kind in OFFERED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what it shall be told of."},
    )
