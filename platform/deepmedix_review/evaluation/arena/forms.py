"""What a researcher asks of the arena; the rules are the services'."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import FormInPlace, offer
from deepmedix_review.evaluation.arena.services import LONGEST_REVISION, MOST_BATTLES, WantedRun
from deepmedix_review.registry.endpoints import LONGEST_SERVED_MODEL, LONGEST_URL
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import tell_apart
from deepmedix_review.registry.templatetags.versions import named

LIMITS = (
    "requests_per_minute",
    "most_requests",
    "most_tokens",
    "most_cost",
    "price_of_prompt",
    "price_of_answer",
)


class LimitsForm(FormInPlace):
    requests_per_minute = forms.IntegerField(label="Requests a minute", required=False, min_value=1)
    most_requests = forms.IntegerField(label="Requests in all", required=False, min_value=1)
    most_tokens = forms.IntegerField(label="Tokens in all", required=False, min_value=1)
    most_cost = forms.FloatField(label="Cost in all", required=False, min_value=0)
    price_of_prompt = forms.FloatField(label="Price of 1,000,000 tokens read", required=False, min_value=0)
    price_of_answer = forms.FloatField(label="Price of 1,000,000 tokens written", required=False, min_value=0)

    def limits(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {name: said[name] for name in LIMITS if said[name] is not None}


class ArenaForm(LimitsForm):
    title = forms.CharField(label="Title", max_length=120)
    versions = forms.ModelMultipleChoiceField(
        label="Versions",
        queryset=ModelVersion.objects.order_by("-number"),
        widget=forms.CheckboxSelectMultiple,
        help_text="They meet on films and questions that two of them have answered.",
        error_messages={"required": "Choose at least two versions."},
    )
    url = forms.CharField(
        label="The judge's address",
        required=False,
        max_length=LONGEST_URL,
        widget=forms.TextInput(attrs={"placeholder": "https://models.example.org/v1", "size": 48}),
        help_text="Of a server with the OpenAI chat protocol. It is sent reports and reference reports. "
        "Leave it and the name empty for a board of experts' votes alone.",
    )
    served_model = forms.CharField(label="Its name there", required=False, max_length=LONGEST_SERVED_MODEL)
    revision = forms.CharField(
        label="Its revision",
        max_length=LONGEST_REVISION,
        required=False,
        help_text="Release or hash of its weights, as far as you know: another revision is another judge.",
    )
    key_name = forms.ChoiceField(label="Key file", required=False)
    num_wanted = forms.IntegerField(
        label="Battles",
        min_value=1,
        max_value=MOST_BATTLES,
        initial=200,
        help_text="Each is judged twice, with either report first. Of experts' votes all count.",
    )
    first = ("title", "versions", "url", "served_model", "revision", "key_name", "num_wanted")

    def __init__(self, *args: Any, keys: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "key_name", [("", "none"), *((name, name) for name in keys)])
        field = self.fields["versions"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        apart = tell_apart(list(field.queryset or ()))
        field.label_from_instance = lambda version: f"{version} {named(version, apart)}"  # type: ignore[method-assign,assignment]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.first]

    @property
    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    def wanted(self) -> WantedRun:
        said = self.cleaned_data
        return WantedRun(
            title=said["title"],
            versions=list(said["versions"]),
            url=said["url"],
            served_model=said["served_model"],
            revision=said["revision"],
            key_name=said["key_name"],
            num_wanted=said["num_wanted"],
            limits=self.limits(),
        )


class GoOnForm(LimitsForm):
    num_wanted = forms.IntegerField(label="Battles", min_value=1, max_value=MOST_BATTLES, required=False)
