"""What a researcher asks of the arena; the rules are the services'."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import TemporaryUploadedFile

from deepmedix_review.common.forms import FormInPlace, offer
from deepmedix_review.evaluation.arena.services import LONGEST_REVISION, MOST_BATTLES
from deepmedix_review.evaluation.arena.wanted import RecordedFile, WantedRun
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
        help_text="Of a server with the OpenAI chat protocol. It is sent reports and reference reports.",
    )
    served_model = forms.CharField(
        label="The judge's name",
        required=False,
        max_length=LONGEST_SERVED_MODEL,
        help_text="At its server, or of whoever judged elsewhere.",
    )
    revision = forms.CharField(
        label="Its revision",
        max_length=LONGEST_REVISION,
        required=False,
        help_text="Release or hash of its weights, as far as you know: another revision is another judge.",
    )
    key_name = forms.ChoiceField(label="Key file", required=False)
    judge_version = forms.ModelChoiceField(
        label="Or a version judges",
        required=False,
        queryset=ModelVersion.objects.filter(source=ModelVersion.Source.FOLDER).order_by("-number"),
        empty_label="none",
        help_text="One whose weights are here, asked by texts alone, in the memory of the learning worker. "
        "It has a name and revision of its own.",
    )
    recorded = forms.FileField(
        label="Or judgements made elsewhere",
        required=False,
        help_text="JSON, one object a line: case, first and second (versions, as v3), and text, or verdict "
        "and criteria. All that match a pair count; the number of battles below does not matter.",
    )
    leaves_out = forms.BooleanField(label="Leave out judgements that match no pair", required=False)
    num_wanted = forms.IntegerField(
        label="Battles",
        min_value=1,
        max_value=MOST_BATTLES,
        initial=200,
        help_text="Each is judged twice, with either report first. Of experts' votes all count.",
    )
    judge_fields = (
        *("url", "served_model", "revision", "key_name"),
        *("judge_version", "recorded", "leaves_out"),
    )

    def __init__(self, *args: Any, keys: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "key_name", [("", "none"), *((name, name) for name in keys)])
        for name in ("versions", "judge_version"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.label_from_instance = _names_of(field)  # type: ignore[method-assign,assignment]

    @property
    def who_judges(self) -> list[forms.BoundField]:
        return [self[name] for name in self.judge_fields]

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
            judge_version=said["judge_version"],
            recorded=self._recorded(),
            num_wanted=said["num_wanted"],
            limits=self.limits(),
        )

    def _recorded(self) -> RecordedFile | None:
        file = self.cleaned_data["recorded"]
        if file is None:
            return None
        assert isinstance(file, TemporaryUploadedFile)
        path = Path(file.temporary_file_path())
        return RecordedFile(path, str(file.name), leaves_out=self.cleaned_data["leaves_out"])


class GoOnForm(LimitsForm):
    num_wanted = forms.IntegerField(label="Battles", min_value=1, max_value=MOST_BATTLES, required=False)


def _names_of(field: "forms.ModelChoiceField[ModelVersion]") -> Callable[[ModelVersion], str]:
    apart = tell_apart(list(field.queryset or ()))
    return lambda version: f"{version} {named(version, apart)}"
