"""The JSON interface of data sets, training runs and models."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.feedback.datasets.choosing import Wanted
from deepmedix_review.feedback.gating.measuring import request_gate_beside_serving
from deepmedix_review.feedback.gating.promoting import promote_candidate
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.selectors import dataset_for, datasets, run_for
from deepmedix_review.feedback.serializers import (
    DatasetPageJson,
    FreezeJson,
    ModelJson,
    RefusalJson,
    RunJson,
    SignatureJson,
    TrainJson,
    WholeDatasetJson,
)
from deepmedix_review.feedback.services import (
    cancel_training,
    freeze_dataset,
    retire_candidate,
)
from deepmedix_review.feedback.tasks import request_training, request_training_retry
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions

REFUSALS = {403: RefusalJson, 404: RefusalJson, 409: RefusalJson}
PAGE_SIZE = 50
_VIEW = needs(Capability.VIEW_MODELS)
_FREEZE = needs(Capability.FREEZE_DATASETS)
_TRAIN = needs(Capability.TRAIN_MODELS)
_PROMOTE = needs(Capability.PROMOTE_MODELS)


class DatasetsView(APIView):
    def get_permissions(self) -> list[BasePermission]:
        return [_FREEZE() if self.request.method == "POST" else _VIEW()]

    @extend_schema(
        operation_id="dataset_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: DatasetPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = page_of(datasets(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(DatasetPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="dataset_freeze", request=FreezeJson, responses={201: WholeDatasetJson, **REFUSALS}
    )
    def post(self, request: Request) -> Response:
        """Freeze every reading signed by now, or those of some reader studies, without some readers."""
        wanted = FreezeJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        studies = asked.get("reader_studies")
        dataset = freeze_dataset(
            title=asked["title"],
            actor=acting_user(request),
            wanted=Wanted(
                reader_studies=None if studies is None else frozenset(map(str, studies)),
                left_out_readers=asked.get("left_out_readers", {}),
            ),
        )
        return Response(WholeDatasetJson(dataset).data, status=201)


class DatasetView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="dataset_retrieve", responses={200: WholeDatasetJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        dataset = dataset_for(acting_user(request), uid)
        record_event(actor=acting_user(request), action="view_dataset", subject=dataset)
        return Response(WholeDatasetJson(dataset).data)


class TrainingRunsView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="training_request", request=TrainJson, responses={202: RunJson, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Train from the serving model on a frozen data set; the candidate goes before the gate."""
        wanted = TrainJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        dataset = dataset_for(acting_user(request), wanted.validated_data["dataset"])
        run = request_training(
            dataset=dataset,
            actor=acting_user(request),
            recipe=wanted.validated_data.get("recipe"),
            placement=wanted.validated_data.get("placement"),
        )
        return Response(RunJson(run).data, status=202)


class TrainingRunView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="training_run_retrieve", responses={200: RunJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(RunJson(run_for(acting_user(request), uid)).data)


class CancelView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="training_run_cancel", request=None, responses={200: RunJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """A running one ends at its next step."""
        run = run_for(acting_user(request), uid)
        cancel_training(run, actor=acting_user(request))
        return _fresh(run)


class RetryView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="training_run_retry", request=None, responses={200: RunJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """A failed or cancelled run goes on from its last checkpoint."""
        run = run_for(acting_user(request), uid)
        request_training_retry(run, actor=acting_user(request))
        return _fresh(run)


class ModelsView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="model_list", responses={200: ModelJson(many=True), **REFUSALS})
    def get(self, request: Request) -> Response:
        rows = versions().prefetch_related("gate_decisions__parent")
        return Response(ModelJson(rows, many=True).data)


class ModelView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="model_retrieve", responses={200: ModelJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        version = _version(uid)
        record_event(actor=acting_user(request), action="view_model", subject=version)
        return Response(ModelJson(version).data)


class PromoteView(APIView):
    permission_classes = [_PROMOTE]

    @extend_schema(
        operation_id="model_promote", request=SignatureJson, responses={200: ModelJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Only a version that passed the gate beside the one that serves, by a signature."""
        candidate = _version(uid)
        signature = SignatureJson(data=request.data)
        signature.is_valid(raise_exception=True)
        promote_candidate(candidate, actor=acting_user(request), **signature.validated_data)
        return Response(ModelJson(_version(uid)).data)


class MeasureView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="model_measure", request=None, responses={202: ModelJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """Have any version that can answer measured by the gate, beside the one that serves."""
        request_gate_beside_serving(_version(uid), actor=acting_user(request))
        return Response(ModelJson(_version(uid)).data, status=202)


class RetireView(APIView):
    permission_classes = [_PROMOTE]

    @extend_schema(operation_id="model_retire", request=None, responses={200: ModelJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """A candidate that shall never serve."""
        retire_candidate(_version(uid), actor=acting_user(request))
        return Response(ModelJson(_version(uid)).data)


def _version(uid: UUID) -> ModelVersion:
    return get_object_or_404(versions(), uid=uid)


def _fresh(run: TrainingRun) -> Response:
    run.refresh_from_db()
    return Response(RunJson(run).data)
