"""A study waits as unseen until a person has looked whether a name is written on its films."""

from typing import Any

from django.db import migrations, models


def let_look(apps: Any, _schema_editor: Any) -> None:
    """Nobody has looked at what came in before, but at drawn films, and at held ones that were accepted."""
    studies = apps.get_model("studies", "Study").objects
    studies.filter(state="ready", is_phantom=False, held_reasons=[]).update(state="unseen")


def let_in(apps: Any, _schema_editor: Any) -> None:
    """The state is unknown to what came before: on hold, nobody gets them."""
    reasons = ["Nobody has looked whether a name is written on it."]
    apps.get_model("studies", "Study").objects.filter(state="unseen").update(
        state="held", held_reasons=reasons
    )


class Migration(migrations.Migration):
    dependencies = [("studies", "0004_collections")]

    operations = [
        migrations.AlterField(
            "study",
            "state",
            models.CharField(
                choices=[
                    ("ready", "Ready"),
                    ("unseen", "Unseen"),
                    ("held", "Held"),
                    ("rejected", "Rejected"),
                ],
                default="ready",
                max_length=8,
            ),
        ),
        migrations.RunPython(let_look, let_in),
    ]
