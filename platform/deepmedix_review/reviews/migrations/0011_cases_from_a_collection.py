"""A reader study says from which version of a collection, and from which side of it, its cases were taken."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0010_tell_readers_of_moved_cases"),
        ("studies", "0004_collections"),
    ]

    operations = [
        migrations.AddField(
            model_name="readerstudy",
            name="collection_most",
            field=models.PositiveIntegerField(
                help_text="so many of them, drawn by the seed; None takes all", null=True
            ),
        ),
        migrations.AddField(
            model_name="readerstudy",
            name="collection_split",
            field=models.CharField(
                blank=True,
                choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")],
                help_text="empty: of every side",
                max_length=5,
            ),
        ),
        migrations.AddField(
            model_name="readerstudy",
            name="collection_version",
            field=models.ForeignKey(
                help_text="from which its cases were taken; None where they were chosen otherwise",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reader_studies",
                to="studies.collectionversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="readerstudy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("collection_version__isnull", False),
                    models.Q(("collection_most__isnull", True), ("collection_split", "")),
                    _connector="OR",
                ),
                name="only_of_a_collection_is_a_side_taken",
            ),
        ),
    ]
