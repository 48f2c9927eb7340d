"""A question of an admin's own, as a page's fields: how it is answered, and what each value means."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from deepmedix_review.common.forms import PlainForm
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.models import Criterion

MOST_OPTIONS = 20
NUM_BLANK = 2
POINTS = range(1, 6)
OPTION_FIELDS = ("value", "label", "anchor")


class CriterionForm(PlainForm):
    name = forms.CharField(max_length=60, help_text="One or two words, as readers see it.")
    question = forms.CharField(
        required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}), help_text="In full."
    )
    target = forms.ChoiceField(
        choices=Criterion.Target.choices, widget=forms.RadioSelect, initial="answer", label="Asked of"
    )
    kind = forms.ChoiceField(
        choices=[
            ("scale", "A scale"),
            ("choice", "One choice"),
            ("choices", "Several choices"),
            ("text", "A text"),
        ],
        widget=forms.RadioSelect(
            attrs={
                "hx-post": "",
                "hx-vals": '{"action": "first-options"}',
                "hx-target": "#options",
                "hx-select": "#options",
                "hx-swap": "outerHTML",
                "hx-sync": "closest .field:replace",
            }
        ),
        initial="scale",
        label="Answered by",
    )


class OptionForm(forms.Form):
    """An empty row is no option."""

    value = forms.CharField(required=False, max_length=30)
    label = forms.CharField(required=False, max_length=60)
    anchor = forms.CharField(required=False, max_length=200)


OptionForms = forms.formset_factory(OptionForm, extra=0, max_num=MOST_OPTIONS, validate_max=True)


def initial_of(criterion: Criterion) -> dict[str, Any]:
    return {name: getattr(criterion, name) for name in ("name", "question", "target", "kind")}


def first_options(kind: str) -> list[dict[str, Any]]:
    """What is there before anything is typed: points for a scale, else empty rows, since a value that was
    left there by oversight would contradict its label in every data set."""
    points = POINTS if kind == Criterion.Kind.SCALE else ()
    blank: list[dict[str, Any]] = [{} for _ in range(NUM_BLANK if points else 2 * NUM_BLANK)]
    return [*({"value": str(value), "label": str(value), "anchor": ""} for value in points), *blank]


def is_untouched(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Nothing is typed, and nothing that stood there first is changed."""
    typed = [said for row in rows if any(said := _said(row))]
    return not typed or typed == [said for row in first_options("scale") if any(said := _said(row))]


def _said(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "").strip() for name in OPTION_FIELDS)


def options_of(rows: Sequence[Mapping[str, Any]], *, kind: str) -> list[Option]:
    """Of a scale, values are numbers where they can be read as such; a missing label is the value."""
    found = []
    for row in rows:
        value, label, anchor = _said(row)
        if not (value or label or anchor):
            continue
        is_number = (
            kind == Criterion.Kind.SCALE and value.lstrip("-").isascii() and value.lstrip("-").isdigit()
        )
        found.append(Option(int(value) if is_number else value, label or value, anchor))
    return found
