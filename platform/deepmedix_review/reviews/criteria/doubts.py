"""What judges are asked outright: whether a finding is there that an output names and a reader struck out."""

from collections.abc import Iterable

from django.utils.text import slugify

from deepmedix_review.reviews.models import Criterion

THERE, NOT_THERE, CANNOT_TELL = "yes", "no", "cannot_tell"
# What each answer tells the learning loop.
IS_THERE = {THERE: True, NOT_THERE: False, CANNOT_TELL: None}


def doubt_criteria(findings: Iterable[str]) -> list[Criterion]:
    """A question for each kind of finding, by name; made when it is first asked."""
    return [
        Criterion.objects.get_or_create(
            key=f"doubt-{slugify(finding)}"[:60],
            version=1,
            defaults={
                "name": f"{finding} there?"[:60],
                "question": "Is it on this film? An output names it, a reader struck it out.",
                "target": Criterion.Target.CASE,
                "kind": Criterion.Kind.CHOICE,
                "options": [
                    {"value": THERE, "label": "yes", "anchor": "it is there, wherever an output puts it"},
                    {"value": NOT_THERE, "label": "no", "anchor": "it is not there"},
                    {"value": CANNOT_TELL, "label": "can't tell", "anchor": "nothing is taught of it"},
                ],
                "finding": finding,
            },
        )[0]
        for finding in sorted(findings)
    ]
