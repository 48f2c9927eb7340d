"""The JSON of a worker."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deepmedix_review.reasoning.workers.selectors import Seen

STATES = ("at work", "idle", "can't generate", "draining", "gone", "lost")


class WorkerSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField(source="worker.uid")
    name = serializers.CharField(source="worker.name", help_text="INFERENCE-WORKER@MACHINE")
    state = serializers.ChoiceField(choices=STATES, help_text="lost: gone without a word")
    model = serializers.SerializerMethodField(
        help_text="v1, v2 …: which it answered with last; null before the first"
    )
    num_running = serializers.IntegerField(source="worker.num_running")
    num_answered = serializers.IntegerField(source="worker.num_answered", help_text="since it started")
    num_remembered = serializers.IntegerField(
        source="worker.num_remembered",
        help_text="of these, without looking at the film again: what the model made of it was still there",
    )
    problem = serializers.CharField(
        source="worker.problem", help_text="which versions it can't run and why, in sentences; else empty"
    )
    started_at = serializers.DateTimeField(source="worker.created_at")
    seen_at = serializers.DateTimeField(source="worker.seen_at")
    drains_until = serializers.DateTimeField(source="worker.drains_until", allow_null=True)
    ended_at = serializers.DateTimeField(source="worker.ended_at", allow_null=True)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_model(self, seen: Seen) -> str | None:
        return str(seen.worker.model_version) if seen.worker.model_version else None
