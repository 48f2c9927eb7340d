"""Events that name many films are found by each of them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.AddIndex(
            "auditevent",
            GinIndex(
                fields=["details"],
                opclasses=["jsonb_path_ops"],
                condition=Q(action="view_pictures"),
                name="films_of_picture_views",
            ),
        ),
    ]
