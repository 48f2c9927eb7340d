from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0009_training_is_handed_over")]

    operations = [
        migrations.AddField(
            model_name="gatedecision",
            name="absent",
            field=models.JSONField(
                blank=True, default=dict, help_text="of what could not be measured, by its suite: why not"
            ),
        ),
    ]
