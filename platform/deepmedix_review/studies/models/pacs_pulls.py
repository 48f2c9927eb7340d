"""Studies that a person found in a PACS and has brought in: what was ticked, and what became of each film."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import JobState, LeasedJob
from deepmedix_review.studies.models.films import ImportBatch, ImportItem, Study


class PacsPull(LeasedJob):
    """A search of a PACS; once studies of it are ticked, a worker brings their films in, one by one.

    Whose studies they are nobody is told. What the PACS calls them stays in the rows below while it is needed
    and is emptied once the job has ended; of one that failed, once nobody wants it tried again.
    """

    class State(models.TextChoices):
        """Those of a job, and before them `choosing`: what was found waits for a person's ticks."""

        CHOOSING = "choosing"
        QUEUED = JobState.QUEUED
        RUNNING = JobState.RUNNING
        DONE = JobState.DONE
        FAILED = JobState.FAILED
        CANCELLED = JobState.CANCELLED

    state = models.CharField(max_length=10, choices=State.choices, default=State.CHOOSING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=100, help_text="the name of the PACS in the operator's file")
    batch = models.OneToOneField(ImportBatch, null=True, on_delete=models.PROTECT, related_name="pull")
    is_kept = models.BooleanField(
        default=True, help_text="what the PACS calls its studies and films is still here"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("choosing", "cancelled")) | Q(batch__isnull=False),
                name="a_pull_that_began_has_an_import",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=~Q(state__in=("done", "failed", "cancelled")) | Q(is_kept=True),
                name="pulls_not_done_with",
            ),
            models.Index(fields=["requested_by", "-id"], name="pulls_of_a_person"),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def may_be_tried_again(self) -> bool:
        return self.state == self.State.FAILED and self.is_kept


class StudyToPull(models.Model):
    """One that was found; those that were not ticked are deleted."""

    pull = models.ForeignKey(PacsPull, on_delete=models.CASCADE, related_name="studies", db_index=False)
    number = models.PositiveIntegerField(help_text="its place in what was found")
    study_uid = models.CharField(max_length=64, blank=True, help_text="in the PACS; empty once not needed")
    study_date = models.DateField(null=True, help_text="in the PACS, not shifted; null once not needed")
    modalities = models.CharField(max_length=64, blank=True, help_text="as the PACS tells them: CR, DX")
    num_told = models.PositiveIntegerField(
        null=True, help_text="images of any kind, as the PACS tells; null where it doesn't"
    )
    is_listed = models.BooleanField(default=False, help_text="its films have rows")
    problem = models.TextField(blank=True, help_text="why the PACS gave no list of its films")
    study = models.ForeignKey(
        Study, null=True, on_delete=models.SET_NULL, related_name="+", help_text="what it is here"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pull", "number"], name="a_study_is_found_once_in_a_search"),
        ]


class FilmToPull(models.Model):
    """One film of a study that was ticked, as the PACS lists them, and what became of it."""

    class Outcome(models.TextChoices):
        """Those of a file that was fetched; `known`: it was here before; `failed`: the PACS gave it not."""

        WAITING = "waiting"
        ACCEPTED = ImportItem.Outcome.ACCEPTED
        HELD = ImportItem.Outcome.HELD
        DUPLICATE = ImportItem.Outcome.DUPLICATE
        REFUSED = ImportItem.Outcome.REFUSED
        KNOWN = "known"
        FAILED = "failed"

    of = models.ForeignKey(StudyToPull, on_delete=models.CASCADE, related_name="films", db_index=False)
    place = models.PositiveIntegerField(help_text="in its study, from 1")
    number = models.PositiveIntegerField(help_text="in the whole pull: the number of its item")
    series_uid = models.CharField(max_length=64, blank=True, help_text="as study_uid")
    instance_uid = models.CharField(max_length=64, blank=True, help_text="as study_uid")
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "place"], name="a_film_is_listed_once_in_its_study"),
        ]
