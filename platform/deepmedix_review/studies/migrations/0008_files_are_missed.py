"""A film whose file is gone says since when, so that its cases wait and an admin sees it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("studies", "0007_ticks_are_kept")]

    operations = [
        migrations.AddField(
            "instance",
            "file_missed_at",
            models.DateTimeField(
                null=True,
                help_text="when the display file was first not found or readable; null while it is there",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["series"],
                condition=Q(file_missed_at__isnull=False),
                name="films_whose_file_is_missed",
            ),
        ),
    ]
