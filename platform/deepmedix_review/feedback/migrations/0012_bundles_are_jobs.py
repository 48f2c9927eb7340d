"""Workers write bundles and take models back."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0011_runs_name_their_engine"),
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelReturn",
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
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested", models.BooleanField(default=False)),
                (
                    "error",
                    models.TextField(blank=True, help_text="why it failed, in a sentence for a person"),
                ),
                (
                    "folder",
                    models.CharField(help_text="its name in the folder of what came back", max_length=255),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="handover",
            name="archive_bytes",
            field=models.PositiveBigIntegerField(help_text="null where none lies here", null=True),
        ),
        migrations.AddField(
            model_name="handover",
            name="attempt",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="handover",
            name="cancel_requested",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="handover",
            name="error",
            field=models.TextField(blank=True, help_text="why it failed, in a sentence for a person"),
        ),
        migrations.AddField(
            model_name="handover",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="handover",
            name="heartbeat_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="handover",
            name="lease_expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="handover",
            name="num_written",
            field=models.PositiveIntegerField(default=0, help_text="films so far, of both sides"),
        ),
        migrations.AddField(
            model_name="handover",
            name="started_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        # Those that were written before are done.
        migrations.AddField(
            model_name="handover",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("cancelled", "Cancelled"),
                ],
                default="done",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="handover",
            name="state",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="handover",
            name="sha256",
            field=models.CharField(
                blank=True, help_text="of the bundle's manifest, once written", max_length=64
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "done"), _negated=True),
                    models.Q(("sha256", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_written_bundle_has_its_sha256",
            ),
        ),
        migrations.AddField(
            model_name="modelreturn",
            name="candidate",
            field=models.OneToOneField(
                help_text="once taken back",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.modelversion",
            ),
        ),
        migrations.AddField(
            model_name="modelreturn",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
