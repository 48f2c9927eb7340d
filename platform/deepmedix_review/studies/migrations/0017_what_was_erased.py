"""What was erased is known by a key alone; an erasure takes a study out of frozen versions."""

from django.db import migrations, models

GAPS = """
CREATE OR REPLACE FUNCTION studies_refuse_gaps_in_frozen_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {erased}IF EXISTS (SELECT 1 FROM (SELECT DISTINCT version_id FROM gone) touched
               WHERE EXISTS (SELECT 1 FROM studies_collectionmember member
                             WHERE member.version_id = touched.version_id)) THEN
        RAISE EXCEPTION 'This version is frozen: it goes whole or stays as it is.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_frozen_version_stays_as_it_is';
    END IF;
    RETURN NULL;
END $$;
"""
ERASED = """IF current_setting('deepmedix.erasing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    """


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0016_kept_attempts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("study", "Study"), ("patient", "Patient"), ("picture", "Picture")],
                        max_length=7,
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                (
                    "erasure",
                    models.UUIDField(db_index=True, help_text="uid of the erasure that it is kept out by"),
                ),
                ("erased_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="what_was_erased_is_kept_out_once")
                ],
            },
        ),
        migrations.RunSQL(GAPS.format(erased=ERASED), GAPS.format(erased="")),
    ]
