"""Which questions on errors are asked of a step: one that is right as it stands has no error to name."""

from dataclasses import dataclass

from deepmedix_review.reviews.models import Criterion, RegionAnnotation

AskedIf = Criterion.AskedIf
RIGHT_AS_I_WOULD_SAY_IT = 5
# Of the question on the finding itself: what is not there has neither a place nor a severity.
NOT_THERE = "false"


@dataclass(frozen=True)
class StepSaid:
    """What a reader said of a step: 0 or "" for what is not said. `verdicts`: of each of its regions, none
    where the reader study asks for none. `finding`: which error of the finding."""

    plausibility: int
    verdicts: tuple[str, ...]
    finding: str

    @property
    def is_right(self) -> bool:
        fits = RegionAnnotation.Verdict.FITS
        return self.plausibility == RIGHT_AS_I_WOULD_SAY_IT and all(one == fits for one in self.verdicts)


def is_asked(asked_if: str, step: StepSaid) -> bool:
    """The reading room knows the same rule (not-asked.ts); one table of cases tests both."""
    match asked_if:
        case AskedIf.FLAWED:
            return not step.is_right
        case AskedIf.THERE:
            return not step.is_right and step.finding != NOT_THERE
    return True
