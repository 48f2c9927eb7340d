"""What the pages' forms share."""

from collections.abc import Sequence
from typing import Any

from django import forms

Pairs = Sequence[tuple[str, str]]


class PlainForm(forms.Form):
    """Labels without a colon behind them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class FormInPlace(PlainForm):
    """One of several on a page: the first field with an error has the focus when the page comes back."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        wrong = [other for name, other in self.fields.items() if name in self.errors]
        for place, other in enumerate(wrong):
            if place:
                other.widget.attrs.pop("autofocus", None)
            else:
                other.widget.attrs["autofocus"] = True


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        # What a browser's date field reads and sends, whatever the language of the page.
        super().__init__(format="%Y-%m-%d", **kwargs)


def offer(form: forms.Form, name: str, pairs: Pairs) -> None:
    """Set what a field of choices offers."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(pairs)
