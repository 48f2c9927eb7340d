"""Pages that answer which models have learned from a reader, a patient or a reading."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.feedback.learned.tracing import readers_to_trace, trace
from deepmedix_review.feedback.serializers import RefusalJson, TraceJson


@require_safe
@needs_capability(Capability.TRACE_LEARNING)
def show_readers(request: HttpRequest) -> HttpResponse:
    return render(request, "feedback/learned_from.html", {"readers": readers_to_trace(acting_user(request))})


@require_safe
@needs_capability(Capability.TRACE_LEARNING)
def show_trace(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    found, subject = trace(acting_user(request), kind=kind, uid=uid)
    record_event(actor=acting_user(request), action="trace_learning", subject=subject, details={"of": kind})
    return render(request, "feedback/learned_trace.html", {"trace": found, "subject": subject})


class TraceView(APIView):
    """`kind` is set by the address."""

    permission_classes = [needs(Capability.TRACE_LEARNING)]
    kind = "reader"

    @extend_schema(responses={200: TraceJson, 403: RefusalJson, 404: RefusalJson})
    def get(self, request: Request, uid: UUID) -> Response:
        """The models that learned from it, by their own run or through their ancestors, and the data sets."""
        found, subject = trace(acting_user(request), kind=self.kind, uid=uid)
        record_event(
            actor=acting_user(request), action="trace_learning", subject=subject, details={"of": self.kind}
        )
        return Response(TraceJson(found).data)
