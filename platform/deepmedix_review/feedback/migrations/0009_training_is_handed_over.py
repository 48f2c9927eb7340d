"""What left for a cluster, and the run on it once a model came back."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0008_policies_and_signatures"),
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HandOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sha256", models.CharField(help_text="of the bundle's manifest", max_length=64)),
                ("reward", models.CharField(help_text="one of rl_feedback.bundle.REWARDS", max_length=8)),
                ("num_train", models.PositiveIntegerField()),
                ("num_validation", models.PositiveIntegerField()),
                ("metrics", models.JSONField(default=dict, help_text="what came back with the model")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hand_overs",
                        to="feedback.preferencedataset",
                    ),
                ),
                (
                    "parent_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        help_text="once returned",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hand_over",
                        to="feedback.trainingrun",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
