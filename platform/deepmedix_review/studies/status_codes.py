"""The codes by which programs are told what became of a film (PS3.4 annex B.2.3, PS3.7 annex C, PS3.18 table
I.2-2)."""

import errno
from collections.abc import Mapping

from deepmedix_review.studies.intake.content import Refusal

SUCCESS = 0x0000
# What is kept is named and dated otherwise than what was sent.
COERCED = 0xB000
PROCESSING_FAILED = 0x0110
OUT_OF_RESOURCES = 0xA700
NOT_UNDERSTOOD = 0xC000
REFUSAL_CODES: Mapping[Refusal, int] = {
    Refusal.NOT_UNDERSTOOD: NOT_UNDERSTOOD,
    Refusal.NO_PICTURE: 0x0122,
    Refusal.UNKNOWN_SYNTAX: 0xC122,
    Refusal.TOO_LARGE: OUT_OF_RESOURCES,
    Refusal.OF_OTHER_STUDY: 0xA900,
    Refusal.OF_OTHER_OBJECT: 0xA900,
    # Not authorized.
    Refusal.ERASED: 0x0124,
}


def is_disk_full(error: BaseException | None) -> bool:
    """By the error or by those behind it: pydicom raises another, which lacks the number."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
