"""What each reader has and has signed is counted as it happens, so that a worklist never counts."""

from django.conf import settings
from django.db import migrations, models

# How an assignment counts for its reader's invitation.
COUNT = """
    UPDATE reviews_invitation invitation
    SET num_assigned = num_assigned + moved.assigned, num_signed = num_signed + moved.signed
    FROM (
        SELECT c.reader_study_id, changed.reader_id, sum(changed.by) AS assigned,
            coalesce(sum(changed.by) FILTER (WHERE changed.signed_at IS NOT NULL), 0) AS signed
        FROM ({changed}) changed JOIN reviews_case c ON c.id = changed.case_id
        WHERE changed.withdrawn_at IS NULL
        GROUP BY c.reader_study_id, changed.reader_id) moved
    WHERE invitation.reader_study_id = moved.reader_study_id AND invitation.reader_id = moved.reader_id
        AND (moved.assigned <> 0 OR moved.signed <> 0);
"""
COLUMNS = "case_id, reader_id, withdrawn_at, signed_at"
NEW = f"SELECT {COLUMNS}, 1 AS by FROM after"
OLD = f"SELECT {COLUMNS}, -1 AS by FROM before"

COUNT_ONCE = """
UPDATE reviews_assignment assignment SET signed_at = reading.signed_at FROM reviews_reading reading
WHERE reading.assignment_id = assignment.id AND reading.signed_at IS NOT NULL AND reading.amends_id IS NULL;
UPDATE reviews_invitation invitation SET num_assigned = counted.assigned, num_signed = counted.signed
FROM (SELECT c.reader_study_id, assignment.reader_id, count(*) AS assigned,
        count(assignment.signed_at) AS signed
    FROM reviews_assignment assignment JOIN reviews_case c ON c.id = assignment.case_id
    WHERE assignment.withdrawn_at IS NULL GROUP BY c.reader_study_id, assignment.reader_id) counted
WHERE invitation.reader_study_id = counted.reader_study_id AND invitation.reader_id = counted.reader_id;
"""

# The planner expects a thousand changed rows and would read whole tables for one.
BY_INDEX = "SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off"

KEEP_COUNTS = f"""
CREATE FUNCTION reviews_count_new_assignments() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN {COUNT.format(changed=NEW)} RETURN NULL; END $$;
CREATE FUNCTION reviews_count_changed_assignments() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN {COUNT.format(changed=f"{NEW} UNION ALL {OLD}")} RETURN NULL; END $$;
CREATE FUNCTION reviews_count_deleted_assignments() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN {COUNT.format(changed=OLD)} RETURN NULL; END $$;

CREATE TRIGGER new_assignments_are_counted AFTER INSERT ON reviews_assignment
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION reviews_count_new_assignments();
CREATE TRIGGER changed_assignments_are_counted AFTER UPDATE ON reviews_assignment
    REFERENCING NEW TABLE AS after OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_count_changed_assignments();
CREATE TRIGGER deleted_assignments_are_counted AFTER DELETE ON reviews_assignment
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION reviews_count_deleted_assignments();

-- The first signature of an assignment is its own; an amendment changes nothing.
CREATE FUNCTION reviews_keep_signature_of_assignment() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN
    UPDATE reviews_assignment SET signed_at = NEW.signed_at
    WHERE id = NEW.assignment_id AND signed_at IS NULL;
    RETURN NULL;
END $$;
CREATE FUNCTION reviews_keep_signatures_of_assignments() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN
    UPDATE reviews_assignment assignment SET signed_at = after.signed_at FROM after
    WHERE after.assignment_id = assignment.id AND after.signed_at IS NOT NULL
        AND after.amends_id IS NULL AND assignment.signed_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER a_signature_is_its_assignments AFTER UPDATE OF signed_at ON reviews_reading FOR EACH ROW
    WHEN (OLD.signed_at IS NULL AND NEW.signed_at IS NOT NULL AND NEW.amends_id IS NULL)
    EXECUTE FUNCTION reviews_keep_signature_of_assignment();
CREATE TRIGGER new_signatures_are_their_assignments AFTER INSERT ON reviews_reading
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION reviews_keep_signatures_of_assignments();
"""
LET_COUNTS_GO = """
DROP TRIGGER new_signatures_are_their_assignments ON reviews_reading;
DROP TRIGGER a_signature_is_its_assignments ON reviews_reading;
DROP FUNCTION reviews_keep_signatures_of_assignments();
DROP FUNCTION reviews_keep_signature_of_assignment();
DROP TRIGGER deleted_assignments_are_counted ON reviews_assignment;
DROP TRIGGER changed_assignments_are_counted ON reviews_assignment;
DROP TRIGGER new_assignments_are_counted ON reviews_assignment;
DROP FUNCTION reviews_count_deleted_assignments();
DROP FUNCTION reviews_count_changed_assignments();
DROP FUNCTION reviews_count_new_assignments();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0006_first_reads_are_locked_by_the_reveal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="assignment",
            name="reviews_ass_reader__91bf55_idx",
        ),
        migrations.AddField(
            model_name="assignment",
            name="signed_at",
            field=models.DateTimeField(
                editable=False, help_text="of its first signed reading; kept by a trigger", null=True
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="num_assigned",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="invitation",
            name="num_signed",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="withdrawn_at",
            field=models.DateTimeField(
                help_text="taken off the reader's worklist before it was signed", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("signed_at__isnull", True), ("withdrawn_at__isnull", True)),
                fields=["reader", "id"],
                name="open_assignments_of_a_reader",
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("signed_at__isnull", False)),
                fields=["reader", "id"],
                name="signed_assignments",
            ),
        ),
        migrations.RunSQL(COUNT_ONCE, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP_COUNTS, LET_COUNTS_GO),
    ]
