"""Rows of a data set rest on several readings, and say how sure they are and on which side their patient is."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0003_runs_follow_recipes"),
        ("reasoning", "0002_an_altered_completion_names_its_original"),
        ("reviews", "0010_tell_readers_of_moved_cases"),
    ]

    operations = [
        migrations.AddField(
            model_name="preferencedataset",
            name="disputes",
            field=models.JSONField(default=list, help_text="on what readers contradict each other"),
        ),
        migrations.AddField(
            model_name="preferencedataset",
            name="num_regions",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="preferencedataset",
            name="readers",
            field=models.JSONField(default=dict, help_text="rl_feedback.preferences.Readers as JSON"),
        ),
        migrations.AddField(
            model_name="preferencelabel",
            name="num_effective_readers",
            field=models.FloatField(default=1.0),
        ),
        migrations.AddField(
            model_name="preferencelabel",
            name="num_readers",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="preferencelabel",
            name="readings",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="preferencelabel",
            name="split",
            field=models.CharField(
                choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")],
                default="train",
                max_length=5,
            ),
        ),
        migrations.AddField(
            model_name="preferencelabel",
            name="variance",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="num_effective_readers",
            field=models.FloatField(default=1.0),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="num_readers",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="prefix",
            field=models.TextField(
                blank=True, help_text="what stands before both texts; empty for whole ones"
            ),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="probability",
            field=models.FloatField(default=1.0, help_text="that the chosen is the better one"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="readings",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="rejected_completion",
            field=models.ForeignKey(
                help_text="null where frozen before",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reasoning.completion",
            ),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="split",
            field=models.CharField(
                choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")],
                default="train",
                max_length=5,
            ),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="step",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reasoning.reasoningstep",
            ),
        ),
        migrations.AddField(
            model_name="preferencepair",
            name="variance",
            field=models.FloatField(null=True),
        ),
        migrations.AlterField(
            model_name="preferencedataset",
            name="sha256",
            field=models.CharField(help_text="of its canonical JSON lines", max_length=64),
        ),
        migrations.AlterField(
            model_name="preferencepair",
            name="completion",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reasoning.completion"
            ),
        ),
        migrations.AlterField(
            model_name="preferencepair",
            name="origin",
            field=models.CharField(
                choices=[
                    ("vote", "Vote"),
                    ("rating", "Rating"),
                    ("rewrite", "Rewrite"),
                    ("region", "Region"),
                    ("step", "Step"),
                ],
                max_length=7,
            ),
        ),
        migrations.CreateModel(
            name="DatasetReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                (
                    "split",
                    models.CharField(
                        choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")], max_length=5
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="feedback.preferencedataset",
                    ),
                ),
                (
                    "reading",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.reading"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "position"), name="one_reading_per_position"),
                    models.UniqueConstraint(fields=("dataset", "reading"), name="a_reading_is_frozen_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExpertRegion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("num_readers", models.PositiveSmallIntegerField(default=1)),
                (
                    "split",
                    models.CharField(
                        choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")],
                        default="train",
                        max_length=5,
                    ),
                ),
                (
                    "readings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("text", models.TextField()),
                ("x_min", models.FloatField()),
                ("y_min", models.FloatField()),
                ("x_max", models.FloatField()),
                ("y_max", models.FloatField()),
                (
                    "tolerance",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), null=True, size=4
                    ),
                ),
                ("is_models_own", models.BooleanField(help_text="it stands as the model drew it")),
                (
                    "completion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reasoning.completion",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regions",
                        to="feedback.preferencedataset",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reasoning.reasoningstep",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "position"), name="one_expert_region_per_position"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("x_min__lt", models.F("x_max")), ("y_min__lt", models.F("y_max"))
                        ),
                        name="an_expert_region_has_an_area",
                    ),
                ],
            },
        ),
    ]
