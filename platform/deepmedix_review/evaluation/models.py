"""How good a model version is, measured on cases whose truth is known."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import LeasedJob, PublicModel
from deepmedix_review.registry.models import ModelVersion


class Benchmark(PublicModel):
    """A fixed set of held-out films: the same name, seed and size draw the same ones.

    Sealed films are the same for every candidate. Twins are drawn for one candidate when it comes before the
    gate, so that nobody can have learned from them. Canaries are films on which nothing can be found, or
    whose sides or patients are changed over.
    """

    class Suite(models.TextChoices):
        SEALED = "sealed"
        CANARIES = "canaries"
        TWINS = "twins"

    name = models.CharField(max_length=80, unique=True)
    first_seed = models.BigIntegerField()
    num_phantoms = models.PositiveIntegerField()
    site = models.CharField(max_length=20, help_text="a key of inference.phantoms.SITES")
    suite = models.CharField(max_length=8, choices=Suite.choices, default=Suite.SEALED)
    drawn_for = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the candidate that twins are drawn for; null for what every version is measured on",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(suite="twins", drawn_for__isnull=False)
                | (~Q(suite="twins") & Q(drawn_for__isnull=True)),
                name="twins_are_drawn_for_one_candidate",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def described(self) -> str:
        """For a person: which films these are. The name is for keys alone."""
        match self.suite:
            case self.Suite.CANARIES:
                return "canaries"
            case self.Suite.TWINS:
                return f"twins of the {self.site} site's films"
            case _:
                return f"sealed films of the {self.site} site"


class Evaluation(LeasedJob):
    """One model version measured on one benchmark: figures, and the outcome case by case."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="evaluations")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    num_done = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="name of a figure to its mean and interval")
    cases = models.JSONField(default=list, help_text="per film: what was said, and how it scored")
    is_damaged = models.BooleanField(default=False, help_text="the version's files are no sound model")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "model_version"], name="one_evaluation_per_model_and_benchmark"
            ),
        ]
