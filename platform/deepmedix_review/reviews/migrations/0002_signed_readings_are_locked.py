"""What a reader signed is locked by the database itself, whatever the code above it does."""

from django.db import migrations

PARTS = ("steprating", "regionannotation", "answerrating", "vote", "readingchange")

LOCK = """
CREATE FUNCTION reviews_refuse_change_of_signed_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'This reading is signed and locked. Amend it to change it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_signed_reading_is_locked';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER a_signed_reading_is_locked BEFORE UPDATE OR DELETE ON reviews_reading
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_change_of_signed_reading();

-- FOR SHARE waits for a signature under way, so that nothing slips in beside it.
CREATE FUNCTION reviews_refuse_change_in_signed_reading() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    readings bigint[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.reading_id]
        WHEN 'DELETE' THEN ARRAY[OLD.reading_id]
        ELSE ARRAY[OLD.reading_id, NEW.reading_id] END;
BEGIN
    PERFORM 1 FROM reviews_reading WHERE id = ANY(readings) FOR SHARE;
    IF EXISTS (SELECT 1 FROM reviews_reading WHERE id = ANY(readings) AND signed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This reading is signed and locked. Amend it to change it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_signed_reading_is_locked';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER a_signed_reading_is_locked BEFORE INSERT OR UPDATE OR DELETE ON reviews_{part}
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_change_in_signed_reading();
"""
    for part in PARTS
)

UNLOCK = (
    "".join(f"DROP TRIGGER a_signed_reading_is_locked ON reviews_{table};\n" for table in ("reading", *PARTS))
    + """
DROP FUNCTION reviews_refuse_change_of_signed_reading();
DROP FUNCTION reviews_refuse_change_in_signed_reading();
"""
)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]
    operations = [migrations.RunSQL(LOCK, UNLOCK)]
