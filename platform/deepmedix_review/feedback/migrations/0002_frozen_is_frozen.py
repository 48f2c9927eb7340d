"""A frozen data set is closed by the database itself: no row changes, goes, or is added later."""

from django.db import migrations

PARTS = ("preferencepair", "preferencelabel")
COUNTS = {"preferencepair": "num_pairs", "preferencelabel": "num_labels"}

FREEZE = (
    """
CREATE FUNCTION feedback_refuse_change_of_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'This data set is frozen. Freeze a new one from the readings of today.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_is_frozen';
END $$;

-- Positions are unique and run from 1 to the number that was fixed at the freeze, so a full set takes no more.
CREATE FUNCTION feedback_refuse_addition_to_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fixed integer;
BEGIN
    EXECUTE format('SELECT %I FROM feedback_preferencedataset WHERE id = $1', TG_ARGV[0]) INTO fixed USING NEW.dataset_id;
    IF NEW.position < 1 OR NEW.position > fixed THEN
        RAISE EXCEPTION 'This data set is frozen. Freeze a new one from the readings of today.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_is_frozen';
    END IF;
    RETURN NEW;
END $$;
"""
    + "".join(
        f"""
CREATE TRIGGER frozen_is_frozen BEFORE UPDATE OR DELETE ON feedback_{table}
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_change_of_frozen();
CREATE TRIGGER frozen_is_not_emptied BEFORE TRUNCATE ON feedback_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION feedback_refuse_change_of_frozen();
"""
        for table in ("preferencedataset", *PARTS)
    )
    + "".join(
        f"""
CREATE TRIGGER frozen_takes_no_more BEFORE INSERT ON feedback_{table}
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_addition_to_frozen('{COUNTS[table]}');
"""
        for table in PARTS
    )
)

THAW = (
    "".join(
        f"DROP TRIGGER frozen_is_frozen ON feedback_{table};\nDROP TRIGGER frozen_is_not_emptied ON feedback_{table};\n"
        for table in ("preferencedataset", *PARTS)
    )
    + "".join(f"DROP TRIGGER frozen_takes_no_more ON feedback_{table};\n" for table in PARTS)
    + "DROP FUNCTION feedback_refuse_change_of_frozen();\nDROP FUNCTION feedback_refuse_addition_to_frozen();\n"
)


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
