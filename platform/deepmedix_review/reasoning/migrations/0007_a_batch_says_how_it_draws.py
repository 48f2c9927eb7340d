from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def draws_as_its_version(apps, schema_editor):
    """Until here a batch drew at its version's temperature, by seeds from 1 on."""
    batches = apps.get_model("reasoning", "InferenceBatch").objects.all()
    versions = apps.get_model("registry", "ModelVersion").objects.filter(pk=OuterRef("model_version"))
    batches.update(temperature=Subquery(versions.values("temperature")))


class Migration(migrations.Migration):
    dependencies = [
        ("reasoning", "0006_workers_say_they_are_there"),
        ("registry", "0011_a_version_says_whence_it_was_fetched"),
    ]

    operations = [
        migrations.AddField(
            model_name="inferencebatch",
            name="temperature",
            field=models.FloatField(null=True),
        ),
        migrations.RunPython(draws_as_its_version, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="inferencebatch",
            name="temperature",
            field=models.FloatField(),
        ),
        migrations.AddField(
            model_name="inferencebatch",
            name="first_seed",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name="inferencebatch",
            name="num_samples",
            field=models.PositiveSmallIntegerField(help_text="of each study, by seeds one after another"),
        ),
    ]
