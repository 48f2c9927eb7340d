"""Small forms of readers' work: why a reading is amended, who is invited, how long a study goes on."""

from collections.abc import Sequence
from typing import Any

from django import forms

Pairs = Sequence[tuple[str, str]]


class PlainForm(forms.Form):
    """Labels without a colon behind them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        # What a browser's date field reads and sends, whatever the language of the page.
        super().__init__(format="%Y-%m-%d", **kwargs)


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


def offer(form: forms.Form, name: str, pairs: Pairs) -> None:
    """Set what a field of choices offers."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(pairs)
