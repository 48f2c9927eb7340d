"""What every page's template knows of the person who looks at it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.accounts.tokens import scopes_for

# In the order of the road: films in, what the model said, readings, learning, the record of it all.
NAVIGATION = (
    (Capability.READ_CASES, "worklist", "Worklist"),
    (Capability.VIEW_ALL_STUDIES, "study-list", "Studies"),
    (Capability.REQUEST_INFERENCE, "inference-list", "Inference"),
    (Capability.VIEW_RESULTS, "reader-study-list", "Reader studies"),
    (Capability.VIEW_MODELS, "dataset-list", "Data sets"),
    (Capability.VIEW_MODELS, "training-run-list", "Training runs"),
    (Capability.VIEW_MODELS, "model-list", "Models"),
    (Capability.ALLOW_MODEL_CODE, "model-code-list", "Models' code"),
    (Capability.EXPORT_DATASETS, "export-list", "Exports"),
    (Capability.VIEW_AUDIT, "audit-list", "Audit"),
    (Capability.MANAGE_ACCOUNTS, "account-list", "Accounts"),
    (Capability.MANAGE_WEBHOOKS, "webhook-list", "Webhooks"),
)
# Pages that belong to an entry, and lie beside its address.
BELOW = {
    "reader-study-list": ("criterion-list",),
    "model-list": ("arena-list", "metric-run-list"),
    "study-list": ("collection-list", "erasure-list", "retention"),
}


@dataclass(frozen=True)
class NavigationEntry:
    title: str
    url: str
    is_current: bool


def page(request: HttpRequest) -> dict[str, Any]:
    """`may.IMPORT_STUDIES` and its like, and the navigation that follows from them."""
    user = getattr(request, "user", None)
    granted = {c.name: user is not None and may(user, c) for c in Capability}
    entries = []
    for capability, url_name, title in NAVIGATION:
        if not granted[capability.name]:
            continue
        url = reverse(url_name)
        here = (url, *(reverse(name) for name in BELOW.get(url_name, ())))
        entries.append(NavigationEntry(title=title, url=url, is_current=request.path.startswith(here)))
    has_tokens = isinstance(user, User) and bool(scopes_for(user))
    return {"may": granted, "navigation": entries, "has_tokens": has_tokens}
