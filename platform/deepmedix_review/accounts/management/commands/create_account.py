"""`manage.py create_account`: the first admin of an installation, or any account by script."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.models import Role
from deepmedix_review.accounts.services import create_account
from deepmedix_review.common.errors import RefusedByRule


class Command(BaseCommand):
    help = "Make an account. The password is asked for, or read as one line from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument("--pseudonym", default="", help="as screens name the person; drawn if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            account = create_account(
                username=options["username"],
                password=password,
                role=Role(options["role"]),
                pseudonym=options["pseudonym"],
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{account.username} can log in now, as {account.pseudonym}.")
