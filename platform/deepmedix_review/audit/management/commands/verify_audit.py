"""Walks the audit record's chain and names the first event that does not hold."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from deepmedix_review.audit.selectors import check_chain


class Command(BaseCommand):
    help = (
        "Verify the audit record. Prints its head as SEQUENCE:HASH; keep that outside the database and give "
        "it back by --expect-head, which also finds events cut off at the end. Ends with 1 at the first "
        "event that does not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--expect-head", type=_read_head, metavar="SEQUENCE:HASH")

    def handle(self, *args: Any, expect_head: tuple[int, str] | None, **options: Any) -> None:
        check = check_chain(expected_head=expect_head)
        if check.broken_at is not None:
            self.stderr.write(f"Event {check.broken_at} does not hold: {check.reason}.")
            raise SystemExit(1)
        self.stdout.write(f"{check.num_events} events hold.")
        self.stdout.write(f"{check.head_sequence}:{check.head_hash}")


def _read_head(value: str) -> tuple[int, str]:
    match = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", value)
    if match is None:
        raise ArgumentTypeError(
            "a head is a sequence number, a colon and 64 hexadecimal digits, as this command prints"
        )
    return int(match[1]), match[2]
