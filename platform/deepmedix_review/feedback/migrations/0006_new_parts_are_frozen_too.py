"""Readings and expert regions of a data set are closed as its pairs are."""

from django.db import migrations

COUNTS = {"datasetreading": "num_readings", "expertregion": "num_regions"}

FREEZE = "".join(
    f"""
CREATE TRIGGER frozen_is_frozen BEFORE UPDATE OR DELETE ON feedback_{table}
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_change_of_frozen();
CREATE TRIGGER frozen_is_not_emptied BEFORE TRUNCATE ON feedback_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION feedback_refuse_change_of_frozen();
CREATE TRIGGER frozen_takes_no_more BEFORE INSERT ON feedback_{table}
    FOR EACH ROW EXECUTE FUNCTION feedback_refuse_addition_to_frozen('{count}');
"""
    for table, count in COUNTS.items()
)

THAW = "".join(
    f"DROP TRIGGER {trigger} ON feedback_{table};\n"
    for table in COUNTS
    for trigger in ("frozen_is_frozen", "frozen_is_not_emptied", "frozen_takes_no_more")
)


class Migration(migrations.Migration):
    dependencies = [("feedback", "0005_old_rows_name_their_reading")]
    operations = [
        migrations.RemoveField(model_name="preferencelabel", name="reading"),
        migrations.RemoveField(model_name="preferencepair", name="reading"),
        migrations.RunSQL(FREEZE, THAW),
    ]
