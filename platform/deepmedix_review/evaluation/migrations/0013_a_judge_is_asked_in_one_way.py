from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0012_three_kinds_of_judges")]

    operations = [
        migrations.AddConstraint(
            model_name="arenarun",
            constraint=models.CheckConstraint(
                condition=Q(judged_by="server", judge_version=None)
                & ~Q(endpoint_url="")
                & ~Q(served_model="")
                | Q(judged_by="version", judge_version__isnull=False, endpoint_url="") & ~Q(served_model="")
                | Q(judged_by="recorded", judge_version=None, endpoint_url="") & ~Q(served_model="")
                | Q(judged_by="experts", judge_version=None, endpoint_url="", served_model=""),
                name="a_judge_is_asked_in_one_way",
            ),
        ),
    ]
