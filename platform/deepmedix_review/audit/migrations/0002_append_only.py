"""The database itself refuses to change or remove what was recorded, whatever the code above it does."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit record is append-only.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'the_audit_record_is_append_only';
END $$;

CREATE TRIGGER the_audit_record_is_append_only BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER the_audit_record_is_never_emptied BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""
ALLOW = """
DROP TRIGGER the_audit_record_is_append_only ON audit_auditevent;
DROP TRIGGER the_audit_record_is_never_emptied ON audit_auditevent;
DROP FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
