"""Films and imports say their profile of de-identification; those that are here came in by the one there was.

The order of a patient's studies has a column of its own: a study whose profile removes dates has no other.
"""

from django.db import migrations, models

PROFILES = [
    ("research", "research"),
    ("keep-dates-shifted", "keep-dates-shifted"),
    ("keep-device", "keep-device"),
]
ORDER = "UPDATE studies_study SET order_date = study_date WHERE study_date IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [("studies", "0020_decisions_are_taken_back")]

    operations = [
        migrations.AddField(
            "importbatch",
            "profile",
            models.CharField(
                choices=PROFILES,
                default="keep-dates-shifted",
                help_text="of de-identification, by which its films come in",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "instance",
            "profile",
            models.CharField(
                choices=PROFILES,
                default="keep-dates-shifted",
                help_text="of de-identification, by which the display file was written",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "study",
            "order_date",
            models.DateField(
                help_text="shifted likewise, whatever the profile: it puts the studies of one patient in order, "
                "and is told to nobody",
                null=True,
            ),
        ),
        migrations.AlterField(
            "study",
            "study_date",
            models.DateField(
                help_text="shifted by the patient's own amount: days between studies of one patient alone are "
                "true. Null where the profile of its first film removes dates",
                null=True,
            ),
        ),
        migrations.RemoveIndex("study", "studies_stu_patient_73357c_idx"),
        migrations.AddIndex(
            "study",
            models.Index(fields=["patient_pseudonym", "order_date"], name="studies_of_a_patient_in_order"),
        ),
        migrations.RunSQL(ORDER, migrations.RunSQL.noop),
    ]
