"""The practice and calibration cases of a design: their forms, and which cases these say so far."""

from collections.abc import Sequence
from functools import cached_property

from django.http import QueryDict

from deepmedix_review.reviews.designing import choices, taught_form
from deepmedix_review.reviews.designing.cases import read_uids
from deepmedix_review.reviews.study_services import TaughtCase
from deepmedix_review.studies.models import Study


class Taught:
    """From what was just sent, else from the draft. `listed` are the studies that the page offers."""

    def __init__(
        self, posted: QueryDict | None, *, drafted: Sequence[TaughtCase], listed: Sequence[Study]
    ) -> None:
        self._posted, self._drafted, self._listed = posted, drafted, listed
        self.forms = taught_form.TaughtCases(
            self._data(),
            initial=taught_form.initial_of(drafted) if posted is None else [],
            prefix="taught",
            form_kwargs={"studies": [(str(study.uid), study.label) for study in self._teachable]},
        )

    @property
    def is_wrong(self) -> bool:
        return self.forms.is_bound and not self.forms.is_valid()

    def now(self) -> Sequence[TaughtCase]:
        return self.said() if self.forms.is_bound else self._drafted

    def said(self) -> list[TaughtCase]:
        """Of the forms that are valid."""
        self.forms.is_valid()
        said = [form.cleaned_data for form in self.forms.forms if not form.errors]
        return taught_form.taught_cases(said, studies=self._teachable)

    @cached_property
    def _teachable(self) -> list[Study]:
        """What is listed, and what teaches already."""
        if self._posted is not None:
            names = [name for name in self._posted if name.startswith("taught-") and name.endswith("-study")]
            named = choices.studies_by_uid(read_uids(self._posted[name] for name in names))
        else:
            named = [case.study for case in self._drafted]
        listed = {study.pk: study for study in self._listed}
        return list(({study.pk: study for study in named} | listed).values())

    def _data(self) -> QueryDict | None:
        """With one form more where it was asked for."""
        if self._posted is None:
            return None
        data = self._posted.copy()
        total = data.get("taught-TOTAL_FORMS", "0")
        number = min(int(total), taught_form.MOST_TAUGHT) if total.isascii() and total.isdigit() else 0
        data["taught-TOTAL_FORMS"] = str(number + (data.get("action") == "add-taught"))
        data["taught-INITIAL_FORMS"] = "0"
        return data
