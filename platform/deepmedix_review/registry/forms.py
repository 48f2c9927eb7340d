"""What a researcher says of a model that is to be registered; the rules are `registry.wanted`'s."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import FormInPlace, offer
from deepmedix_review.registry.endpoints import LONGEST_SERVED_MODEL, LONGEST_URL
from deepmedix_review.registry.wanted import (
    HOTTEST,
    LONGEST_HUB_ID,
    LONGEST_LICENCE,
    LONGEST_LIMITS,
    LONGEST_NAME,
    MOST_NEW_TOKENS,
    WantedVersion,
)
from inference.presets import PRESETS
from inference.regions import Frame

FRAME_WORDS = {
    Frame.PROCESSED: "pixels of the picture that it sees",
    Frame.INPUT: "pixels of the film",
    Frame.NORM1000: "thousandths of each side",
    Frame.NORM100: "hundredths of each side",
    Frame.NORM1: "parts of 1 of each side",
}


FRAMES = [(frame.value, f"{frame}: {words}") for frame, words in FRAME_WORDS.items()]


OWN = ("name", "licence", "limits", "box_frame", "temperature", "max_new_tokens", "hub_id", "hub_revision")


class VersionForm(FormInPlace):
    """How it is asked and read; an empty field is as its preset says."""

    preset = forms.ChoiceField(label="Preset", help_text="How it is asked, how its outputs are read.")
    name = forms.CharField(label="Name", max_length=LONGEST_NAME, required=False)
    licence = forms.CharField(label="Licence", max_length=LONGEST_LICENCE, required=False)
    limits = forms.CharField(
        label="Limits of the licence",
        max_length=LONGEST_LIMITS,
        required=False,
        help_text="What it asks for or forbids.",
    )
    box_frame = forms.ChoiceField(
        label="Box frame",
        required=False,
        choices=[("", "as its preset"), *FRAMES],
        help_text="In what it counts its boxes; a calibration tells.",
    )
    temperature = forms.FloatField(
        label="Temperature", required=False, min_value=0, max_value=HOTTEST, help_text="0: the likeliest."
    )
    max_new_tokens = forms.IntegerField(
        label="Most tokens of an output", required=False, min_value=1, max_value=MOST_NEW_TOKENS
    )

    def __init__(self, *args: Any, presets: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "preset", [(key, f"{PRESETS[key].name} ({key})") for key in presets])

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What has to be said."""
        return [field for field in self if field.name not in OWN]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in OWN]

    @property
    def differs(self) -> bool:
        """Whether something was said that the preset does not."""
        return self.is_bound and any(field.data or field.errors for field in self.own_fields)

    def wanted(self) -> WantedVersion:
        said = self.cleaned_data
        known = WantedVersion.__dataclass_fields__
        return WantedVersion(**{name: said[name] for name in known if name in said})


class FetchedForm(VersionForm):
    """Of weights that were fetched at Hugging Face, perhaps."""

    hub_id = forms.CharField(
        label="Hugging Face id",
        max_length=LONGEST_HUB_ID,
        required=False,
        help_text="Where its files were fetched, owner/name.",
    )
    hub_revision = forms.CharField(
        label="Revision", max_length=40, required=False, help_text="The commit there, 40 digits."
    )


class EndpointForm(FetchedForm):
    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        widget=forms.TextInput(attrs={"placeholder": "https://models.example.org/v1", "size": 48}),
        help_text="Where its API begins.",
    )
    served_model = forms.CharField(
        label="Model's name there", max_length=LONGEST_SERVED_MODEL, help_text="As its /v1/models lists it."
    )
    key_name = forms.ChoiceField(
        label="Key file",
        required=False,
        help_text="Of this server. Only its name is kept here, never the key.",
    )
    field_order = ("url", "served_model", "key_name", "preset")

    def __init__(self, *args: Any, keys: list[str], **kwargs: Any) -> None:
        super().__init__(*args, presets=tuple(PRESETS), **kwargs)
        offer(self, "key_name", [("", "none"), *((name, name) for name in keys)])


class FolderForm(FetchedForm):
    folder = forms.ChoiceField(label="Folder")
    field_order = ("folder", "preset")

    def __init__(self, *args: Any, folders: list[str], **kwargs: Any) -> None:
        super().__init__(*args, presets=tuple(PRESETS), **kwargs)
        own = {key: "" if preset.transformers_class else ", its own code" for key, preset in PRESETS.items()}
        offer(self, "preset", [(key, f"{PRESETS[key].name} ({key}{own[key]})") for key in PRESETS])
        offer(self, "folder", [(name, name) for name in folders])
