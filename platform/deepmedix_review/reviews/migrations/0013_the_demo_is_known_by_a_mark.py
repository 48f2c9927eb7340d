"""The demo is known by a mark of its own: anybody can give a reader study its title."""

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef, Q

TITLE = "Demo: drawn films"


def mark_demo(apps: Any, _schema_editor: Any) -> None:
    """The first of that title whose films were all drawn by the platform."""
    reader_studies = apps.get_model("reviews", "ReaderStudy").objects
    cases = apps.get_model("reviews", "Case").objects.filter(reader_study=OuterRef("pk"))
    drawn = reader_studies.filter(
        Exists(cases), ~Exists(cases.filter(study__is_phantom=False)), title=TITLE
    ).order_by("pk")
    reader_studies.filter(pk__in=list(drawn.values_list("pk", flat=True)[:1])).update(is_demo=True)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0012_a_reader_keeps_the_films_look")]

    operations = [
        migrations.AddField(
            "readerstudy",
            "is_demo",
            models.BooleanField(
                default=False,
                editable=False,
                help_text="made by load_demo: its readings are tried out, not read",
            ),
        ),
        migrations.RunPython(mark_demo, migrations.RunPython.noop),
        migrations.AddConstraint(
            "readerstudy",
            models.UniqueConstraint(condition=Q(is_demo=True), fields=("is_demo",), name="there_is_one_demo"),
        ),
    ]
