import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
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
                    "kind",
                    models.CharField(
                        choices=[("study", "one study"), ("patient", "all studies of a patient")],
                        max_length=7,
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("withdrawn", "the patient asked, or withdrew consent"),
                            ("retention", "it may be kept no longer"),
                            ("agreement", "its agreement has ended"),
                            ("identity", "it tells who the patient is"),
                            ("mistake", "it came in by mistake"),
                            ("other", "another reason"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "note",
                    models.CharField(blank=True, help_text="why, in words, without names", max_length=300),
                ),
                (
                    "patient_pseudonym",
                    models.CharField(
                        blank=True,
                        help_text="of whom all goes; empty once it is gone, and for one study",
                        max_length=16,
                    ),
                ),
                ("found", models.JSONField(default=dict)),
                ("gone", models.JSONField(default=dict)),
                (
                    "erased_at",
                    models.DateTimeField(help_text="when its rows went, all of them together", null=True),
                ),
                (
                    "num_files",
                    models.PositiveIntegerField(
                        default=0, help_text="files and folders to be deleted, in all"
                    ),
                ),
                ("let_in_at", models.DateTimeField(help_text="since then it may come in again", null=True)),
                (
                    "let_in_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
        ),
        migrations.CreateModel(
            name="ErasedStudy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("study_uid", models.UUIDField(db_index=True)),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="studies",
                        to="erasure.erasure",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "erased studies",
            },
        ),
        migrations.CreateModel(
            name="FileToDelete",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "folder",
                    models.CharField(
                        choices=[
                            ("films", "films and their small pictures"),
                            ("archives", "archives that were kept to be tried again"),
                            ("runs", "what training runs learned from, as files"),
                            ("cluster", "the same on storage shared with a cluster"),
                        ],
                        max_length=8,
                    ),
                ),
                ("path", models.CharField(help_text="below the folder", max_length=300)),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="erasure.erasure",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "files to delete",
            },
        ),
        migrations.CreateModel(
            name="NamedUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reader_study", "reader study"),
                            ("collection", "collection"),
                            ("data_set", "frozen data set"),
                            ("training_run", "training run"),
                            ("model", "model version"),
                            ("bundle", "bundle for a cluster"),
                            ("export", "export"),
                        ],
                        max_length=12,
                    ),
                ),
                ("uid", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("said", models.CharField(help_text="how it used it, a sentence", max_length=300)),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="erasure.erasure"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "done"), _negated=True),
                    models.Q(("erased_at__isnull", False), ("patient_pseudonym", "")),
                    _connector="OR",
                ),
                name="a_done_erasure_names_no_patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "cancelled"), _negated=True),
                    ("erased_at__isnull", True),
                    _connector="OR",
                ),
                name="no_erasure_is_cancelled_once_its_rows_are_gone",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasedstudy",
            constraint=models.UniqueConstraint(
                fields=("erasure", "study_uid"), name="a_study_is_erased_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="nameduse",
            constraint=models.UniqueConstraint(fields=("erasure", "kind", "uid"), name="a_use_is_named_once"),
        ),
    ]
