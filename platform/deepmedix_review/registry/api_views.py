"""The JSON interface of models that come from outside."""

from uuid import UUID

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.registry import tasks
from deepmedix_review.registry.correcting import register_corrected
from deepmedix_review.registry.endpoints import register_endpoint
from deepmedix_review.registry.incoming import incoming_names, unfit_folders
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.registering import cancel_model_job
from deepmedix_review.registry.selectors import key_names, model_job_for, version_for
from deepmedix_review.registry.serializers import (
    FolderJson,
    FoldersJson,
    ModelJobJson,
    RegisteredJson,
    ServerJson,
    ServersJson,
)

_VIEW = needs(Capability.VIEW_MODELS)
_REGISTER = needs(Capability.REGISTER_MODELS)


class FoldersView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_folder_list", responses=FoldersJson)
    def get(self, request: Request) -> Response:
        """The model folders that lie in INCOMING_MODEL_FOLDER, and why others there can't be registered."""
        return Response(FoldersJson({"folders": incoming_names(), "unfit": unfit_folders()}).data)

    @extend_schema(operation_id="model_folder_register", request=FolderJson, responses={202: ModelJobJson})
    def post(self, request: Request) -> Response:
        """Make one of them a version; a worker copies its files."""
        wanted = FolderJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = tasks.request_registering(
            wanted.validated_data["folder"], wanted=wanted.wanted(), actor=acting_user(request)
        )
        return Response(ModelJobJson(job).data, status=202)


class ServersView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_server_list", responses=ServersJson)
    def get(self, request: Request) -> Response:
        """Where films may be sent, and which keys there are, by name."""
        return Response(ServersJson({"origins": settings.INFERENCE_ENDPOINTS, "keys": key_names()}).data)

    @extend_schema(
        operation_id="model_server_register",
        request=ServerJson,
        responses={201: RegisteredJson, 200: RegisteredJson},
    )
    def post(self, request: Request) -> Response:
        """Make a model that another server runs a version; 200 for one that was here already, which has this
        key file from now on."""
        wanted = ServerJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        registered = register_endpoint(
            url=said["url"],
            served_model=said["served_model"],
            key_name=said["key_name"],
            wanted=wanted.wanted(),
            actor=acting_user(request),
        )
        return Response(RegisteredJson(registered.version).data, status=201 if registered.is_new else 200)


class AskView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_ask", request=None, responses={202: ModelJobJson})
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask it about one drawn film."""
        return _checked(request, uid, ModelJob.Kind.ASK)


class CalibrateView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_calibrate", request=None, responses={202: ModelJobJson})
    def post(self, request: Request, uid: UUID) -> Response:
        """Find out on drawn films in which frame it writes its boxes."""
        return _checked(request, uid, ModelJob.Kind.CALIBRATE)


class CorrectView(APIView):
    permission_classes = [_REGISTER]

    @extend_schema(operation_id="model_correct", request=None, responses={201: RegisteredJson})
    def post(self, request: Request, uid: UUID) -> Response:
        """Register it in the frame that its calibration found."""
        corrected = register_corrected(_version(request, uid), actor=acting_user(request))
        return Response(RegisteredJson(corrected).data, status=201)


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


def _checked(request: Request, uid: UUID, kind: ModelJob.Kind) -> Response:
    version = _version(request, uid)
    job = tasks.request_check(version, kind=kind, actor=acting_user(request))
    return Response(ModelJobJson(job).data, status=202)


def _version(request: Request, uid: UUID) -> ModelVersion:
    try:
        return version_for(acting_user(request), uid)
    except ModelVersion.DoesNotExist as error:
        raise Http404("There is no such version.") from error


def _job(request: Request, uid: UUID) -> ModelJob:
    try:
        return model_job_for(acting_user(request), uid)
    except ModelJob.DoesNotExist as error:
        raise Http404("There is no such job.") from error
