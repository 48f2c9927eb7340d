from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reviews", "0020_judges_are_asked_of_findings_in_doubt")]

    operations = [
        migrations.AddField(
            model_name="readerstudy",
            name="num_same_left_out",
            field=models.PositiveIntegerField(
                help_text="how many such pairs; None where none are left out, or nobody counted", null=True
            ),
        ),
        migrations.AlterField(
            model_name="readerstudy",
            name="leaves_out_same",
            field=models.BooleanField(
                default=False, help_text="pairs of outputs that say the same are no cases"
            ),
        ),
    ]
