"""What an admin says of a new collection: its name, what it takes, and the shares of its split."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from deepmedix_review.common.forms import DateInput, PlainForm, offer
from deepmedix_review.studies.collecting import filters
from deepmedix_review.studies.collecting.filters import NO_VIEW, StudyFilter
from deepmedix_review.studies.collecting.services import LONGEST_NAME
from deepmedix_review.studies.collecting.split import Shares
from deepmedix_review.studies.models import Series

MOST_IMPORTS = 30
PHANTOM = {"": None, "no": False, "only": True}


def _share(initial: int, label: str) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=100, initial=initial, label=label)


class ShareForm(PlainForm):
    """Patients are dealt to train, tune and test by these shares."""

    train = _share(70, "Train, %")
    tune = _share(10, "Tune, %")
    test = _share(20, "Test, %")

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        numbers = [said.get(name) for name in ("train", "tune", "test")]
        if None not in numbers and sum(number or 0 for number in numbers) != 100:
            self.add_error("test", f"The three come to {sum(n or 0 for n in numbers)} %, not to 100 %.")
        return said

    def shares(self) -> Shares:
        """Of a valid form."""
        said = self.cleaned_data
        return Shares(said["train"], said["tune"], said["test"])


class StudyFilterForm(PlainForm):
    """What is left empty asks nothing."""

    views = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label="View")
    modalities = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Modality"
    )
    phantom = forms.ChoiceField(
        required=False,
        choices=[("", "Both"), ("no", "Imported films only"), ("only", "Drawn phantoms only")],
        widget=forms.RadioSelect,
        initial="",
        label="Drawn or imported",
    )
    label = forms.CharField(
        required=False,
        max_length=40,
        label="Name begins with",
        widget=forms.TextInput(attrs={"placeholder": "S-1a2b"}),
    )
    since = forms.DateField(required=False, widget=DateInput, label="Shifted date from")
    until = forms.DateField(required=False, widget=DateInput, label="Shifted date to")
    imports = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label="Import")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        views, modalities = filters.views_there(), filters.modalities_there()
        imports = filters.names_of_imports(filters.imports_there(MOST_IMPORTS))
        offer(self, "views", [(view, "not named" if view == NO_VIEW else view) for view in views])
        offer(self, "modalities", [(word, Series(modality=word).shown_modality) for word in modalities])
        offer(self, "imports", [(str(uid), name) for uid, name in imports.items()])

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("since") and said.get("until") and said["since"] > said["until"]:
            self.add_error("until", "It lies before the first date.")
        return said

    def asked(self) -> StudyFilter:
        """Of what is valid so far."""
        self.is_valid()
        said = self.cleaned_data
        return StudyFilter(
            imports=tuple(said.get("imports") or ()),
            views=tuple(said.get("views") or ()),
            modalities=tuple(said.get("modalities") or ()),
            since=said.get("since"),
            until=said.get("until"),
            is_phantom=PHANTOM[said.get("phantom") or ""],
            label=said.get("label") or "",
        )


class FilterForm(StudyFilterForm, ShareForm):
    """A new collection by a filter."""

    name = forms.CharField(max_length=LONGEST_NAME)
    field_order = ("name",)

    def clean(self) -> dict[str, Any]:
        ShareForm.clean(self)
        return super().clean()

    @classmethod
    def beginning_with(cls, asked: QueryDict) -> "FilterForm":
        """As an address says it: `?views=PA&views=AP&label=S-1a`."""
        lists = ("views", "modalities", "imports")
        begun: dict[str, Any] = {name: asked.getlist(name) for name in lists}
        return cls(
            initial=begun | {name: asked.get(name, "") for name in ("phantom", "label", "since", "until")}
        )


class NewPicksForm(ShareForm):
    """A new collection of the studies that were ticked."""

    name = forms.CharField(max_length=LONGEST_NAME)
    field_order = ("name",)


class NameForm(PlainForm):
    name = forms.CharField(max_length=LONGEST_NAME)


def ticked(values: Sequence[str]) -> list[uuid.UUID]:
    """The uids that a page sent, without those that can't be read."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found
