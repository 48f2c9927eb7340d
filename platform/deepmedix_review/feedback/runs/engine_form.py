"""Where a run shall learn, as a person chooses it on a page; offered only where a cluster is named."""

from typing import Any

from django import forms

from rl_feedback.engines.placement import LOCAL, MOST_RETRIES, MOST_WORKERS, RAY, Placement

SAID = {LOCAL: "This machine's worker", RAY: "The Ray cluster"}


class EngineForm(forms.Form):
    """An empty number keeps its default."""

    engine = forms.ChoiceField(
        label="Where it learns", choices=list(SAID.items()), initial=LOCAL, required=False
    )
    num_workers = forms.IntegerField(
        label="Workers",
        required=False,
        initial=1,
        min_value=1,
        max_value=MOST_WORKERS,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="Processes that share each step's examples and replayed texts, which must be a multiple.",
    )
    gpus_per_worker = forms.TypedChoiceField(
        label="Each with",
        choices=[("0", "processors alone"), ("1", "one GPU")],
        coerce=int,
        empty_value=None,
        required=False,
        initial="0",
    )
    max_retries = forms.IntegerField(
        label="Retries at most",
        required=False,
        initial=2,
        min_value=0,
        max_value=MOST_RETRIES,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="A job or a worker that died is begun again from its last checkpoint so often.",
    )

    def placement(self) -> dict[str, Any]:
        """Of a valid form, as JSON."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return Placement.from_json(chosen).as_json()


def said_of_place(place: Placement) -> str:
    """
    >>> said_of_place(Placement("ray", num_workers=2))
    'The Ray cluster, 2 workers'
    """
    if place.num_workers == 1 and not place.gpus_per_worker:
        return SAID[place.engine]
    workers = f"{place.num_workers} worker{'s' if place.num_workers > 1 else ''}"
    gpus = " with a GPU each" if place.gpus_per_worker else ""
    dealt = f", weights dealt by {place.sharding}" if place.is_sharded else ""
    return f"{SAID[place.engine]}, {workers}{gpus}{dealt}"
