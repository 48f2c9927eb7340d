"""Rows that were frozen before name their one reading, its certainty and their patient's side as new ones do."""

from django.db import migrations

from deepmedix_review.studies.collecting.split import Shares, side_of

TABLES = ("feedback_preferencepair", "feedback_preferencelabel")


def name_readings(apps, schema_editor):
    """The freeze's trigger stands aside: nothing that was said changes, and the sha256 stays the old lines'."""
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER frozen_is_frozen")
            cursor.execute(f"UPDATE {table} SET readings = ARRAY[reading_id]")
        cursor.execute("UPDATE feedback_preferencepair SET probability = 0.5 + weight / 2")
        cursor.execute("""
INSERT INTO feedback_datasetreading (dataset_id, reading_id, split, position)
SELECT dataset_id, reading_id, 'train', row_number() OVER (PARTITION BY dataset_id ORDER BY reading_id)
FROM (SELECT dataset_id, reading_id FROM feedback_preferencepair
      UNION SELECT dataset_id, reading_id FROM feedback_preferencelabel) AS frozen""")
        cursor.execute("""
SELECT DISTINCT study.patient_pseudonym FROM feedback_datasetreading frozen
JOIN reviews_reading reading ON reading.id = frozen.reading_id
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
JOIN reviews_case c ON c.id = assignment.case_id JOIN studies_study study ON study.id = c.study_id""")
        sides = {patient: str(side_of(patient, shares=Shares())) for (patient,) in cursor.fetchall()}
        for side in ("tune", "test"):
            patients = [patient for patient, own in sides.items() if own == side]
            for table in ("feedback_datasetreading", *TABLES):
                cursor.execute(
                    f"""
UPDATE {table} AS frozen SET split = %s FROM reviews_reading reading
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
JOIN reviews_case c ON c.id = assignment.case_id JOIN studies_study study ON study.id = c.study_id
WHERE reading.id = frozen.reading_id AND study.patient_pseudonym = ANY(%s)""",
                    [side, patients],
                )
        # PostgreSQL alters no table with checks outstanding.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER frozen_is_frozen")


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0004_rows_rest_on_several_readings"),
        ("studies", "0004_collections"),
    ]
    operations = [migrations.RunPython(name_readings, migrations.RunPython.noop)]
