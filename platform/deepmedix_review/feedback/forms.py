"""What a researcher chooses for a training run; the rules are the learning library's own."""

from typing import Any

from django import forms

from rl_feedback.dpo_config import DpoConfig

# Every setting of a run as a page names it.
LABELS = {
    "num_steps": "Optimizer steps",
    "pairs_per_step": "Pairs a step",
    "learning_rate": "Learning rate",
    "beta": "Tie to the parent (beta)",
    "sft_weight": "Weight of the chosen texts' likelihood",
    "replay_weight": "Weight of the replayed films",
    "replay_films_per_step": "Drawn films replayed a step",
    "replay_site": "Site of the replayed films",
    "lora_rank": "Rank of the adapters",
    "lora_alpha": "Scale of the adapters",
    "adapts_vision": "The vision tower learns too",
    "checkpoint_every": "Steps between checkpoints",
    "seed": "Seed",
    "num_threads": "Processor threads",
    "precision": "Number format",
}
# What a person may choose on the page; the API takes every field of DpoConfig.
WHOLE_NUMBERS = ("num_steps", "pairs_per_step", "replay_films_per_step", "seed")
CHOICES = (
    *("num_steps", "pairs_per_step", "learning_rate", "beta", "sft_weight"),
    *("replay_films_per_step", "seed"),
)


class TrainingForm(forms.Form):
    """An empty field keeps its default; every wrong one is said beside it, all at once."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial=DpoConfig().as_json())
        for name in CHOICES:
            kind = forms.IntegerField if name in WHOLE_NUMBERS else forms.FloatField
            widget = forms.TextInput(attrs={"inputmode": "decimal"})
            self.fields[name] = kind(label=LABELS[name], required=False, widget=widget)

    def clean(self) -> dict[str, Any]:
        for name, value in self.chosen().items():
            try:
                DpoConfig.from_json({name: value})
            except ValueError as error:
                self.add_error(name, str(error).replace(name, "It", 1))
        return self.cleaned_data

    def chosen(self) -> dict[str, Any]:
        """The fields that were filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}
