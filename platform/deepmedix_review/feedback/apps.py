from typing import Any

from django.apps import AppConfig
from django.apps import apps as current_apps
from django.db.models.signals import post_migrate

BUILT_IN_NOTES = (
    "What models were first seen to do wrong: omit lesions while their answers improve.",
    "Omissions, flips and regions in one place; canaries, and twins of the sealed films.",
)


class FeedbackConfig(AppConfig):
    name = "deepmedix_review.feedback"

    def ready(self) -> None:
        post_migrate.connect(keep_built_in_policies, sender=self)


def keep_built_in_policies(*, using: str, apps: Any = current_apps, **_: Any) -> None:
    """A database without policies gets the built-in ones; what researchers made since is theirs."""
    from rl_feedback.gate import POLICIES

    try:
        kept = apps.get_model("feedback", "GatePolicy").objects.using(using)
    except LookupError:  # migrated back to before there were any
        return
    if not kept.exists():
        for policy, note in zip(POLICIES, BUILT_IN_NOTES, strict=True):
            kept.create(number=policy.number, policy=policy.as_json(), note=note)
