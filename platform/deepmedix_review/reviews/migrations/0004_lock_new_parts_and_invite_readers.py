"""Every part of a signed reading is locked, and the readers of earlier reader studies are its invited ones."""

from typing import Any

from django.db import migrations

PARTS = ("firstread", "missedfinding", "drawnregion", "criterionrating")

LOCK = "".join(
    f"""
CREATE TRIGGER a_signed_reading_is_locked BEFORE INSERT OR UPDATE OR DELETE ON reviews_{part}
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_change_in_signed_reading();
"""
    for part in PARTS
)
UNLOCK = "".join(f"DROP TRIGGER a_signed_reading_is_locked ON reviews_{part};\n" for part in PARTS)


def invite_readers(apps: Any, schema_editor: Any) -> None:
    assignments = apps.get_model("reviews", "Assignment").objects
    invitation = apps.get_model("reviews", "Invitation")
    pairs = assignments.order_by().values_list("case__reader_study", "reader").distinct()
    invitation.objects.bulk_create(
        invitation(reader_study_id=reader_study, reader_id=reader, state="accepted")
        for reader_study, reader in pairs
    )
    for reader_study, position in (
        apps.get_model("reviews", "Case")
        .objects.order_by()
        .values_list("reader_study", "position")
        .distinct()
    ):
        assignments.filter(case__reader_study=reader_study, case__position=position).update(position=position)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0003_designs_first_reads_and_criteria")]
    operations = [
        migrations.RunSQL(LOCK, UNLOCK),
        migrations.RunPython(invite_readers, migrations.RunPython.noop),
    ]
