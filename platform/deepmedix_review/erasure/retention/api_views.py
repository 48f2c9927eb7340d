"""Retention for programs: rules, what falls due, a study that is kept longer, and batches that are erased."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.erasure.retention import batches, page
from deepmedix_review.erasure.retention.serializers import (
    AskBatchJson,
    AskKeepingJson,
    AskRetentionRuleJson,
    BatchPageJson,
    BatchPreviewJson,
    BatchWithStudiesJson,
    DueStudiesJson,
    KeepingJson,
    RetentionRuleJson,
    RetentionRulesJson,
    SwitchRuleJson,
    batch_preview_json,
)
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.tasks import request_batch, request_batch_retry
from deepmedix_review.exports.api_views import REFUSALS
from deepmedix_review.studies.retention import services
from deepmedix_review.studies.retention.due import keeping_of

PAGE_SIZE = 100
MOST_DAYS_AHEAD = 3660
_ERASE = needs(Capability.ERASE_STUDIES)


class RulesView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(operation_id="retention_rule_list", responses={200: RetentionRulesJson, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Those that are on first."""
        return Response(RetentionRulesJson({"results": page.rules(acting_user(request))}).data)

    @extend_schema(
        operation_id="retention_rule_make",
        request=AskRetentionRuleJson,
        responses={201: RetentionRuleJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """It erases nothing by itself. A rule never changes: make another, and switch this one off."""
        wanted = AskRetentionRuleJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        rule = services.make_rule(wanted.asked(), actor=acting_user(request))
        return Response(RetentionRuleJson(rule).data, status=201)


class RuleView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_rule_switch",
        request=SwitchRuleJson,
        responses={200: RetentionRuleJson, **REFUSALS},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """On or off."""
        wanted = SwitchRuleJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = acting_user(request)
        rule = page.rule_for(user, uid)
        rule = services.switch_rule(rule, is_on=wanted.validated_data["is_on"], actor=user)
        return Response(RetentionRuleJson(rule).data)

    @extend_schema(operation_id="retention_rule_delete", responses={204: None, **REFUSALS})
    def delete(self, request: Request, uid: UUID) -> Response:
        """What was erased by it stays erased; the audit record keeps what it said."""
        user = acting_user(request)
        services.delete_rule(page.rule_for(user, uid), actor=user)
        return Response(status=204)


class DueView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_due",
        parameters=[OpenApiParameter("days", int), OpenApiParameter("offset", int)],
        responses={200: DueStudiesJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Due now, or within so many `days`; the longest due first, page by page by `next_offset`."""
        user, now = acting_user(request), timezone.now()
        days = read_before(request.query_params.get("days")) or 0
        offset = read_before(request.query_params.get("offset")) or 0
        if days > MOST_DAYS_AHEAD:
            raise RefusedByRule(f"Ask for {MOST_DAYS_AHEAD:,} days ahead at most.")
        rows = page.due_rows(user, by=now + timedelta(days=days), offset=offset, size=PAGE_SIZE + 1)
        record_event(actor=user, action="view_retention", subject=user)
        more = offset + PAGE_SIZE if len(rows) > PAGE_SIZE else None
        return Response(DueStudiesJson({"as_of": now, "results": rows[:PAGE_SIZE], "next_offset": more}).data)


class KeepingView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_keep", request=AskKeepingJson, responses={201: KeepingJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Keep the study longer than rules say; it takes the place of what was said before."""
        wanted = AskKeepingJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        user, said = acting_user(request), wanted.validated_data
        [study] = study_scope(user, uid).studies
        keeping = services.keep_longer(study, last_day=said["last_day"], because=said["because"], actor=user)
        return Response(KeepingJson(keeping).data, status=201)

    @extend_schema(operation_id="retention_keep_end", responses={204: None, **REFUSALS})
    def delete(self, request: Request, uid: UUID) -> Response:
        """The rules hold again."""
        user = acting_user(request)
        [study] = study_scope(user, uid).studies
        keeping = keeping_of(study)
        if keeping is not None:
            services.end_keeping(keeping, actor=user)
        return Response(status=204)


class BatchesView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_batch_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: BatchPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        found = page_of(page.batches(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(BatchPageJson({"results": found.rows, "next_before": found.next_before}).data)

    @extend_schema(
        operation_id="retention_batch_request",
        request=AskBatchJson,
        responses={202: BatchWithStudiesJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Erases what is due, for good. A worker does it; ask for its state until that is done."""
        wanted = AskBatchJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = acting_user(request)
        batch = request_batch(wanted.asked(), actor=user)
        return Response(BatchWithStudiesJson(page.batch_for(user, batch.uid)).data, status=202)


class BatchPreviewView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_batch_preview", request=None, responses={200: BatchPreviewJson, **REFUSALS}
    )
    def post(self, request: Request) -> Response:
        """What would go now, and what has used it. Nothing is kept."""
        user, now = acting_user(request), timezone.now()
        found = page.preview_batch(user, as_of=now)
        batches.record_preview(found.num_studies, as_of=now, actor=user)
        return Response(batch_preview_json(found))


class BatchView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(operation_id="retention_batch", responses={200: BatchWithStudiesJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        """With its studies: the erasure of each, or why it stayed."""
        user = acting_user(request)
        batch = page.batch_for(user, uid)
        record_event(actor=user, action="view_retention_batch", subject=batch)
        return Response(BatchWithStudiesJson(batch).data)


class CancelBatchView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_batch_cancel",
        request=None,
        responses={200: BatchWithStudiesJson, **REFUSALS},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """What has not begun stays, and is due still."""
        user = acting_user(request)
        batches.cancel_batch(page.batch_for(user, uid), actor=user)
        return Response(BatchWithStudiesJson(page.batch_for(user, uid)).data)


class RetryBatchView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="retention_batch_retry",
        request=None,
        responses={200: BatchWithStudiesJson, **REFUSALS},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """One that failed goes on where it stopped."""
        user = acting_user(request)
        request_batch_retry(page.batch_for(user, uid), actor=user)
        return Response(BatchWithStudiesJson(page.batch_for(user, uid)).data)
