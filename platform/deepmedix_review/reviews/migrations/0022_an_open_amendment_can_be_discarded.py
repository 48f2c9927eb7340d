"""A locked first read stays, save the copy in an open amendment, which goes with the amendment."""

from django.db import migrations

# The original is in the signed reading, which nothing changes.
LET_THE_COPY_GO = """
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (
            SELECT 1 FROM reviews_reading
            WHERE id = OLD.reading_id AND amends_id IS NOT NULL AND signed_at IS NULL
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
"""

FUNCTIONS = """
CREATE OR REPLACE FUNCTION reviews_refuse_change_of_locked_first_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {exception}
    IF OLD.locked_at IS NOT NULL AND NOT OLD.is_after_reveal THEN
        RAISE EXCEPTION 'This first read is locked. Say what you think now as a change of mind.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_locked_first_read_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION reviews_refuse_region_of_locked_first_read() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first_reads bigint[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.first_read_id]
        WHEN 'DELETE' THEN ARRAY[OLD.first_read_id]
        ELSE ARRAY[OLD.first_read_id, NEW.first_read_id] END;
BEGIN
    {exception}
    IF EXISTS (
        SELECT 1 FROM reviews_firstread
        WHERE id = ANY(first_reads) AND locked_at IS NOT NULL AND NOT is_after_reveal
    ) THEN
        RAISE EXCEPTION 'This first read is locked. Say what you think now as a change of mind.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_locked_first_read_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0021_pairs_that_were_left_out_are_counted")]
    operations = [
        migrations.RunSQL(FUNCTIONS.format(exception=LET_THE_COPY_GO), FUNCTIONS.format(exception=""))
    ]
