"""The JSON interface to inference: ask, look, cancel, retry."""

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.reasoning import services, tasks
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.recorded import import_recorded, read_file
from deepmedix_review.reasoning.selectors import job_for, study_inference
from deepmedix_review.reasoning.serializers import (
    InferenceJobSerializer,
    InferenceRequestSerializer,
    InferenceStateSerializer,
    RecordedRequestSerializer,
    RecordedSerializer,
    StudyInferenceSerializer,
)
from deepmedix_review.reasoning.unfinished import unfinished_of
from deepmedix_review.registry.wanted import WantedVersion
from deepmedix_review.studies.selectors import study_for


class StudyInferenceView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE), needs(Capability.VIEW_ALL_STUDIES)]

    @extend_schema(operation_id="study_inference", responses=StudyInferenceSerializer)
    def get(self, request: Request, uid: UUID) -> Response:
        """What is under way about a study, with the text and the regions that are written so far."""
        study = study_for(acting_user(request), uid)
        record_event(actor=acting_user(request), action="view_completions", subject=study)
        found = study_inference(study)
        told = {
            "jobs": found.jobs,
            "completions": [completion.uid for completion in found.completions],
        }
        context = {"unfinished": {one.job.pk: one for one in found.unfinished}}
        return Response(StudyInferenceSerializer(told, context=context).data)

    @extend_schema(
        operation_id="request_inference",
        request=InferenceRequestSerializer,
        responses={202: InferenceJobSerializer(many=True)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask the serving model about a study."""
        wanted = InferenceRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        jobs = tasks.request_inference(
            study=study_for(acting_user(request), uid),
            actor=acting_user(request),
            query=wanted.validated_data.get("query"),
            sampling=wanted.sampling(),
        )
        return Response(InferenceJobSerializer(instance=jobs, many=True).data, status=202)


class InferenceJobView(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE), needs(Capability.VIEW_ALL_STUDIES)]

    @extend_schema(operation_id="inference_job", responses=InferenceStateSerializer)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far an inference is, and what it has written so far where a person waits for it. Ask once a
        second at most; whoever is shown a text is recorded as having seen it."""
        job = _job(request, uid)
        unfinished = {one.job.pk: one for one in unfinished_of([job])}
        if unfinished:
            record_event(actor=acting_user(request), action="view_completions", subject=job.study)
        return Response(InferenceStateSerializer(job, context={"unfinished": unfinished}).data)


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


class RecordedView(APIView):
    permission_classes = [needs(Capability.REGISTER_MODELS)]

    @extend_schema(
        operation_id="recorded_completions_import",
        request=RecordedRequestSerializer,
        responses={201: RecordedSerializer, 200: RecordedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Import completions made elsewhere as a version, whole or not at all."""
        wanted = RecordedRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER) as scratch:
            file = Path(scratch) / "lines"
            file.write_text(said["lines"], "utf-8")
            read = read_file(file, called="lines", model=said["model"])
            done = None
            if not said["check"]:
                done = import_recorded(
                    file,
                    called="lines",
                    model=said["model"],
                    wanted=WantedVersion(
                        said["preset"], name=said["name"], box_frame=said.get("box_frame", "")
                    ),
                    leaves_out=said["leaves_out"],
                    actor=acting_user(request),
                )
        told = {
            "model": read.model,
            "num_matched": len(read.matched),
            "num_repeated": read.num_repeated,
            "num_new": done.num_new if done else 0,
            "unmatched": read.unmatched,
            "version": done.version.uid if done else None,
        }
        return Response(RecordedSerializer(told).data, status=201 if done else 200)
