from typing import Any

from django.apps import AppConfig
from django.apps import apps as current_apps
from django.db.models.signals import post_migrate

BUILT_IN_NOTES = (
    "What models were first seen to do wrong: omit lesions while their answers improve.",
    "Omissions, flips and regions in one place; canaries, and twins of the sealed films.",
    "The steps on sealed films by a learned scorer, and how far readers may prefer the parent.",
    "Recall of each kind of finding: one kind may be lost while all together rise.",
    "What is cited on chests in pieces: a part of a film is not the film.",
    "Sealed patients of the site whose films readers have read: what they confirmed, struck out and drew.",
)


class FeedbackConfig(AppConfig):
    name = "deepmedix_review.feedback"

    def ready(self) -> None:
        # Models can be imported from here on.
        from deepmedix_review.feedback.learned.patients import warn_of_learned
        from deepmedix_review.reviews.designing.warnings import ask_of_designs

        ask_of_designs(warn_of_learned)
        post_migrate.connect(keep_built_in_policies, sender=self)


def keep_built_in_policies(*, using: str, apps: Any = current_apps, **_: Any) -> None:
    """A database gets the built-in policies that it lacks, until a researcher made one: from then on policies
    are theirs."""
    from rl_feedback.gate import POLICIES

    try:
        kept = apps.get_model("feedback", "GatePolicy").objects.using(using)
    except LookupError:  # migrated back to before there were any
        return
    newest = kept.order_by("-number").first()
    if newest is not None and newest.created_by_id is not None:
        return
    for policy, note in zip(POLICIES, BUILT_IN_NOTES, strict=True):
        if newest is None or policy.number > newest.number:
            kept.create(number=policy.number, policy=policy.as_json(), note=note)
