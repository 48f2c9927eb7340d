from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0012_bundles_are_jobs")]

    operations = [
        migrations.AlterField(
            model_name="gatedecision",
            name="outcome",
            field=models.CharField(
                choices=[("passed", "Passed"), ("unchanged", "Nothing changed"), ("held", "Held")],
                max_length=9,
            ),
        ),
    ]
