"""Who saw a name on a film stands with its study at once, and who looked when, as far as the record tells."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

_LOOKED = """
UPDATE studies_study SET looked_at = look.at, looked_by_id = look.actor_id
FROM (
  SELECT DISTINCT ON (subject_uid) subject_uid, at, actor_id FROM audit_auditevent
  WHERE subject_type = 'Study' AND action IN ('look_at_study', 'accept_study')
  ORDER BY subject_uid, sequence DESC) AS look
WHERE studies_study.state = 'ready' AND studies_study.uid = look.subject_uid::uuid"""


def _who() -> models.Field:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
    )


class Migration(migrations.Migration):
    # Rows are filled between two changes of their table, which one transaction would refuse.
    atomic = False

    dependencies = [
        ("studies", "0006_readers_see_names"),
        ("audit", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "study",
            "name_seen_at",
            models.DateTimeField(
                null=True,
                help_text="ticked on the sheet: a name is written on it; until unticked nothing lets it in",
            ),
        ),
        migrations.AddField("study", "name_seen_by", _who()),
        migrations.AddField(
            "study",
            "looked_at",
            models.DateTimeField(null=True, help_text="when a person last looked for names on its films"),
        ),
        migrations.AddField("study", "looked_by", _who()),
        migrations.RunSQL(_LOOKED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "study",
            models.CheckConstraint(
                condition=Q(name_seen_at__isnull=True) | Q(state="unseen"),
                name="no_study_with_a_name_ticked_on_it_is_let_in",
            ),
        ),
    ]
