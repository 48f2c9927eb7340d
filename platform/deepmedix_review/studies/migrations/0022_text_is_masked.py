import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0021_profiles_are_named"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="instance",
            name="masked_at",
            field=models.DateTimeField(
                help_text="when text in its pixels was last overwritten; null where none was", null=True
            ),
        ),
        migrations.CreateModel(
            name="MaskedPicture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("pixel_sha256", models.CharField(db_index=True, max_length=64)),
                (
                    "film",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="masked_pictures",
                        to="studies.instance",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("film", "pixel_sha256"), name="a_masked_picture_is_known_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TextMasking",
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
                (
                    "boxes",
                    models.JSONField(
                        help_text="each x_min, y_min, x_max, y_max: whole pixels, the last two behind its last column and row"
                    ),
                ),
                ("is_to_accept", models.BooleanField(help_text="its study is accepted once it is done")),
                (
                    "newest_film",
                    models.BigIntegerField(
                        help_text="primary key of the study's newest film when it was asked for: what came later nobody has looked at"
                    ),
                ),
                (
                    "written_path",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="of the file that it writes, below settings.FILM_FOLDER, told before it is there; empty where it ended without, and nothing of it is left",
                        max_length=200,
                    ),
                ),
                (
                    "original_path",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="of the file before it; empty once that is deleted",
                        max_length=200,
                    ),
                ),
                (
                    "outcome",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="why its study was not accepted, in a sentence for a person",
                    ),
                ),
                (
                    "film",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="maskings",
                        to="studies.instance",
                    ),
                ),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            models.Q(("original_path", ""), _negated=True),
                            ("state__in", ("queued", "running")),
                            _connector="OR",
                        ),
                        fields=["state"],
                        name="maskings_not_done_with",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=("film",),
                        name="text_on_a_film_is_masked_once_at_a_time",
                    )
                ],
            },
        ),
    ]
