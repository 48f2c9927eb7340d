"""Who uses the platform, and in which role."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

CONTACT_LENGTH = 120


class Role(models.TextChoices):
    EXPERT = "expert", "Expert"
    ADMIN = "admin", "Admin"
    RESEARCHER = "researcher", "Researcher"


class User(AbstractUser):
    """A person with one role. Screens and data sets name a reader by `pseudonym` alone."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EXPERT)
    pseudonym = models.CharField(max_length=20, unique=True, help_text="as screens and exports name a reader")
    contact = models.CharField(
        max_length=CONTACT_LENGTH,
        blank=True,
        default="",
        help_text="how readers of an admin's reader studies reach this person",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="a_user_has_a_known_role"),
        ]

    # Set for the length of a request that came with a token: what of the role it may use.
    token: "ApiToken | None" = None

    def __str__(self) -> str:
        return self.pseudonym

    @property
    def how_to_reach(self) -> str:
        """The pseudonym, and beside it what the person said of how to be reached."""
        return f"{self.pseudonym} ({self.contact})" if self.contact else self.pseudonym


class Preference(models.Model):
    """How a person set up the reading room: a row for whoever changed something."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preference")
    keys = models.JSONField(default=dict, help_text="shortcut to the key's place; empty, as they come")
    has_single_keys = models.BooleanField(default=True, help_text="keys without Ctrl act (WCAG 2.1.4)")
    has_toured = models.BooleanField(default=False)


class ApiToken(models.Model):
    """Lets a program act for a person over the JSON interface, within its scopes, until it expires. Of the
    token itself only the SHA-256 is kept: it is long and random, so that nothing slower is needed."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60, help_text="what it is for")
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(help_text="names of capabilities; the role's own still bound them")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="to the minute")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="a_token_expires_after_it_is_made",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()
