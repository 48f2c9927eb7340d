"""`manage.py create_demo_accounts`: one login for each role, for trying the platform."""

from typing import Any

from django.core.management.base import BaseCommand

from deepmedix_review.accounts.demo_logins import ensure_demo_logins


class Command(BaseCommand):
    help = "Make the accounts expert, admin and researcher where they are absent, and print their passwords."

    def handle(self, *args: Any, **options: Any) -> None:
        for login in ensure_demo_logins():
            self.stdout.write(f"{login.username:<12} {login.password}")
