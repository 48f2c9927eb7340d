"""What a reader said before the reveal stays as it was said, whatever the code above the database does."""

from django.db import migrations

LOCK = """
CREATE FUNCTION reviews_refuse_change_of_locked_first_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.locked_at IS NOT NULL AND NOT OLD.is_after_reveal THEN
        RAISE EXCEPTION 'This first read is locked. Say what you think now as a change of mind.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_locked_first_read_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER a_locked_first_read_stays BEFORE UPDATE OR DELETE ON reviews_firstread
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_change_of_locked_first_read();

-- A region of the first read is part of it.
CREATE FUNCTION reviews_refuse_region_of_locked_first_read() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first_reads bigint[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.first_read_id]
        WHEN 'DELETE' THEN ARRAY[OLD.first_read_id]
        ELSE ARRAY[OLD.first_read_id, NEW.first_read_id] END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM reviews_firstread
        WHERE id = ANY(first_reads) AND locked_at IS NOT NULL AND NOT is_after_reveal
    ) THEN
        RAISE EXCEPTION 'This first read is locked. Say what you think now as a change of mind.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_locked_first_read_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER a_locked_first_read_stays BEFORE INSERT OR UPDATE OR DELETE ON reviews_drawnregion
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_region_of_locked_first_read();
"""
UNLOCK = """
DROP TRIGGER a_locked_first_read_stays ON reviews_drawnregion;
DROP TRIGGER a_locked_first_read_stays ON reviews_firstread;
DROP FUNCTION reviews_refuse_region_of_locked_first_read();
DROP FUNCTION reviews_refuse_change_of_locked_first_read();
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0005_how_completions_are_shown_controls_and_pools")]
    operations = [migrations.RunSQL(LOCK, UNLOCK)]
