"""Everything that an admin or the clock does to a reader study, from its draft to its lock."""

from deepmedix_review.reviews.study_services.adjudicating import (
    WaitsOtherwise,
    adjudicate_doubts,
    give_every_dispute,
    hand_over_adjudication,
    preview_adjudication,
    preview_every_dispute,
    preview_hand_over,
    queue_adjudications,
    start_adjudication,
)
from deepmedix_review.reviews.study_services.drafting import (
    Collected,
    StudyDraft,
    TaughtCase,
    collected_of,
    design_reader_study,
    draft_of,
)
from deepmedix_review.reviews.study_services.drafts import delete_draft, design_another_like
from deepmedix_review.reviews.study_services.extending import (
    GrewOtherwise,
    Growth,
    extend_reader_study,
    preview_extension,
)
from deepmedix_review.reviews.study_services.moves import ChangedMeanwhile, ListChange, Moves
from deepmedix_review.reviews.study_services.notices import dismiss_notice
from deepmedix_review.reviews.study_services.pool import (
    give_case_back,
    release_expired_leases,
    take_next_case,
)
from deepmedix_review.reviews.study_services.readers import (
    answer_invitation,
    invite_reader,
    preview_invitation,
    preview_removal,
    remove_reader,
)
from deepmedix_review.reviews.study_services.readiness import find_unready, unready_settings, unready_title
from deepmedix_review.reviews.study_services.repeats import release_due_repeats
from deepmedix_review.reviews.study_services.running import (
    lock_reader_study,
    pause_reader_study,
    resume_reader_study,
)
from deepmedix_review.reviews.study_services.starting import create_reader_study, start_reader_study

__all__ = [
    "ChangedMeanwhile",
    "Collected",
    "GrewOtherwise",
    "Growth",
    "ListChange",
    "Moves",
    "StudyDraft",
    "TaughtCase",
    "WaitsOtherwise",
    "adjudicate_doubts",
    "answer_invitation",
    "collected_of",
    "create_reader_study",
    "delete_draft",
    "design_another_like",
    "design_reader_study",
    "dismiss_notice",
    "draft_of",
    "extend_reader_study",
    "find_unready",
    "give_case_back",
    "give_every_dispute",
    "hand_over_adjudication",
    "invite_reader",
    "lock_reader_study",
    "pause_reader_study",
    "preview_adjudication",
    "preview_every_dispute",
    "preview_extension",
    "preview_hand_over",
    "preview_invitation",
    "preview_removal",
    "queue_adjudications",
    "release_due_repeats",
    "release_expired_leases",
    "remove_reader",
    "resume_reader_study",
    "start_adjudication",
    "start_reader_study",
    "take_next_case",
    "unready_settings",
    "unready_title",
]
