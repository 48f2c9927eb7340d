"""What a plan tells an admin beside its figures: a study can start all the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designing.cases import CasesOffered
from deepmedix_review.reviews.designs import StudyPlan
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.same_texts import SamePairs


def of_same_pairs(same: SamePairs | None, *, leaves_out: bool) -> Sequence[str]:
    """Told before anybody is paid for comparing a text with itself."""
    if same is None or leaves_out:
        return []
    return [
        f"{same}: their readers compare a text with itself. “Leave out pairs that say the "
        "same”, under Cases, spares them."
    ]


def of_drawn_films(
    versions_shown: Sequence[ModelVersion], cases: CasesOffered, said: Mapping[str, Any]
) -> Sequence[str]:
    """The shipped model has seen no real film: told before its outputs cost anybody's time."""
    drawn = [version for version in versions_shown if version.prompt_template == "phantom"]
    if not drawn or not cases.has_real_films(said):
        return []
    return [
        f"{version} has learned from drawn films only: what it says of a real film means nothing."
        for version in drawn
    ]


def of_no_third_reader(plan: StudyPlan, *, adjudication: str | None, num_readers: int) -> Sequence[str]:
    """A third reader is one who has not read the case: told, since the study can start without."""
    wants = adjudication == ReaderStudy.Adjudication.THIRD_READER
    if wants and num_readers >= 3 and plan.readers_per_case >= num_readers:
        return [
            "Every reader reads every case, so no third reader is left: a case on which they disagree "
            "waits until you give it to somebody else. Have fewer readers per case, or invite another."
        ]
    return []
