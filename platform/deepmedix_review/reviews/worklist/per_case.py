"""What a reader study asks of its reader in each case, in the words of its invitation."""

from collections import Counter
from collections.abc import Sequence

from deepmedix_review.reviews.criteria.versions import Asked
from deepmedix_review.reviews.models import Criterion, Invitation, ReaderStudy
from deepmedix_review.reviews.study_services.drafting import design_of

Target = Criterion.Target
OWN_FINDINGS = "write down your own findings and lock them"
# In the order of a reading.
OF_WHAT = {
    Target.STEP: "of each step",
    Target.REGION: "of each region",
    Target.ANSWER: "of each answer",
    Target.VOTE: "of the two outputs together",
    Target.CASE: "of the case",
}


def said_per_case(study: ReaderStudy, asked: Sequence[Asked], *, num_outputs: int) -> tuple[str, ...]:
    """A sentence on the first read, where one is asked, and one on what is shown and asked."""
    first_read = _first_read(study)
    shown = "two outputs" if num_outputs > 1 else "one output"
    fit = [item for item in asked if num_outputs > 1 or item.criterion.target != Target.VOTE]
    return (*([first_read] if first_read else []), f"Each case shows {shown}{_questions(fit)}.")


def said_of_disputes(study: ReaderStudy) -> tuple[str, ...]:
    """That a case of others may come on top, where the design has it settled by a reader who has not read it,
    and leaves one."""
    if study.adjudication != ReaderStudy.Adjudication.THIRD_READER:
        return ()
    reads = (Invitation.State.INVITED, Invitation.State.ACCEPTED)
    num_readers = study.invitations.filter(state__in=reads).count()
    if design_of(study).num_readers_of_a_case(num_readers) >= num_readers:
        return ()
    return ("Where two others disagree on a case that is not yours, you may be asked to settle it, on top.",)


def _first_read(study: ReaderStudy) -> str:
    own = "choose your own answer and lock it" if study.first_read_choices else OWN_FINDINGS
    match study.first_reads:
        case ReaderStudy.FirstReads.ON:
            return f"In each case you first {own}, before an output is shown."
        case ReaderStudy.FirstReads.SHARE:
            return f"In some cases, drawn by chance, you first {own}, before an output is shown."
        case _:
            return ""


def _questions(asked: Sequence[Asked]) -> str:
    counts = Counter(item.criterion.target for item in asked)
    parts = [f"{counts[target]} {of_what}" for target, of_what in OF_WHAT.items() if counts[target]]
    if not parts:
        return ""
    number, first = parts[0].split(" ", 1)
    parts[0] = f"{number} question{'' if number == '1' else 's'} {first}"
    num_optional = sum(not item.is_required for item in asked)
    left = f"; {num_optional} of these may be left open" if num_optional else ""
    return f" and asks {_listed(parts)}{left}"


def _listed(parts: Sequence[str]) -> str:
    """
    >>> _listed(["1 of each step", "2 of each answer", "1 of the case"])
    '1 of each step, 2 of each answer and 1 of the case'
    """
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
