"""Says in one line what a reader study showed, of which models, and who read which cases."""

from collections import Counter

from deepmedix_review.reviews.designing.words import DESIGNS, SHOWS
from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.reviews.same_texts import same_pairs_of, say_left_out
from rl_feedback.counting import counted


def say_design(reader_study: ReaderStudy) -> str:
    """Cases that teach are not counted."""
    roles = Counter(reader_study.cases.order_by().values_list("role", flat=True))
    cases = counted(roles[Case.Role.DATA], "case")
    if roles[Case.Role.CONTROL]:
        cases += f" and {counted(roles[Case.Role.CONTROL], 'control')}"
    lists = dict(DESIGNS)[reader_study.design]
    if reader_study.readers_per_case:
        lists += f", {counted(reader_study.readers_per_case, 'reader')} per case"
    if reader_study.num_blocks > 1:
        lists += f", {reader_study.num_blocks} blocks"
    if reader_study.num_anchor_cases:
        lists += f", {counted(reader_study.num_anchor_cases, 'anchor case')}"
    if reader_study.is_pool:
        lists += ", from a pool"
    versions = " and ".join(
        str(version) for version in (reader_study.model_version, reader_study.other_version) if version
    )
    said = f"{dict(SHOWS)[reader_study.shows]}: {versions}. {lists}. {cases}."
    return f"{said} {_say_same(reader_study)}".strip()


def _say_same(reader_study: ReaderStudy) -> str:
    """Readers who compare a text with itself agree, and vote for neither."""
    same = same_pairs_of(reader_study)
    if same is None:
        return ""
    if reader_study.leaves_out_same:
        return f"{say_left_out(reader_study)}."
    return f"{same}: their readers compared a text with itself." if same.num_same else ""
