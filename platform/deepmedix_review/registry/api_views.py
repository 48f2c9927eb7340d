"""The JSON interface of models that come from outside."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.registry import tasks
from deepmedix_review.registry.models import ModelJob
from deepmedix_review.registry.registering import cancel_model_job
from deepmedix_review.registry.selectors import incoming_names, model_job_for
from deepmedix_review.registry.serializers import FolderJson, FoldersJson, ModelJobJson

_VIEW = needs(Capability.VIEW_MODELS)
_REGISTER = needs(Capability.REGISTER_MODELS)


class FoldersView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_folder_list", responses=FoldersJson)
    def get(self, request: Request) -> Response:
        """The model folders that lie in INCOMING_MODEL_FOLDER."""
        return Response(FoldersJson({"folders": incoming_names()}).data)

    @extend_schema(operation_id="model_folder_register", request=FolderJson, responses={202: ModelJobJson})
    def post(self, request: Request) -> Response:
        """Make one of them a version; a worker copies its files."""
        wanted = FolderJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = tasks.request_registering(
            wanted.validated_data["folder"], wanted=wanted.wanted(), actor=acting_user(request)
        )
        return Response(ModelJobJson(job).data, status=202)


class ModelJobView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="model_job", responses=ModelJobJson)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far it is."""
        return Response(ModelJobJson(_job(request, uid)).data)


class CancelView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_job_cancel", request=None, responses=ModelJobJson)
    def post(self, request: Request, uid: UUID) -> Response:
        """End it; nothing of it is kept."""
        job = _job(request, uid)
        cancel_model_job(job, actor=acting_user(request))
        return Response(ModelJobJson(job).data)


class RetryView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_job_retry", request=None, responses=ModelJobJson)
    def post(self, request: Request, uid: UUID) -> Response:
        """Try what failed or was cancelled again."""
        job = _job(request, uid)
        tasks.request_model_retry(job, actor=acting_user(request))
        return Response(ModelJobJson(job).data)


def _job(request: Request, uid: UUID) -> ModelJob:
    try:
        return model_job_for(acting_user(request), uid)
    except ModelJob.DoesNotExist as error:
        raise Http404("There is no such job.") from error
