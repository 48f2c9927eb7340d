"""Searches a PACS over DICOMweb and brings what it finds in, from the command line."""

from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deepmedix_review.accounts.management.actors import find_actor
from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.intake.oddities import MODALITIES
from deepmedix_review.studies.intake.profiles import PROFILE_HELP, PROFILES
from deepmedix_review.studies.models import ImportBatch
from deepmedix_review.studies.pulling.client import FilmNotFetched, FoundStudy, PacsClient, StudyQuery
from deepmedix_review.studies.pulling.services import pull_study, record_pull, record_search, studies_here
from deepmedix_review.studies.pulling.sources import source_named
from rl_feedback.counting import counted


class Command(BaseCommand):
    help = (
        "Search a PACS of the file in PACS_SOURCES over DICOMweb and say how many studies there are; with "
        "--import, bring their radiographs in. Films that are here are not fetched again: after an error or "
        "a stop, run it once more. Ends with 1 where a film could not be had or was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="NAME", help="of the PACS, in the file of PACS_SOURCES")
        parser.add_argument("--patient-id", action="store_true", help="asks for it: it stays in no history")
        parser.add_argument("--accession", action="store_true", help="asks for the number, likewise")
        parser.add_argument("--modality", choices=MODALITIES, default="")
        parser.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--limit", type=int, default=100, help="studies at most (100)")
        parser.add_argument("--offset", type=int, default=0, help="studies to pass over first (0)")
        parser.add_argument("--import", action="store_true", dest="is_import", help="bring them in")
        parser.add_argument(
            "--profile",
            choices=list(PROFILES),
            default="",
            help=f"{PROFILE_HELP}; before that the one that the file of PACS_SOURCES names",
        )
        parser.add_argument("--actor", metavar="USERNAME", help="whose act it is, in the audit record")

    def handle(self, *args: Any, source: str, actor: str | None, is_import: bool, **options: Any) -> None:
        if options["limit"] < 1 or options["offset"] < 0:
            raise CommandError("--limit is at least 1, --offset at least 0.")
        user = find_actor(actor)
        query = StudyQuery(
            patient_id=_asked("Patient ID: ") if options["patient_id"] else "",
            accession=_asked("Accession number: ") if options["accession"] else "",
            modality=options["modality"],
            since=options["since"],
            until=options["until"],
        )
        try:
            pacs = source_named(source)
            with PacsClient(pacs) as client:
                batch = start_import(
                    actor=user,
                    source=ImportBatch.Source.COMMAND,
                    profile=options["profile"] or pacs.profile,
                )
                found = client.search(query, limit=options["limit"], offset=options["offset"])
                asked = list(query.parameters())
                record_search(subject=batch, actor=user, source=source, asked=asked, num_found=len(found))
                self._tell(found, limit=options["limit"], offset=options["offset"])
                failed = is_import and self._pull(client, found, batch=batch, user=user, source=source)
        except (RefusedByRule, FilmNotFetched) as error:
            raise CommandError(str(error)) from error
        if failed:
            raise SystemExit(1)

    def _tell(self, found: list[FoundStudy], *, limit: int, offset: int) -> None:
        here = studies_here(found)
        for number, one in enumerate(found, start=1):
            images = "? images" if one.num_films is None else counted(one.num_films, "image")
            known = f", {here[one.uid].label} here" if one.uid in here else ""
            self.stdout.write(f"study {number}: {images}{known}")
        self.stdout.write(f"{counted(len(found), 'study', 'studies')} found, {len(here)} here")
        if len(found) == limit:
            self.stdout.write(f"There may be more: --offset {offset + limit} goes on behind these.")

    def _pull(
        self,
        client: PacsClient,
        found: list[FoundStudy],
        *,
        batch: ImportBatch,
        user: User | None,
        source: str,
    ) -> bool:
        """Whether anything failed."""
        counts: Counter[str] = Counter()
        try:
            for number, one in enumerate(found, start=1):
                for film in pull_study(client, one.uid, batch=batch, actor=user, number=number):
                    if film.item is not None:
                        outcome, reason = film.item.outcome, film.item.reason
                    else:
                        outcome, reason = ("failed" if film.problem else "known"), film.problem
                    counts[outcome] += 1
                    at = f"study {number}/{len(found)}"
                    self.stdout.write(f"{at}: {outcome} {reason}".rstrip())
        finally:
            record_pull(batch=batch, actor=user, source=source, counts=dict(counts))
            names = ("accepted", "held", "duplicate", "known", "refused", "failed")
            told = ", ".join(f"{counts[name]} {name}" for name in names)
            self.stdout.write(f"{counted(counts.total(), 'film')}: {told}")
        return bool(counts["failed"] or counts["refused"])


def _asked(prompt: str) -> str:
    try:
        told = input(prompt).strip()
    except EOFError as error:
        raise CommandError("Nothing was typed to search by.") from error
    # Others than the standard's wildcards would search for more than what was typed.
    if not told or any(sign in told for sign in "*?\\"):
        raise CommandError("Type what to search by, without *, ? and backslash.")
    return told
