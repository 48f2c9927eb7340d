from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0010_code_of_a_version_runs_where_allowed"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="hub_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="of its files at Hugging Face, owner/name, as whoever registered them says",
                max_length=200,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="modelversion",
            name="hub_revision",
            field=models.CharField(
                blank=True, default="", help_text="the commit that was fetched there", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("hub_id", ""), ("hub_revision", ""))
                | models.Q(
                    models.Q(("hub_id", ""), _negated=True), models.Q(("hub_revision", ""), _negated=True)
                ),
                name="a_hugging_face_id_has_its_revision",
            ),
        ),
    ]
