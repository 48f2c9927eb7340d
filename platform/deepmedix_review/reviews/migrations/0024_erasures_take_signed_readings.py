"""What readers signed stays locked against everything but the erasure of its study."""

from django.db import migrations

ERASED = """IF TG_OP = 'DELETE' AND current_setting('deepmedix.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    """
# As it was before: what 0022 lets go of an open amendment.
THE_COPY_GOES = """IF TG_OP = 'DELETE' THEN
        IF EXISTS (
            SELECT 1 FROM reviews_reading
            WHERE id = OLD.reading_id AND amends_id IS NOT NULL AND signed_at IS NULL
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    """
LOCKS = """
CREATE OR REPLACE FUNCTION reviews_refuse_change_of_signed_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {erased}IF OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'This reading is signed and locked. Amend it to change it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_signed_reading_is_locked';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION reviews_refuse_change_in_signed_reading() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    readings bigint[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.reading_id]
        WHEN 'DELETE' THEN ARRAY[OLD.reading_id]
        ELSE ARRAY[OLD.reading_id, NEW.reading_id] END;
BEGIN
    {erased}PERFORM 1 FROM reviews_reading WHERE id = ANY(readings) FOR SHARE;
    IF EXISTS (SELECT 1 FROM reviews_reading WHERE id = ANY(readings) AND signed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This reading is signed and locked. Amend it to change it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_signed_reading_is_locked';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION reviews_refuse_change_of_locked_first_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {erased}{copy}IF OLD.locked_at IS NOT NULL AND NOT OLD.is_after_reveal THEN
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
    {erased}{copy}IF EXISTS (
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
    dependencies = [("reviews", "0023_an_opened_case_keeps_its_number")]
    operations = [
        migrations.RunSQL(
            LOCKS.format(erased=ERASED, copy=THE_COPY_GOES), LOCKS.format(erased="", copy=THE_COPY_GOES)
        )
    ]
