"""What earlier readers of a case dispute, for who decides between them: of the rest their word stands."""

from deepmedix_review.reviews.disagreement import Item, disputed_items
from deepmedix_review.reviews.models import Assignment, Reading
from deepmedix_review.reviews.reading.belonging import shown_completions


def disputed_in(reading: Reading) -> frozenset[Item]:
    """Empty for every reading but an adjudication's, and where no two readers lie far apart: a case that is
    read once more since a word of it is in doubt needs a word on everything."""
    if reading.assignment.kind != Assignment.Kind.ADJUDICATION or not reading.is_revealed:
        return frozenset()
    return disputed_items(reading.assignment.case, completions=shown_completions(reading))
