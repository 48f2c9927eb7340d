"""Every version until now was one of three presets, which its prompt tells apart."""

from django.db import migrations, models

# By prompt template: preset, and what its licence asks for.
PRESETS = {
    "phantom": ("phantom", "None beyond naming its authors."),
    "deepmedix-r1": ("deepmedix-r1", "None beyond naming its authors; for research, not for diagnosis."),
    "deepmedix-r1-no-think": (
        "deepmedix-r1",
        "None beyond naming its authors; for research, not for diagnosis.",
    ),
    "qwen-vl-think": (
        "qwen2.5-vl-thinking",
        "None for the 7B; the 3B and 72B have licences of their own.",
    ),
}


def tell_preset(apps, schema_editor):
    versions = apps.get_model("registry", "ModelVersion").objects
    for prompt, (preset, limits) in PRESETS.items():
        versions.filter(prompt_template=prompt).update(preset=preset, limits=limits)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_a_parent_was_registered_before"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="preset",
            field=models.CharField(
                default="phantom", help_text="a key of inference.presets.PRESETS", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="modelversion",
            name="dialect",
            field=models.CharField(
                choices=[
                    ("deepmedix", "deepmedix"),
                    ("json-boxes", "json-boxes"),
                    ("marked", "marked"),
                    ("maira-2", "maira-2"),
                    ("prose", "prose"),
                ],
                default="deepmedix",
                help_text="how it writes boxes and answers, by which its completions are read",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="modelversion",
            name="limits",
            field=models.TextField(
                blank=True, default="", help_text="what the licence asks for or forbids, in a sentence"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="modelversion",
            name="prompt_version",
            field=models.PositiveSmallIntegerField(default=1, help_text="of that template"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="modelversion",
            name="size_multiple",
            field=models.PositiveSmallIntegerField(default=28, help_text="divides the sides of the image"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="modelversion",
            name="image_preparation",
            field=models.CharField(
                choices=[("aspect", "Aspect"), ("square", "Square"), ("crop", "Crop"), ("pad", "Pad")],
                default="aspect",
                max_length=6,
            ),
        ),
        migrations.RunPython(tell_preset, migrations.RunPython.noop),
    ]
