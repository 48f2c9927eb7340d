"""Rules say how long studies are kept, and single studies are kept longer; studies are found by arrival."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0022_text_is_masked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Keeping",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ends_at", models.DateTimeField(help_text="the midnight (UTC) after its last day")),
                ("because", models.CharField(help_text="why, in words, without names", max_length=300)),
                (
                    "ended_at",
                    models.DateTimeField(
                        help_text="when an admin ended it, or put another in its place", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionRule",
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
                    "of",
                    models.CharField(
                        choices=[
                            ("every", "every study"),
                            ("came_by", "studies that came in one way"),
                            ("data_set", "studies of one published data set"),
                            ("profile", "studies de-identified by one profile"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        help_text="which way, uid of the data set, or name of the profile",
                        max_length=40,
                    ),
                ),
                ("keep_days", models.PositiveIntegerField()),
                (
                    "because",
                    models.CharField(help_text="why, in words; each erasure by it says them", max_length=300),
                ),
                ("is_on", models.BooleanField(default=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="study",
            index=models.Index(fields=["created_at"], name="studies_by_arrival"),
        ),
        migrations.AddField(
            model_name="keeping",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="keeping",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="keepings", to="studies.study"
            ),
        ),
        migrations.AddField(
            model_name="retentionrule",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="keeping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("study",),
                name="a_study_is_kept_longer_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="keeping",
            constraint=models.CheckConstraint(
                condition=models.Q(("because", ""), _negated=True), name="a_keeping_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("keep_days__gte", 1), ("keep_days__lte", 36500)),
                name="a_rule_keeps_for_a_day_at_least",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("because", ""), _negated=True), name="a_rule_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("of", "every"), ("value", "")),
                    models.Q(
                        models.Q(("of", "every"), _negated=True), models.Q(("value", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="a_rule_names_whose_studies_it_is_of",
            ),
        ),
    ]
