"""What a search over DICOMweb must answer of a film is kept in its row, so that no search reads files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studies", "0009_picture_views")]

    operations = [
        migrations.AddField("instance", "bits_allocated", models.PositiveSmallIntegerField(default=16)),
        migrations.AddField(
            "instance",
            "sop_class_uid",
            models.CharField(blank=True, default="", help_text="of the display file", max_length=64),
        ),
        migrations.AddField(
            "study",
            "patient_sex",
            models.CharField(blank=True, default="", help_text="as its first film says", max_length=16),
        ),
        migrations.AddIndex("study", models.Index(fields=["study_date"], name="studies_by_date")),
        migrations.AddIndex("study", models.Index(fields=["patient_sex", "-id"], name="studies_by_sex")),
        migrations.AddIndex("instance", models.Index(fields=["sop_class_uid"], name="films_by_class")),
    ]
