"""The audit record as an admin reads it: newest first, one page as quick as the other."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.audit.selectors import event_page, event_rows
from deepmedix_review.audit.words import offered
from deepmedix_review.common.paging import read_before


@require_safe
@needs_capability(Capability.VIEW_AUDIT)
def show_audit(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip() for name in ("action", "actor", "subject")}
    page = event_page(**asked, before=read_before(request.GET.get("before")))
    context = {
        "rows": event_rows(page.rows),
        "next_before": page.next_before,
        "asked": asked,
        "groups": offered(asked["action"]),
    }
    return render(request, "audit/audit_list.html", context)
