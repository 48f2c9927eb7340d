"""What earlier readers of a case dispute, for who decides between them: of the rest their word stands."""

from deepmedix_review.reviews.disagreement import Item, disputed_items
from deepmedix_review.reviews.models import Assignment, Reading
from deepmedix_review.reviews.reading.belonging import shown_completions


def disputed_in(reading: Reading) -> frozenset[Item]:
    """Empty for every reading but an adjudication's, and where a word of the case is in doubt, disputed or
    not: who overlooked one thing judged all by what was seen, so everything is asked anew."""
    assignment = reading.assignment
    if assignment.kind != Assignment.Kind.ADJUDICATION or assignment.asks_everything:
        return frozenset()
    if not reading.is_revealed:
        return frozenset()
    return disputed_items(assignment.case, completions=shown_completions(reading))
