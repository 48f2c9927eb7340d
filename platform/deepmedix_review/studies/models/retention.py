"""How long studies may be kept: rules of an admin, and single studies that are kept longer than these say."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.models.films import Study

LONGEST_DAYS = 36_500


class RetentionRule(PublicModel):
    """Studies of one origin may be kept so many days after they came in. It never changes: another length is
    another rule, so that the audit record says under which one a study went."""

    class Of(models.TextChoices):
        EVERY = "every", "every study"
        CAME_BY = "came_by", "studies that came in one way"
        DATA_SET = "data_set", "studies of one published data set"
        PROFILE = "profile", "studies de-identified by one profile"

    of = models.CharField(max_length=8, choices=Of.choices)
    value = models.CharField(
        max_length=40, blank=True, help_text="which way, uid of the data set, or name of the profile"
    )
    keep_days = models.PositiveIntegerField()
    because = models.CharField(max_length=300, help_text="why, in words; each erasure by it says them")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    is_on = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_days__gte=1, keep_days__lte=LONGEST_DAYS),
                name="a_rule_keeps_for_a_day_at_least",
            ),
            models.CheckConstraint(condition=~Q(because=""), name="a_rule_says_why"),
            models.CheckConstraint(
                condition=Q(of="every", value="") | ~Q(of="every") & ~Q(value=""),
                name="a_rule_names_whose_studies_it_is_of",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.keep_days)


class Keeping(PublicModel):
    """One study is kept longer than rules say, up to a day and for a reason; then they hold again."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="keepings")
    ends_at = models.DateTimeField(help_text="the midnight (UTC) after its last day")
    because = models.CharField(max_length=300, help_text="why, in words, without names")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(
        null=True, help_text="when an admin ended it, or put another in its place"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(ended_at__isnull=True), name="a_study_is_kept_longer_once"
            ),
            models.CheckConstraint(condition=~Q(because=""), name="a_keeping_says_why"),
        ]

    @property
    def last_day(self) -> date:
        return (self.ends_at - timedelta(days=1)).date()
