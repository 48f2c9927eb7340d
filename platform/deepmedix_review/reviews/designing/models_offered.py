"""Which model versions readers can be shown, and which of them a design names."""

from collections.abc import Sequence
from functools import cached_property

from django.http import QueryDict

from deepmedix_review.reasoning.batches.selectors import Progress, live_of
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designing.cases import read_uids
from deepmedix_review.reviews.study_services import StudyDraft


class ModelsOffered:
    """As the form sent it, else as the draft has it; `begun` is what a new study's form begins with."""

    def __init__(
        self, *, posted: QueryDict | None, draft: StudyDraft | None, begun: StudyDraft | None
    ) -> None:
        self._posted, self._draft, self._begun = posted, draft, begun

    @cached_property
    def every(self) -> Sequence[choices.VersionToRead]:
        return choices.versions_to_read()

    @property
    def has_outputs(self) -> bool:
        """Whether any version has completed a ready study."""
        return any(row.num_studies for row in self.every)

    @cached_property
    def serving(self) -> ModelVersion | None:
        return versions().filter(state=ModelVersion.State.SERVING).first()

    @cached_property
    def shows(self) -> str:
        if self._posted is not None:
            return str(self._posted.get("shows", "two_samples"))
        return self._begun.design.shows if self._begun else "two_samples"

    @property
    def has_two(self) -> bool:
        """Whether two versions are compared."""
        return self.shows in ("two_versions", "one_of_two")

    @property
    def has_sides(self) -> bool:
        """Whether a reading shows two outputs."""
        return self.shows in ("two_samples", "two_versions")

    @cached_property
    def model_version(self) -> ModelVersion | None:
        """As it was said; None is the one that serves when the study starts."""
        return self._version("version", self._draft.model_version if self._draft else None)

    @cached_property
    def other_version(self) -> ModelVersion | None:
        return self._version("other_version", self._draft.other_version if self._draft else None)

    @cached_property
    def shown(self) -> list[ModelVersion]:
        """Whose outputs readers will see."""
        shown = [self.model_version or self.serving, *([self.other_version] if self.has_two else [])]
        return list(dict.fromkeys(version for version in shown if version))

    @cached_property
    def asked_now(self) -> Sequence[Progress]:
        """How far those are that are at work at the moment."""
        return live_of(self.shown)

    def _version(self, name: str, drafted: ModelVersion | None) -> ModelVersion | None:
        if self._posted is None:
            return drafted
        uids = read_uids([self._posted.get(name, "")])
        return versions().filter(uid__in=uids).first()
