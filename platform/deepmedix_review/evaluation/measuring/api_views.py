"""The JSON interface of measurements against references."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.measuring.selectors import metric_run_for, metric_runs
from deepmedix_review.evaluation.measuring.serializers import (
    MetricGoOnJson,
    MetricRunJson,
    MetricRunPageJson,
    MetricsWantedJson,
    WholeMetricRunJson,
)
from deepmedix_review.evaluation.measuring.services import cancel_run
from deepmedix_review.evaluation.models import MetricRun

PAGE_SIZE = 50
_VIEW = needs(Capability.VIEW_MODELS)
_TRAIN = needs(Capability.TRAIN_MODELS)


class MetricRunsView(APIView):
    def get_permissions(self) -> list[BasePermission]:
        return [_TRAIN() if self.request.method == "POST" else _VIEW()]

    @extend_schema(
        operation_id="metrics_list", parameters=[OpenApiParameter("before", int)], responses=MetricRunPageJson
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = page_of(metric_runs(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(MetricRunPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(operation_id="metrics_request", request=MetricsWantedJson, responses={202: MetricRunJson})
    def post(self, request: Request) -> Response:
        """Measure what a version wrote of a collection against the studies' references."""
        wanted = MetricsWantedJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        run = tasks.request_metrics(wanted.wanted(), actor=acting_user(request))
        return Response(MetricRunJson(run).data, status=202)


class MetricRunView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="metrics_run", responses=WholeMetricRunJson)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far it is, and its result."""
        return Response(WholeMetricRunJson(_run(request, uid)).data)


class MetricCancelView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="metrics_cancel", request=None, responses=MetricRunJson)
    def post(self, request: Request, uid: UUID) -> Response:
        """End it."""
        run = _run(request, uid)
        cancel_run(run, actor=acting_user(request))
        return Response(MetricRunJson(run).data)


class MetricGoOnView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="metrics_go_on", request=MetricGoOnJson, responses={202: MetricRunJson})
    def post(self, request: Request, uid: UUID) -> Response:
        """Let a failed or cancelled one go on, with the same outputs, and other limits where these are
        given."""
        wanted = MetricGoOnJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        run = _run(request, uid)
        tasks.request_metrics_again(run, actor=acting_user(request), **wanted.validated_data)
        return Response(MetricRunJson(run).data, status=202)


def _run(request: Request, uid: UUID) -> MetricRun:
    try:
        return metric_run_for(acting_user(request), uid)
    except MetricRun.DoesNotExist:
        raise Http404 from None
