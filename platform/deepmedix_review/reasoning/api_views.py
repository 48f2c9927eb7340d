"""The JSON interface to inference: ask, look, cancel, retry."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.reasoning import services, tasks
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.selectors import job_for
from deepmedix_review.reasoning.serializers import InferenceJobSerializer, InferenceRequestSerializer
from deepmedix_review.studies.selectors import study_for


class StudyInferenceView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE), needs(Capability.VIEW_ALL_STUDIES)]

    @extend_schema(
        operation_id="request_inference",
        request=InferenceRequestSerializer,
        responses={202: InferenceJobSerializer(many=True)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask the serving model for two completions of a study."""
        wanted = InferenceRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        jobs = tasks.request_inference(
            study=study_for(acting_user(request), uid),
            actor=acting_user(request),
            query=wanted.validated_data.get("query"),
        )
        return Response(InferenceJobSerializer(instance=jobs, many=True).data, status=202)


class InferenceJobView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE)]

    @extend_schema(operation_id="inference_job", responses=InferenceJobSerializer)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far an inference is."""
        return Response(InferenceJobSerializer(_job(request, uid)).data)


class CancelInferenceView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE)]

    @extend_schema(operation_id="cancel_inference", request=None, responses=InferenceJobSerializer)
    def post(self, request: Request, uid: UUID) -> Response:
        """End it: at once while it waits, within a token while it runs."""
        job = _job(request, uid)
        services.cancel_inference(job, actor=acting_user(request))
        return Response(InferenceJobSerializer(job).data)


class RetryInferenceView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE)]

    @extend_schema(operation_id="retry_inference", request=None, responses=InferenceJobSerializer)
    def post(self, request: Request, uid: UUID) -> Response:
        """Try a failed or cancelled inference again."""
        job = _job(request, uid)
        tasks.request_retry(job, actor=acting_user(request))
        return Response(InferenceJobSerializer(job).data)


def _job(request: Request, uid: UUID) -> InferenceJob:
    try:
        return job_for(acting_user(request), uid)
    except InferenceJob.DoesNotExist as error:
        raise Http404("There is no such inference.") from error
