"""What a researcher asks to be measured; the rules are the services'."""

from typing import Any

from django import forms

from deepmedix_review.common.forms import offer
from deepmedix_review.evaluation.arena.forms import LIMITS, LimitsForm
from deepmedix_review.evaluation.measuring.planning import Wanted
from deepmedix_review.evaluation.measuring.selectors import offered_collections
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.reasoning.services import LONGEST_QUERY
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import tell_apart, versions
from deepmedix_review.registry.templatetags.versions import named
from deepmedix_review.studies.models import Split

MOST_VERSIONS = 200
_ENDPOINT = ModelVersion.Source.ENDPOINT


class EvaluationForm(LimitsForm):
    title = forms.CharField(label="Title", max_length=120)
    version = forms.ChoiceField(label="Version")
    beside = forms.ChoiceField(
        label="Beside it", required=False, help_text="Both are measured on the same films."
    )
    collection = forms.ChoiceField(
        label="Collection", help_text="Its studies with a reference: a report, labels or regions."
    )
    side = forms.ChoiceField(
        label="Side of the split",
        required=False,
        initial=Split.TEST,
        choices=[*((side.value, side.label) for side in Split), ("", "all sides")],
        help_text="Models may have learned from studies on the train side.",
    )
    against = forms.ChoiceField(
        label="Reports are compared with", choices=MetricRun.Against.choices, initial=MetricRun.Against.REPORT
    )
    query = forms.CharField(
        label="Question",
        required=False,
        max_length=LONGEST_QUERY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Left empty: what each version is usually asked.",
    )
    is_report_question = forms.BooleanField(
        label="It asks for a report",
        required=False,
        help_text="Answers are scored as whole reports. Of what versions are usually asked this is known.",
    )
    is_missing_wrong = forms.BooleanField(
        label="Count a study without an output as wrong",
        required=False,
        help_text="Else it is left out, and counted.",
    )

    judge = forms.ChoiceField(
        label="Judge for GREEN",
        required=False,
        help_text="A version on a model server (Models → Register a model), which is sent reports and "
        "reference reports. Without one there is no GREEN.",
    )
    field_order = (
        *("title", "version", "beside", "collection", "side", "against", "query"),
        *("is_report_question", "is_missing_wrong"),
        *("judge", *LIMITS),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        serving = ModelVersion.State.SERVING
        found = sorted(versions()[:MOST_VERSIONS], key=lambda one: one.state != serving)
        self._versions = {str(one.uid): one for one in found}
        apart = tell_apart(found)
        offered = [(key, f"{one} {named(one, apart)} · {one.state}") for key, one in self._versions.items()]
        offer(self, "version", offered)
        offer(self, "beside", [("", "none"), *offered])
        judges = [(key, name) for key, name in offered if self._versions[key].source == _ENDPOINT]
        offer(self, "judge", [("", "none"), *judges])
        self._collections = {str(one.uid): one for one in offered_collections()}
        offer(
            self,
            "collection",
            [(key, f"{one} · {one.num_studies:,} studies") for key, one in self._collections.items()],
        )

    @property
    def missing(self) -> str:
        """What has to be there before anything can be measured; empty where it is."""
        if not self._versions:
            return "version"
        return "" if self._collections else "collection"

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in LIMITS]

    @property
    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    def wanted(self) -> Wanted:
        said = self.cleaned_data
        return Wanted(
            title=said["title"],
            version=self._versions[said["version"]],
            beside=self._versions.get(said["beside"]),
            collection=self._collections[said["collection"]],
            side=said["side"],
            against=said["against"],
            query=said["query"],
            is_report_question=said["is_report_question"],
            is_missing_wrong=said["is_missing_wrong"],
            judge=self._versions.get(said["judge"]),
            limits=self.limits(),
        )
