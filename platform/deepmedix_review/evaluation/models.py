"""How good a model version is, measured on cases whose truth is known."""

from django.conf import settings
from django.db import models

from deepmedix_review.common.models import LeasedJob, PublicModel
from deepmedix_review.registry.models import ModelVersion


class Benchmark(PublicModel):
    """A fixed set of held-out phantoms: the same name, seed and size draw the same films."""

    name = models.CharField(max_length=80, unique=True)
    first_seed = models.BigIntegerField()
    num_phantoms = models.PositiveIntegerField()
    site = models.CharField(max_length=20, help_text="a key of inference.phantoms.SITES")

    def __str__(self) -> str:
        return self.name


class Evaluation(LeasedJob):
    """One model version measured on one benchmark: figures, and the outcome case by case."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="evaluations")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    num_done = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="name of a figure to its mean and interval")
    cases = models.JSONField(default=list, help_text="per phantom: seed, text and the figures")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "model_version"], name="one_evaluation_per_model_and_benchmark"
            ),
        ]
