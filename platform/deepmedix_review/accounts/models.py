"""Who uses the platform, and in which role."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    EXPERT = "expert", "Expert"
    ADMIN = "admin", "Admin"
    RESEARCHER = "researcher", "Researcher"


class User(AbstractUser):
    """A person with one role. Screens and data sets name a reader by `pseudonym` alone."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EXPERT)
    pseudonym = models.CharField(max_length=20, unique=True, help_text="as screens and exports name a reader")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="a_user_has_a_known_role"),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Preference(models.Model):
    """How a person set up the reading room: a row for whoever changed something."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preference")
    keys = models.JSONField(default=dict, help_text="shortcut to the key's place; empty, as they come")
    has_single_keys = models.BooleanField(default=True, help_text="keys without Ctrl act (WCAG 2.1.4)")
    has_toured = models.BooleanField(default=False)
