from django.db import migrations, models


def tell_kind(apps, schema_editor):
    runs = apps.get_model("evaluation", "ArenaRun").objects
    runs.exclude(endpoint_url="").update(judged_by="server")


class Migration(migrations.Migration):
    dependencies = [
        ("evaluation", "0011_green_by_a_judge"),
        ("registry", "0009_a_version_may_be_returned_from"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="arenarun", name="a_judge_has_a_server_and_a_name_there"),
        migrations.AddField(
            model_name="arenarun",
            name="judged_by",
            field=models.CharField(
                choices=[
                    ("server", "a language model on a model server"),
                    ("version", "a version in the worker's memory"),
                    ("recorded", "judgements made elsewhere"),
                    ("experts", "nobody"),
                ],
                default="experts",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="arenarun",
            name="judge_version",
            field=models.ForeignKey(
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="registry.modelversion",
            ),
        ),
        migrations.AlterField(
            model_name="arenarun",
            name="served_model",
            field=models.CharField(
                blank=True, help_text="the judge's name: at its server, or as it is told here", max_length=200
            ),
        ),
        migrations.RunPython(tell_kind, migrations.RunPython.noop),
    ]
