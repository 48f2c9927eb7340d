"""What an admin chooses for a new reader study, and why a reader amends a reading."""

from typing import Any

from django import forms

MAX_SEED = 2**31 - 1


class ReaderStudyForm(forms.Form):
    """Studies and readers by uid."""

    title = forms.CharField(max_length=120, help_text="Readers see it above every case. Name no model in it.")
    studies = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    readers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    seed = forms.IntegerField(
        min_value=0,
        max_value=MAX_SEED,
        initial=1,
        help_text="Draws which completion stands on side A. The same seed draws the same sides.",
    )

    def __init__(
        self, *args: Any, studies: list[tuple[str, str]], readers: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("studies", studies), ("readers", readers)):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = choices


class AmendmentForm(forms.Form):
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was wrong in the signed reading. It is kept with the new one.",
    )
