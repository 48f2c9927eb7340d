"""The reader study of a round: what its SIMULATED readers are asked, and who reads what."""

from collections.abc import Sequence

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Study
from rl_feedback.simulated_readers import Kind
from rl_feedback.simulated_rounds.sharing import num_shared_films

INSTRUCTIONS = (
    "SIMULATED: the readers of this study are invented, and the films are drawn. Nothing here was said by a "
    "person."
)
FIELDS: dict[Kind, tuple[str, ...]] = {
    "votes": ("grounded", "overall"),
    "steps": ("plausibility", "relevance", "correctness", "completeness"),
    "regions": ("verdict",),
    "all": ("plausibility", "verdict", "relevance", "correctness", "completeness", "grounded", "overall"),
}


def design_round(
    *,
    title: str,
    studies: Sequence[Study],
    readers: Sequence[User],
    num_readings: int,
    kind: Kind,
    admin: User,
    seed: int,
) -> ReaderStudy:
    """Two samples a film, one reader each, a few films read by all. The same title is the same study."""
    known = ReaderStudy.objects.filter(title=title).first()
    if known is not None:
        return known
    anchors = num_shared_films(num_readings)
    by_field = {criterion.field: criterion for criterion in library() if criterion.field}
    return create_reader_study(
        title=title,
        studies=studies,
        readers=readers,
        actor=admin,
        seed=seed,
        asked=[Asked(by_field[field]) for field in FIELDS[kind]],
        design=ReaderStudyDesign(
            design="anchor_rotation" if anchors else "k_readers",
            readers_per_case=1,
            num_anchor_cases=anchors,
            shows="two_samples",
        ),
        instructions=INSTRUCTIONS,
    )
