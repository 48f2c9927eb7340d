"""An erasure takes the way from a frozen row to its study; the row's own words and figures stay as frozen."""

import django.db.models.deletion
from django.db import migrations, models

REFUSE = """
    RAISE EXCEPTION 'This data set is frozen. Freeze a new one from the readings of today.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_is_frozen';
"""
ERASE = f"""
CREATE OR REPLACE FUNCTION feedback_refuse_change_of_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ways text[] := ARRAY['completion_id', 'rejected_completion_id', 'step_id', 'reading_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME <> 'feedback_preferencedataset'
        AND current_setting('deepmedix.erasing', true) = 'on'
    THEN
        -- All else is as it was, and every way leads nowhere now.
        IF to_jsonb(NEW) - ways = to_jsonb(OLD) - ways AND NOT EXISTS (
            SELECT FROM jsonb_each(to_jsonb(NEW)) WHERE key = ANY(ways) AND value <> 'null')
        THEN
            RETURN NEW;
        END IF;
    END IF;
{REFUSE}END $$;
"""
KEEP = f"""
CREATE OR REPLACE FUNCTION feedback_refuse_change_of_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN{REFUSE}END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0014_kept_attempts"),
        ("reasoning", "0003_kept_attempts"),
        ("reviews", "0023_an_opened_case_keeps_its_number"),
    ]

    operations = [
        migrations.AlterField(
            model_name="datasetreading",
            name="reading",
            field=models.ForeignKey(
                help_text="null once it is erased",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reviews.reading",
            ),
        ),
        migrations.AlterField(
            model_name="expertregion",
            name="completion",
            field=models.ForeignKey(
                help_text="null once its study is erased",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reasoning.completion",
            ),
        ),
        migrations.AlterField(
            model_name="preferencelabel",
            name="completion",
            field=models.ForeignKey(
                help_text="null once its study is erased",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reasoning.completion",
            ),
        ),
        migrations.AlterField(
            model_name="preferencepair",
            name="completion",
            field=models.ForeignKey(
                help_text="null once its study is erased",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reasoning.completion",
            ),
        ),
        migrations.RunSQL(ERASE, KEEP),
    ]
