"""The JSON interface to inference workers, to be looked at."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.reasoning.workers.selectors import workers
from deepmedix_review.reasoning.workers.serializers import WorkerSerializer


class WorkersView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE)]

    @extend_schema(operation_id="list_inference_workers", responses=WorkerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Those that are there by their names, then those that left within the hour, the last first."""
        return Response(WorkerSerializer(workers(), many=True).data)
