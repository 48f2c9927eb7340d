"""What may be kept no longer is erased together, once an admin has said so."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("erasure", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                (
                    "kept_attempt",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="the last attempt of which something is kept that the next need not do again",
                    ),
                ),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested", models.BooleanField(default=False)),
                (
                    "error",
                    models.TextField(blank=True, help_text="why it failed, in a sentence for a person"),
                ),
                ("as_of", models.DateTimeField(help_text="due by this moment")),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "retention batches",
            },
        ),
        migrations.CreateModel(
            name="BatchedStudy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("study_uid", models.UUIDField()),
                ("due_at", models.DateTimeField()),
                ("because", models.CharField(help_text="as the rule said it", max_length=300)),
                ("said", models.TextField(blank=True)),
                (
                    "erasure",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="erasure.erasure",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="studies",
                        to="erasure.retentionbatch",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batched studies",
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "study_uid"), name="a_study_is_in_a_batch_once"),
                    models.CheckConstraint(
                        condition=models.Q(("erasure__isnull", True), ("said", ""), _connector="OR"),
                        name="what_is_erased_has_no_hindrance",
                    ),
                ],
            },
        ),
    ]
