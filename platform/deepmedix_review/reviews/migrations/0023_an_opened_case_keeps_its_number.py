"""Each case keeps which one of its reader study it was to its reader, so that no list counts what came before."""

from django.db import migrations, models

NUMBER_ONCE = """
UPDATE reviews_assignment assignment SET number = counted.number
FROM (SELECT opened.assignment_id, row_number() OVER (
        PARTITION BY own.reader_id, c.reader_study_id ORDER BY opened.opened_at, opened.id) AS number
    FROM reviews_reading opened JOIN reviews_assignment own ON own.id = opened.assignment_id
    JOIN reviews_case c ON c.id = own.case_id
    WHERE opened.amends_id IS NULL AND opened.opened_at IS NOT NULL) counted
WHERE assignment.id = counted.assignment_id;
UPDATE reviews_invitation invitation SET num_opened = counted.opened
FROM (SELECT c.reader_study_id, own.reader_id, count(own.number) AS opened
    FROM reviews_assignment own JOIN reviews_case c ON c.id = own.case_id
    GROUP BY c.reader_study_id, own.reader_id) counted
WHERE invitation.reader_study_id = counted.reader_study_id AND invitation.reader_id = counted.reader_id;
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0022_an_open_amendment_can_be_discarded")]
    operations = [
        migrations.AddField(
            model_name="assignment",
            name="number",
            field=models.PositiveIntegerField(
                editable=False,
                help_text="which case of its study it was to its reader, once opened",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="num_opened",
            field=models.PositiveIntegerField(
                default=0, editable=False, help_text="cases that the reader came to; gives each its number"
            ),
        ),
        migrations.RunSQL(NUMBER_ONCE, migrations.RunSQL.noop),
    ]
