"""A run follows a recipe of stages, and each step tells figures by name."""

from django.db import migrations, models

TO_NAMES = """
UPDATE feedback_trainingmetric
SET values = jsonb_build_object('loss', loss, 'margin', margin, 'accuracy', accuracy);
UPDATE feedback_trainingrun
SET recipe = jsonb_build_object('stages', jsonb_build_array(
    (recipe - 'pairs_per_step' - 'replay_films_per_step') || jsonb_build_object(
        'kind', 'dpo',
        'examples_per_step', recipe -> 'pairs_per_step',
        'replay_per_step', recipe -> 'replay_films_per_step')));
"""
TO_COLUMNS = """
UPDATE feedback_trainingmetric
SET loss = (values ->> 'loss')::float,
    margin = COALESCE((values ->> 'margin')::float, 0),
    accuracy = COALESCE((values ->> 'accuracy')::float, 0);
UPDATE feedback_trainingrun
SET recipe = (recipe #> '{stages,0}') - 'kind' - 'examples_per_step' - 'replay_per_step' || jsonb_build_object(
    'pairs_per_step', recipe #> '{stages,0,examples_per_step}',
    'replay_films_per_step', recipe #> '{stages,0,replay_per_step}');
"""


class Migration(migrations.Migration):
    dependencies = [("feedback", "0002_frozen_is_frozen")]
    operations = [
        migrations.RenameField(model_name="trainingrun", old_name="config", new_name="recipe"),
        migrations.AlterField(
            model_name="trainingrun",
            name="recipe",
            field=models.JSONField(help_text="rl_feedback.training.recipe.Recipe as JSON"),
        ),
        migrations.AddField(
            model_name="trainingmetric",
            name="values",
            field=models.JSONField(
                default=dict, help_text="figures by name: loss always, others by the stage"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="trainingmetric",
            name="stage",
            field=models.PositiveSmallIntegerField(default=0, help_text="its place in the recipe, from 0"),
        ),
        migrations.AddField(model_name="trainingmetric", name="seconds", field=models.FloatField(default=0)),
        migrations.AddField(
            model_name="trainingmetric",
            name="memory_mb",
            field=models.FloatField(default=0, help_text="the process's peak so far"),
        ),
        migrations.RunSQL(TO_NAMES, TO_COLUMNS),
        migrations.RemoveField(model_name="trainingmetric", name="loss"),
        migrations.RemoveField(model_name="trainingmetric", name="margin"),
        migrations.RemoveField(model_name="trainingmetric", name="accuracy"),
    ]
