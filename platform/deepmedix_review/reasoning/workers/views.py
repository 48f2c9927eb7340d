"""The page of inference workers: who is at work, who drains, who is gone, and who can't run what."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.reasoning.workers.selectors import workers
from deepmedix_review.registry.selectors import tell_apart


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_workers(request: HttpRequest) -> HttpResponse:
    """The table renews itself."""
    is_part = request.headers.get("HX-Target") == "worker-table"
    found = workers()
    return render(
        request,
        "reasoning/workers/table.html" if is_part else "reasoning/workers/list.html",
        {
            "workers": found,
            "apart": tell_apart(
                one.worker.model_version for one in found if one.worker.model_version is not None
            ),
            "num_there": sum(one.is_there for one in found),
            "lease_seconds": settings.LEASE_SECONDS,
        },
    )
