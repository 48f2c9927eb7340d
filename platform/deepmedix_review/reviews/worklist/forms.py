"""What a reader writes outside the reading room: why a signed reading is amended."""

from django import forms

from deepmedix_review.common.forms import FormInPlace


class AmendmentForm(FormInPlace):
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was wrong in the signed reading. It is kept with the new one.",
    )
