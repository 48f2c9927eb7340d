"""The JSON interface of the reading page: one case out, each change in, and the signature."""

import uuid
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.reviews.guards import left_by_discarding, require_reader_here
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.change_serializers import (
    ANY_CHANGE,
    OpeningSerializer,
    SignatureSerializer,
    SignSerializer,
    read_change,
    read_lock,
    read_opening,
    read_signature,
)
from deepmedix_review.reviews.reading.completion_view import show_completions
from deepmedix_review.reviews.reading.conflicts import ChangedElsewhere
from deepmedix_review.reviews.reading.reporting import report_name
from deepmedix_review.reviews.reading.reveal import lock_first_read
from deepmedix_review.reviews.reading.serializers import (
    ChangeAnswerSerializer,
    ConflictSerializer,
    DiscardedSerializer,
    OpenedSerializer,
    ReadingCompletionSerializer,
    ReadingSerializer,
    RefusalSerializer,
    ReportAnswerSerializer,
    ReportSerializer,
    SignAnswerSerializer,
)
from deepmedix_review.reviews.reading.view import show_reading
from deepmedix_review.reviews.selectors import reading_for
from deepmedix_review.reviews.services import apply_change, discard_amendment, mark_opened, sign_reading
from deepmedix_review.reviews.worklist.endings import Ending, ending_after
from deepmedix_review.reviews.worklist.offers import study_to_go_on_with_after

REFUSALS = {400: RefusalSerializer, 403: RefusalSerializer, 409: RefusalSerializer}


def _ending(reading: Reading, found: Ending) -> dict[str, Any]:
    """How far the reader is in this reader study, and where else there is a case to read."""
    onward = None if found.may_take else study_to_go_on_with_after(reading)
    return {
        "study": reading.assignment.case.reader_study.title,
        "sentence": found.sentence,
        "may_take": found.may_take,
        "onward": onward
        and {
            "study": onward.title,
            "step": onward.next_step,
            "address": reverse("take-case", args=[onward.uid])
            if onward.takes_cases
            else reverse("open-reading", args=[onward.next_case]),
        },
    }


class ReadingView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]

    @extend_schema(
        operation_id="reading_retrieve",
        parameters=[
            OpenApiParameter("ahead", bool, description="made ready behind the case before it; not opened")
        ],
        responses={200: ReadingSerializer, 403: RefusalSerializer, 409: RefusalSerializer},
    )
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """One case, blinded: the film, the completions, and what the reader said so far."""
        reader = acting_user(request)
        reading = reading_for(reader, uid)
        shown = show_reading(reading)
        action = "fetch_reading_ahead" if "ahead" in request.query_params else "view_reading"
        record_event(actor=reader, action=action, subject=reading)
        return Response(ReadingSerializer(shown).data)


class ReadingCompletionsView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]

    @extend_schema(
        operation_id="reading_completions",
        responses={
            200: ReadingCompletionSerializer(many=True),
            403: RefusalSerializer,
            409: RefusalSerializer,
        },
    )
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """What was said of the film; refused until the reader's own first read is locked."""
        reader = acting_user(request)
        reading = reading_for(reader, uid)
        require_reader_here(reading)
        shown = show_completions(reading)
        record_event(actor=reader, action="view_completions", subject=reading)
        return Response(ReadingCompletionSerializer(shown, many=True).data)


class FirstReadLockView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="reading_lock_first_read",
        request=SignSerializer,
        responses={200: ReadingSerializer, **REFUSALS},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Lock the first read; the answer is the reading with its completions. The refusal names what is
        missing."""
        reader = acting_user(request)
        change_id, sop_instance_uid = read_lock(request.data)
        lock_first_read(
            reading_uid=uid, reader=reader, change_id=change_id, sop_instance_uid=sop_instance_uid
        )
        return Response(ReadingSerializer(show_reading(reading_for(reader, uid))).data)


class ReadingOpeningView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]

    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="reading_open",
        request=OpeningSerializer,
        responses={200: OpenedSerializer, **REFUSALS},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """A reading that was fetched ahead is on the screen, since `seconds_ago`. A repeat gets the first
        answer."""
        seconds_ago = read_opening(request.data)
        reader = acting_user(request)
        reading = reading_for(reader, uid)
        mark_opened(reading, reader=reader, seconds_ago=seconds_ago)
        record_event(actor=reader, action="view_reading", subject=reading)
        return Response(OpenedSerializer(reading).data)


class AmendmentDiscardView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]

    @extend_schema(
        operation_id="reading_discard", request=None, responses={200: DiscardedSerializer, **REFUSALS}
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Give up an open amendment with all that it says; the signed reading stays as it is. A repeat gets
        the first answer."""
        reader = acting_user(request)
        signed = left_by_discarding(uid, reader=reader)
        if signed is None:
            signed = discard_amendment(reading=reading_for(reader, uid), reader=reader)
        return Response(DiscardedSerializer({"amends": signed}).data)


class ReadingChangesView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="reading_change",
        request=ANY_CHANGE,
        responses={200: ChangeAnswerSerializer, **REFUSALS, 409: ConflictSerializer},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Keep one change. A repeat of its id gets the first answer and changes nothing."""
        sent = read_change(request.data)
        try:
            saved = apply_change(
                reading_uid=uid,
                reader=acting_user(request),
                change_id=sent.change_id,
                sop_instance_uid=sent.sop_instance_uid,
                change=sent.change,
                seen=sent.seen,
            )
        except ChangedElsewhere as conflict:
            answer = {"detail": str(conflict), "stored": conflict.stored}
            return Response(ConflictSerializer(answer).data, status=409)
        return Response(ChangeAnswerSerializer(saved).data)


class ReadingSignatureView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="reading_sign",
        request=SignatureSerializer,
        responses={200: SignAnswerSerializer, **REFUSALS},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Lock a complete reading; the refusal names what is missing."""
        signature = read_signature(request.data)
        reader = acting_user(request)
        signed = sign_reading(
            reading_uid=uid,
            reader=reader,
            change_id=signature.change_id,
            sop_instance_uid=signature.sop_instance_uid,
            seconds_ago=signature.seconds_ago,
        )
        following = reverse("reading", args=[signed.next_reading]) if signed.next_reading else None
        ending = None
        if following is None:
            reading = reading_for(reader, uid)
            ending = _ending(reading, ending_after(reading))
        answer = {"signed_at": signed.signed_at, "next": following, "ending": ending}
        return Response(SignAnswerSerializer(answer).data)


class NameOnFilmView(APIView):
    permission_classes = [needs(Capability.READ_CASES)]
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="reading_report_name",
        request=ReportSerializer,
        responses={200: ReportAnswerSerializer, **REFUSALS},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """A film of the case shows a name: nobody gets it until a person has looked."""
        asked = ReportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        reported = report_name(
            reading_uid=uid,
            reader=acting_user(request),
            change_id=asked.validated_data["change_id"],
            film_uid=asked.validated_data["film"],
        )
        answer = {
            "reported_at": reported.reported_at,
            "closes_case": reported.closes_case,
            "next": reverse("reading", args=[reported.next_reading]) if reported.next_reading else None,
            "ending": reported.ending and _ending(Reading.objects.get(uid=uid), reported.ending),
        }
        return Response(ReportAnswerSerializer(answer).data)
