"""The audit record as an admin reads it: newest first, one page as quick as the other."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.audit.selectors import Asked, event_page, event_rows
from deepmedix_review.audit.subjects import people
from deepmedix_review.audit.words import offered
from deepmedix_review.common.paging import read_before

FIELDS = ("action", "actor", "subject", "since", "until")
LONGEST = 150


@require_safe
@needs_capability(Capability.VIEW_AUDIT)
def show_audit(request: HttpRequest) -> HttpResponse:
    said = {name: request.GET.get(name, "").replace("\0", "").strip()[:LONGEST] for name in FIELDS}
    asked = Asked(said["action"], said["actor"], said["subject"], _day(said["since"]), _day(said["until"]))
    page = event_page(asked, before=read_before(request.GET.get("before")))
    context = {
        "rows": event_rows(page.rows),
        "next_before": page.next_before,
        "asked": said,
        "is_nobody": bool(asked.actor) and not people(asked.actor).exists(),
        "groups": offered(asked.action),
    }
    return render(request, "audit/audit_list.html", context)


def _day(said: str) -> date | None:
    """None for what is no day: the field of the page writes none such."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None
